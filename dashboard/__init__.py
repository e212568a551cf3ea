"""The pages a press officer looks at; they read, and write only what a person decided."""
