"""What a machine needs to run a real Elasticsearch, found or fetched: the server, a JDK, a user that is not root."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

VERSION = "9.5.0"
OLD_VERSION = "8.19.16"
_ARTIFACT = "org.elasticsearch.distribution.integ-test-zip:elasticsearch"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"


class Lacking(Exception):
    """This machine has not what the server needs; the message says what and names Elasticsearch."""


def find_home(version: str = VERSION) -> Path:
    """The unpacked server, fetched and unpacked first where need be. Raises Lacking."""
    # A place of its own: the ordinary user that runs it must be able to get there, which is not so under /root.
    base = Path("/var/tmp" if os.access("/var/tmp", os.W_OK) else tempfile.gettempdir())
    kept = base / f"earshot-elasticsearch-{os.getuid()}"
    home = kept / f"elasticsearch-{version}"
    if not home.exists():
        kept.mkdir(mode=0o755, exist_ok=True)
        _unpack(find_zip(version), kept, home)
    if home.stat().st_uid != os.getuid():
        raise Lacking(f"{home} is somebody else's: Elasticsearch is not started from there; remove it")
    return home


def find_zip(version: str) -> Path:
    """The server's archive in $EARSHOT_ELASTIC_ZIPS or ~/.cache/earshot/elasticsearch; by Maven where not yet there."""
    kept = os.environ.get("EARSHOT_ELASTIC_ZIPS") or Path.home() / ".cache" / "earshot" / "elasticsearch"
    archive = Path(kept) / f"elasticsearch-{version}.zip"
    if archive.exists():
        return archive
    maven = shutil.which("mvn")
    if maven is None:
        raise Lacking(f"no Elasticsearch {version} here: install Maven (mvn), which fetches it, or put it at {archive}")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as fetched:
        options = [f"-Dartifact={_ARTIFACT}:{version}:zip", f"-DoutputDirectory={fetched}"]
        told = subprocess.run([maven, "-q", "-B", _COPY, *options], capture_output=True, text=True, check=False)
        if told.returncode:
            raise Lacking(f"Maven could not fetch Elasticsearch {version}: {_last_line(told.stdout + told.stderr)}")
        (Path(fetched) / archive.name).rename(archive)
    return archive


def _unpack(archive: Path, kept: Path, home: Path) -> None:
    """Whole or not at all, also where two do it at once."""
    with tempfile.TemporaryDirectory(dir=kept) as name:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(name)
        (unpacked,) = Path(name).iterdir()
        for program in (unpacked / "bin").iterdir():
            program.chmod(0o755)
        try:
            unpacked.rename(home)
        except OSError:
            if not home.exists():
                raise


def find_java(version: str = VERSION) -> Path:
    """A full JDK that this server starts with: $JAVA_HOME, the distribution's folder of them, the one on the path."""
    least = 21 if int(version.split(".")[0]) >= 9 else 17
    told = os.environ.get("JAVA_HOME")
    on_path = shutil.which("java")
    homes = [Path(told)] if told else []
    homes += sorted(Path("/usr/lib/jvm").glob("*"))
    homes += [Path(on_path).resolve().parent.parent] if on_path else []
    for home in homes:
        if (home / "bin" / "javac").exists() and _java_version(home) >= least:
            return home
    raise Lacking(f"no full JDK {least} or newer here for Elasticsearch {version}: install one, or set JAVA_HOME to it")


def _java_version(home: Path) -> int:
    told = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


def other_user() -> pwd.struct_passwd | None:
    """Elasticsearch refuses to run as root, so as root it runs as nobody."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise Lacking("Elasticsearch does not run as root, and there is no user nobody here") from None


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
