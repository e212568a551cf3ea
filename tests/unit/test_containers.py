"""docker-compose.yml and the Dockerfile: what they name exists, and containers get no more than they need. Neither is
run here, which docs/operations.md says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from dashboard import asgi
from listener.cli import make_parser

ROOT = Path(__file__).parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]


def mounted(service: dict[str, Any]) -> list[str]:
    """Where the service's volumes come from."""
    return [each["source"] if isinstance(each, dict) else each.split(":")[0] for each in service.get("volumes", ())]


def test_the_compose_file_fits_the_schema_of_compose_files() -> None:
    words = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", OURS)
def test_what_our_containers_run_is_a_command_of_ours(name: str) -> None:
    words = SERVICES[name]["command"]
    args = make_parser(words[0]).parse_args(words)
    assert args.command == name
    assert args.config == "/etc/earshot/earshot.toml"
    assert args.data in DOCKERFILE


@pytest.mark.parametrize("name", OURS)
def test_every_variable_our_containers_get_is_one_that_we_read_and_holds_no_secret(name: str) -> None:
    given = SERVICES[name]["environment"]
    code = "".join(path.read_text("utf-8") for top in ("listener", "mentions") for path in (ROOT / top).rglob("*.py"))
    for variable, value in given.items():
        assert variable not in ("EARSHOT_ELASTIC_PASSWORD", "EARSHOT_ELASTIC_API_KEY")
        stem = variable.removesuffix("_FILE").removeprefix("EARSHOT_ELASTIC_")
        assert stem in code
        if variable.endswith(("_FILE", "_CA")):
            assert value.removeprefix("/run/secrets/") in SERVICES[name]["secrets"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_container_names_is_declared_and_told_how_to_make(name: str) -> None:
    service = SERVICES[name]
    words = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    assert {each["source"] for each in service.get("configs", ())} <= set(COMPOSE["configs"])
    for source in mounted(service):
        assert source.removeprefix("./") in words if source.startswith("./") else source in COMPOSE["volumes"]
    for declared in (*COMPOSE["secrets"].values(), *COMPOSE["configs"].values()):
        assert declared["file"].removeprefix("./") in words
    assert set(service.get("depends_on", ())) <= set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_watched_bounded_and_cannot_gain_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["cpus"]
    assert "privileged" not in service
    assert service.get("read_only") is True or name not in OURS


def test_only_the_dashboard_can_be_reached_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"dashboard": ["127.0.0.1:8501:8501"]}


def test_the_health_of_the_dashboard_is_asked_for_where_it_is_told() -> None:
    asked = re.search(r":8501(/[\w/]+)", SERVICES["dashboard"]["healthcheck"]["test"][-1])
    assert asked
    assert asked[1] in (ROOT / asgi.__file__).read_text("utf-8")


def test_the_image_holds_what_the_locks_say_and_nobody_in_it_is_root() -> None:
    assert "--require-hashes --requirement /tmp/requirements.lock" in DOCKERFILE
    assert DOCKERFILE.index("\nUSER earshot") < DOCKERFILE.index("\nENTRYPOINT")
    copied = re.findall(r"(?m)^COPY (?!--from)(\S+) ", DOCKERFILE)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert set(copied) == let_in
