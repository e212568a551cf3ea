"""Fetches a model from a Hugging Face hub: the one place where a model's name is looked for on the network."""

from __future__ import annotations

import errno
import fcntl
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from analysis.hub import MANIFEST, WEIGHTS, digest_of, read_labels
from analysis.reading import ModelUnavailable
from listener.judging import place_of
from mentions.failures import UserError

SCRATCH = ".fetching"
CONFIG = "config.json"
TOKENISER = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "vocab.txt", "merges.txt", "bpe.codes", "*.model",
)  # fmt: skip


def fetch_model(name: str, folder: Path, revision: str = "", endpoint: str = "") -> Path:
    """Fetch what is needed of a model into its place in `folder`; an earlier copy is replaced once the new one is
    whole. Returns that place. Raises UserError, and nothing half-done stays behind."""
    with _told(name, endpoint, folder), _scratch(folder) as scratch:
        from huggingface_hub import HfApi, hf_hub_download, snapshot_download

        api, new, hub = HfApi(endpoint or None, library_name="earshot"), scratch / "new", endpoint or None
        info = api.model_info(name, revision=revision or None)
        commit = str(info.sha)
        weights = choose_weights(name, [file.rfilename for file in info.siblings or ()])
        hf_hub_download(name, CONFIG, revision=commit, local_dir=new, endpoint=hub, library_name="earshot")
        read_labels(new)  # before hundreds of megabytes are fetched
        # ONNX may keep its numbers in a file beside its own.
        wanted = [CONFIG, *TOKENISER, weights, f"{weights}_data", f"{weights}.data"]
        snapshot_download(
            name, revision=commit, local_dir=new, endpoint=hub, library_name="earshot", allow_patterns=wanted
        )
        shutil.rmtree(new / ".cache", ignore_errors=True)
        write_manifest(new, name, commit)
        place = place_of(name, folder)
        if place.exists():
            place.rename(scratch / "old")
        new.rename(place)
    return place


def choose_weights(name: str, files: Sequence[str]) -> str:
    """The file of weights that is worth fetching; raises UserError where there is none that could be run."""
    for each in WEIGHTS:
        if each in files:
            return each
    raise UserError(f"{name}: has none of {', '.join(WEIGHTS)}")


def write_manifest(folder: Path, name: str, commit: str) -> None:
    """Write down what the files are, to be held against them whenever the model is opened."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        "name": name,
        "revision": commit,
        "files": {path.relative_to(folder).as_posix(): digest_of(path) for path in files},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """An empty folder on the same disk, gone afterwards; what a fetch that was killed has left goes too."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = folder / SCRATCH
    with (folder / f"{SCRATCH}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{folder}: another `earshot models fetch` is at work here: wait for it") from None
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _told(name: str, endpoint: str, folder: Path) -> Iterator[None]:
    """Whatever goes wrong becomes one line."""
    try:
        yield
    except UserError:
        raise
    except ModelUnavailable as unfit:
        raise UserError(f"{name} cannot be used here: {str(unfit).rpartition(': ')[2]}") from None
    except Exception as error:  # the hub's library lets those of its HTTP client through
        raise UserError(_explain(error, name, endpoint, folder)) from error


def _explain(error: Exception, name: str, endpoint: str, folder: Path) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    hub = endpoint or constants.ENDPOINT
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set, so nothing is fetched: unset it for this command"
    if isinstance(error, GatedRepoError):
        return f"{name} is gated: accept its terms at {hub}/{name}, then set HF_TOKEN for this command"
    if isinstance(error, RepositoryNotFoundError):
        return f'there is no model "{name}" at {hub}, or it is private: then set HF_TOKEN for this command'
    if isinstance(error, RevisionNotFoundError):
        return f"{name} has no such revision at {hub}"
    if isinstance(error, HfHubHTTPError) and isinstance(error, EntryNotFoundError):
        return f"{name} lacks a file that is needed, {CONFIG} most likely: no model of the kind that is used here"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{folder}: no room for {name} ({error.strerror}): free some disk; nothing of it was kept"
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
        return f"{folder}: cannot be written to ({error.strerror})"
    if isinstance(error, HfHubHTTPError):
        return f"{hub} answered {error.response.status_code} when asked for {name}: try again later"
    return f"{hub} cannot be reached, or broke off ({type(error).__name__}): nothing of {name} was kept"
