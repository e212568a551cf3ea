"""The settings file: what it gives, and how everything wrong with it is told at once."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from config.load import known_keys, load, read_options
from config.problems import Problem, SettingsError, explain
from config.settings import ChannelSettings, Settings, SourceSettings, format_duration, parse_duration


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "earshot.toml"
    path.write_text(text, "utf-8")
    return path


def problems_of(folder: Path, text: str, env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(write(folder, text), env or {})
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


class HookOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    url: str = Field(repr=False)
    secret_env: str = ""
    tries: int = Field(3, ge=1)
    user: str = ""

    @model_validator(mode="after")
    def _user_has_secret(self) -> HookOptions:
        if self.user and not self.secret_env:
            raise ValueError("user: expected a secret_env to go with it")
        return self


# -- what comes out ---------------------------------------------------------------------------------------------------


def test_without_a_file_everything_has_its_default() -> None:
    settings = load(None, {})
    assert settings.force == "Metropolitan Police"
    assert settings.data == Path.cwd() / "earshot-data"
    assert settings.store == f"sqlite:{settings.data / 'mentions.db'}"
    assert settings.state == f"sqlite:{settings.data / 'state.db'}"
    assert settings.author_key == settings.data / "author.key"
    assert settings.sources == ()


def test_paths_start_at_the_settings_file(folder: Path) -> None:
    settings = load(write(folder, 'data = "kept"\nstore = "sqlite:heard/m.db"'), {})
    assert settings.data == folder / "kept"
    assert settings.store == f"sqlite:{folder / 'kept/heard/m.db'}"


def test_the_command_line_has_the_last_word_on_the_data_directory(folder: Path) -> None:
    settings = load(write(folder, 'data = "kept"'), {}, data=folder / "other")
    assert settings.data == folder / "other"
    assert settings.state == f"sqlite:{folder / 'other/state.db'}"


def test_absolute_paths_stay_as_they_are(folder: Path) -> None:
    settings = load(write(folder, f'store = "sqlite:{folder}/m.db"'), {})
    assert settings.store == f"sqlite:{folder}/m.db"


def test_a_sources_own_options_are_set_apart(folder: Path) -> None:
    text = """
    [[sources]]
    name = "Brockley"
    kind = "forum"
    every = "5m"
    voice = "press"
    boroughs = ["Lewisham"]
    url = "https://forum.example"
    software = "discourse"
    """
    (source,) = load(write(folder, text), {}).sources
    assert source.options == {"url": "https://forum.example", "software": "discourse"}
    assert (source.every, source.voice, source.boroughs) == (timedelta(minutes=5), "press", ("Lewisham",))


def test_a_watchlist_keeps_its_day(folder: Path) -> None:
    text = '[[watchlists]]\nname = "carnival"\nquery = "carnival"\npurpose = "public order news"\nexpires = 2027-09-01'
    (watchlist,) = load(write(folder, text), {}).watchlists
    assert watchlist.expires == date(2027, 9, 1)


def test_places_are_names_with_boroughs(folder: Path) -> None:
    settings = load(write(folder, '[places]\n"Lordship Rec" = ["Haringey"]'), {})
    assert settings.places == {"Lordship Rec": ("Haringey",)}


def test_the_state_may_come_from_the_environment(folder: Path) -> None:
    path = write(folder, 'state_env = "EARSHOT_STATE"')
    assert load(path, {"EARSHOT_STATE": "postgresql://u:p@db/earshot"}).state == "postgresql://u:p@db/earshot"


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError):
        load(None, {}).force = "Another"  # type: ignore[misc]


# -- what is wrong ----------------------------------------------------------------------------------------------------


def test_every_problem_is_told_at_once(folder: Path) -> None:
    text = """
    forse = "Met"
    timezone = "Mars/Olympus"
    store = "mongo:x"
    [dashboard]
    port = "8501"
    [[sources]]
    name = "one"
    kind = "feed"
    every = "15 mins"
    [[sources]]
    name = "One"
    kind = "feed"
    every = "1s"
    [[watchlists]]
    name = "w"
    query = "knife"
    """
    assert problems_of(folder, text) == [
        'earshot.toml: timezone: found "Mars/Olympus", expected a time zone such as "Europe/London"',
        'earshot.toml: store: found "mongo:x", expected "sqlite:mentions.db" or "elasticsearch:http://host:9200"',
        'earshot.toml: dashboard.port: found "8501", expected a whole number',
        'earshot.toml: sources[1].every: found "15 mins", expected a duration such as "15m", "2h" or "30s"',
        'earshot.toml: sources[2].every: found "1s", expected "30s" or longer',
        "earshot.toml: watchlists[1].purpose: found nothing, expected a value: it has no default",
        'earshot.toml: forse: found an unknown key, expected it to be "force"',
        'earshot.toml: sources[2].name: found "One", expected a name of its own: sources[1] has this one',
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'voice = "bbc"',
            "voice: found an unknown key, expected one of alerts, analysis, author_key, borough_accounts",
        ),
        ("[fetch]\nmax_byte = 5", 'fetch.max_byte: found an unknown key, expected it to be "max_bytes"'),
        ("[fetch]\nmax_bytes = 5", "fetch.max_bytes: found 5, expected 1000 or more"),
        ('[fetch]\nallow = ["intranet"]', 'fetch.allow[1]: found "intranet", expected a host and a port, such as'),
        ("[fetch]\nrespect_robots = 1", "fetch.respect_robots: found 1, expected true or false"),
        ("[fetch]\ntotal_timeout = 30", 'fetch.total_timeout: found 30, expected a duration such as "15m"'),
        ("own_handles = [1]", 'own_handles[1]: found 1, expected text in "quotes"'),
        ('own_handles = "@met"', 'own_handles: found "@met", expected a list such as ["a", "b"]'),
        ("fetch = 3", "fetch: found 3, expected a table"),
        ("data = 3", 'data: found 3, expected a path such as "earshot-data"'),
        ('force = " "', 'force: found " ", expected text that is not blank'),
        ('log_level = "loud"', "log_level: found \"loud\", expected 'debug', 'info', 'warning' or 'error'"),
        ("[health]\nport = 8501", "health.port: found 8501, expected a port that the dashboard does not use"),
        ("[dashboard]\nport = 0", "dashboard.port: found 0, expected 1 or more"),
        ("[[sources]]\nname = 'a'", "sources[1].kind: found nothing, expected a value: it has no default"),
        (
            "[[sources]]\nname = 'a: b'\nkind = 'feed'",
            'sources[1].name: found "a: b", expected a name of up to 60 characters',
        ),
        (
            'state = "mysql://db"',
            'state: found "mysql://db", expected "sqlite:state.db" or "postgresql://host/database"',
        ),
        ('state_env = "EARSHOT_STATE"', "state_env: found EARSHOT_STATE, expected the name of a variable that is set"),
        ("sources = 1", 'sources: found 1, expected a list such as ["a", "b"]'),
        ("sources = [1]", "sources[1]: found 1, expected a table"),
    ],
)
def test_a_problem_says_where_what_and_what_instead(folder: Path, text: str, problem: str) -> None:
    (found,) = problems_of(folder, text)
    assert found.startswith(f"earshot.toml: {problem}")


def test_bad_toml_is_placed_by_its_line(folder: Path) -> None:
    (found,) = problems_of(folder, 'force = "x"\ndata = \n')
    assert found.startswith("earshot.toml: line 2, column 8: found bad TOML")


def test_bytes_that_are_no_text_are_placed_by_their_line(folder: Path) -> None:
    path = folder / "earshot.toml"
    path.write_bytes(b'force = "x"\ndata = "\xff"\n')
    with pytest.raises(SettingsError, match="line 2: found bytes that are no UTF-8"):
        load(path, {})


def test_a_file_that_is_not_there_says_how_to_get_one(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"cp config/example\.toml earshot\.toml"):
        load(folder / "none.toml", {})


def test_a_directory_is_no_settings_file(folder: Path) -> None:
    with pytest.raises(SettingsError, match="expected a file that can be read"):
        load(folder, {})


def test_a_password_in_the_state_url_is_refused_and_not_shown(folder: Path) -> None:
    (found,) = problems_of(folder, 'state = "postgresql://earshot:hunter2@db/earshot"')
    assert "hunter2" not in found
    assert 'state_env = "EARSHOT_STATE"' in found


def test_a_secret_in_place_of_its_variables_name_is_not_shown(folder: Path) -> None:
    (found,) = problems_of(folder, 'state_env = "hunter2"')
    assert "found ***" in found


@pytest.mark.parametrize("key", ["password", "secret", "token", "access_token", "api_key", "signing_key"])
def test_secret_looking_values_are_never_shown(key: str) -> None:
    class Wrong(BaseModel):
        model_config = ConfigDict(extra="allow")
        __pydantic_extra__: dict[str, int]

    with pytest.raises(ValidationError) as caught:
        Wrong.model_validate({key: "hunter2"})
    (problem,) = explain(caught.value, "f")
    assert problem.found == "***"


# -- options of connectors and channels -------------------------------------------------------------------------------


def test_options_come_back_as_their_model() -> None:
    options = read_options(HookOptions, {"url": "https://x.example"}, "f", "channels[1]", ChannelSettings)
    assert options.url == "https://x.example"


def test_problems_in_options_name_the_table_and_know_its_other_keys() -> None:
    with pytest.raises(SettingsError) as caught:
        read_options(
            HookOptions, {"levl": "crisis", "tries": 0, "secret": "hunter2"}, "f", "channels[2]", ChannelSettings
        )
    assert caught.value.problems == [
        Problem("f", "channels[2].url", "nothing", "a value: it has no default"),
        Problem("f", "channels[2].tries", "0", "1 or more"),
        Problem("f", "channels[2].levl", "an unknown key", 'it to be "level"'),
        Problem("f", "channels[2].secret", "an unknown key", 'it to be "secret_env"'),
    ]


def problems_of_hook(**options: object) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read_options(HookOptions, options, "f", "channels[1]", ChannelSettings)
    return [str(problem) for problem in caught.value.problems]


def test_a_check_of_a_whole_table_points_at_the_key_it_names() -> None:
    assert problems_of_hook(url="u", user="me") == [
        'f: channels[1].user: found "me", expected a secret_env to go with it'
    ]


def test_an_address_that_lets_people_in_is_not_shown() -> None:
    assert problems_of_hook(url=5) == ['f: channels[1].url: found ***, expected text in "quotes"']


def test_a_secret_pasted_into_an_option_is_refused_and_not_shown() -> None:
    assert problems_of_hook(url="u", secret_env="hunter2") == [
        "f: channels[1].secret_env: found ***, expected the name of an environment variable, in capitals"
    ]


# -- durations and keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("15m", 900), ("2h", 7200), ("3d", 259200), ("1.5h", 5400), ("0s", 0)]
)
def test_durations_carry_their_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "m", "-5m", "15 mins", "1h30m", "1e3s", 15, True, None, "99999999d"])
def test_anything_else_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="a duration such as"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=999_999))
def test_a_duration_survives_being_written(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_every_setting_says_what_it_is_for() -> None:
    models = [Settings, SourceSettings, ChannelSettings]
    silent = [f"{m.__name__}.{n}" for m in models for n, f in m.model_fields.items() if not f.description]
    assert silent == ["SourceSettings.options", "ChannelSettings.options"]
    assert {"force", "fetch.host_gap", "sources.every", "watchlists.purpose"} <= set(known_keys())
