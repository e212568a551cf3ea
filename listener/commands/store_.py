"""`earshot store`: what the store holds, into another store, into a snapshot and back."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from config.settings import Settings
from listener.acts import note_act
from listener.backfill import forget_backfills
from listener.burying import BURY_AGAIN, Deleted, bury_again
from listener.copying import Copied, copy_all
from listener.lock import hold, prepare_directory, refuse_exercise
from listener.start import read_settings, read_store
from mentions.failures import TemporaryFailure, UserError
from mentions.sqlstate import open_state
from mentions.stores import open_store

HELP = "the mention store: what it holds, copy it into another, keep and restore snapshots"
EXAMPLE = "earshot store copy --from sqlite:earshot-data/mentions.db --to elasticsearch:http://127.0.0.1:9200"


def arrange(parser: argparse.ArgumentParser) -> None:
    """What to do, whence and whereto."""
    parser.add_argument("act", choices=sorted(ACTS), help="status, copy, snapshot or restore")
    parser.add_argument(
        "--from", dest="source", metavar="URL|PATH", help="copy: the store to copy; restore: the snapshot"
    )
    parser.add_argument("--to", dest="target", metavar="URL|PATH", help="copy: the other store; snapshot: where to")
    parser.add_argument("--replace", action="store_true", help="restore: even where that throws mentions away")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do it; 1 where a copy is not what it was to be."""
    wanted = {"copy": ("source", "target"), "snapshot": ("target",), "restore": ("source",)}.get(args.act, ())
    for name, option in (("source", "--from"), ("target", "--to")):
        if (name in wanted) != (getattr(args, name) is not None):
            raise UserError(f"store {args.act} {'needs' if name in wanted else 'takes no'} {option}; see {EXAMPLE}")
    return ACTS[args.act](args, read_settings(args))


def tell_status(args: argparse.Namespace, settings: Settings) -> int:
    """What is held."""
    with closing(open_store(settings.store, readonly=True)) as store:
        held = store.status()
    told = {
        "url": held.url,
        "schema": held.schema,
        "mentions": held.mentions,
        "oldest_at": held.oldest_at.isoformat() if held.oldest_at else None,
        "newest_at": held.newest_at.isoformat() if held.newest_at else None,
        "pending": held.pending,
        "bytes_on_disk": held.bytes_on_disk,
        "doubt": held.doubt,
    }
    if args.json:
        print(json.dumps(told, ensure_ascii=False))
        return 0
    print(f"store     {held.url} (schema {held.schema})")
    print(f"mentions  {held.mentions:,}, of which {held.pending:,} wait for a later judgement")
    if held.oldest_at and held.newest_at:
        print(f"published {held.oldest_at:%Y-%m-%d %H:%M} to {held.newest_at:%Y-%m-%d %H:%M} UTC")
    print(f"on disk   {held.bytes_on_disk / 1e6:,.1f} MB")
    print(f"health    {held.doubt or 'nothing amiss'}")
    return 0


def copy(args: argparse.Namespace, settings: Settings) -> int:
    """All mentions into another store, and the proof."""
    source, target = read_store(args.source), read_store(args.target)
    if source == target:
        raise UserError(f"both ends are {source}: name two different stores")
    for url in (source, target):
        refuse_exercise(Path(url.partition(":")[2]).parent) if url.startswith("sqlite:") else None
    prepare_directory(settings.data)
    with closing(open_store(source, readonly=True)) as here, closing(open_store(target)) as there:
        count = here.status().mentions
        note_act(settings, "store copy", {"from": source, "to": target, "mentions": count})
        with closing(open_state(settings.state)) as state:
            deleted = Deleted(state)  # a snapshot from before must not bring their words back
        with (
            tqdm(total=count, unit="mention", desc="copy", disable=None, file=sys.stderr) as copying,
            tqdm(total=count, unit="mention", desc="check", disable=None, file=sys.stderr) as checking,
        ):

            def tell(failure: TemporaryFailure) -> None:
                copying.set_postfix_str("waiting for the store")
                print(f"earshot store: {failure}", file=sys.stderr)

            bars = {"copy": copying, "check": checking}
            done = copy_all(here, there, lambda stage, more: bars[stage].update(more), tell, deleted.without_words)
    tell_copied(done, as_json=args.json)
    return 0 if done.equal else 1


def tell_copied(done: Copied, *, as_json: bool) -> None:
    """What was copied, and whether it is there."""
    if as_json:
        told = {"copied": done.written, "there_before": done.there_before, "others": done.others, "equal": done.equal}
        ends = {"from": done.sent, "to": done.found}
        print(json.dumps(told | {end: {"count": each.count, "hash": each.hash} for end, each in ends.items()}))
        return
    print(f"copied {done.written:,}, there before {done.there_before:,}; the target has {done.others:,} others")
    print(f"from {done.sent.count:,} mentions  {done.sent.hash}")
    print(f"to   {done.found.count:,} mentions  {done.found.hash}")
    if done.equal:
        print("equal: every mention is there as it was")
    else:
        print("NOT equal: something else wrote to the target meanwhile, or has newer copies; run it again and compare")


def take_snapshot(args: argparse.Namespace, settings: Settings) -> int:
    """A copy of the whole store at one moment."""
    kind, _, path = settings.store.partition(":")
    prepare_directory(settings.data)
    note_act(settings, "store snapshot", {"store": settings.store, "to": args.target})
    if kind == "sqlite":
        from mentions.stores.sqlite_snapshots import take_snapshot as take

        to = Path(args.target).expanduser().absolute()
        take(Path(path), to)
        told = str(to)
    else:
        from mentions.stores.elastic import ElasticStore

        with closing(ElasticStore(settings.store)) as store:
            told = f"{args.target} ({store.take_snapshot(args.target)})"
    print(json.dumps({"snapshot": told}) if args.json else f"snapshot of {settings.store} kept in {told}")
    return 0


def restore_snapshot(args: argparse.Namespace, settings: Settings) -> int:
    """The store as it was; no daemon may be at work on the data."""
    refuse_exercise(settings.data)
    kind, _, path = settings.store.partition(":")
    with hold(settings.data):
        note_act(settings, "store restore", {"store": settings.store, "from": args.source, "replace": args.replace})
        with closing(open_state(settings.state)) as state:
            state.put(BURY_AGAIN, "yes")  # what was deleted since the snapshot was taken must not come back with it
        if kind == "sqlite":
            from mentions.stores.sqlite_snapshots import restore_snapshot as restore

            restore(Path(path), Path(args.source).expanduser().absolute(), replace=args.replace)
        else:
            from mentions.stores.elastic import ElasticStore

            with closing(ElasticStore(settings.store)) as store:
                store.restore_snapshot(args.source, replace=args.replace)
        with closing(open_state(settings.state)) as state:
            forget_backfills(state, settings.store)  # watchlists may be newer than what came back
            with closing(open_store(settings.store)) as store:
                buried = bury_again(store, state)
                count = store.status().mentions
    again = f", {buried:,} of which were deleted since and are tombstones again" if buried else ""
    told = {"mentions": count, "buried_again": buried}
    print(json.dumps(told) if args.json else f"restored: {settings.store} holds {count:,} mentions{again}")
    return 0


ACTS = {"status": tell_status, "copy": copy, "snapshot": take_snapshot, "restore": restore_snapshot}
