"""Imports only look down: tier 2 over tier 1 over tier 0, and tiers 0 and 1 do not know their neighbours."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "config": set(),
    "mentions": set(),
    "analysis": {"config", "mentions"},
    "alerts": {"config", "mentions"},
    "dashboard": {"config", "mentions", "alerts"},
    "listener": {"config", "mentions", "analysis", "alerts", "dashboard"},
}


def imported_packages(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names & set(MAY_IMPORT)


@pytest.mark.parametrize("path", sorted(p for top in MAY_IMPORT for p in (ROOT / top).rglob("*.py")), ids=str)
def test_imports_only_look_down(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    strangers = imported_packages(path.read_text("utf-8")) - MAY_IMPORT[package] - {package}
    assert not strangers, f"{path.relative_to(ROOT)} imports {sorted(strangers)}"
