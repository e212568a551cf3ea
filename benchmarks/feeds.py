"""What a thousand feeds cost: python -m benchmarks.feeds [--feeds 1000] [--hours 3].

Each feed lives on a port of its own on loopback and changes at the rate of one of the recorded live feeds. Time is
quickened: the clock jumps from one due poll to the next, and every poll is a real one (HTTP, worker process, judgement,
store, state). CPU of those hours, by the length of those hours, is the share of one core; to it comes what a real
daemon over the same sources costs while none is due. Half of the servers honour ETags; the others change a byte in
every answer, so that each of theirs is parsed: real feeds lie in between. Needs $EARSHOT_SHARED or ../shared/data.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from zoneinfo import ZoneInfo

from config.load import load
from listener.apart import READING
from listener.feeds import Setting, parse_feed
from listener.house import House, open_house
from listener.rhythm import weekly_at_first

ITEM = re.compile(r"<(item|entry)\b.*?</\1>", re.DOTALL)
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Published:
    """One feed as its server shows it: the recorded text, with new items in front as time goes by."""

    text: str
    weekly: float
    honest: bool  # keeps ETags
    dice: random.Random
    due: float = 0.0
    version: int = 0
    answers: int = 0
    items: list[str] = field(default_factory=list)

    def at(self, now: float) -> bytes:
        while self.weekly and now >= self.due:
            self.publish(now) if self.due else None
            self.due = max(self.due, now) + self.dice.expovariate(self.weekly / (7 * 86400))
        self.answers += 1
        text = self.text if self.honest else f"{self.text}<!-- {self.answers} -->"
        return text.encode("utf-8", "replace")

    def publish(self, now: float) -> None:
        found = list(ITEM.finditer(self.text))
        if not found:
            return
        self.version += 1
        stamp = format_datetime(datetime.fromtimestamp(now, UTC))
        new = re.sub(r"(<(?:guid|id|link|title)\b[^>]*>)", rf"\g<1>n{self.version}-", found[0][0])
        new = re.sub(r"(<(?:pubDate|published|updated|dc:date)>)[^<]*", rf"\g<1>{stamp}", new)
        first, last = found[0].start(), found[-1]
        self.text = self.text[:first] + new + self.text[first : last.start()] + self.text[last.end() :]


def read_recorded(folder: Path) -> list[tuple[str, float]]:
    """Every recorded live feed, and how many posts a week it had when it was taken."""
    made = []
    for file in sorted(folder.glob("*.feed")):
        body = file.read_bytes()
        items = parse_feed(body, None, Setting("x", "https://x.example/", ZoneInfo("UTC"), datetime.now(UTC))).items
        dates = [item.published_at for item in items if item.published_at]
        newest = max(dates, default=datetime.now(UTC))
        month = [at for at in dates if at > newest - timedelta(days=28)]
        weekly = max(weekly_at_first(dates, newest), len(month) / 4)
        made.append((re.sub(r"<\?xml[^>]*\?>", "", body.decode("utf-8", "replace")), weekly))
    return made


def serve(feeds: int, recorded: list[tuple[str, float]], now: Synchronized[float], ports: object) -> None:
    """A process that serves every feed on a port of its own."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    asyncio.run(_serve(feeds, recorded, now, ports))


async def _serve(feeds: int, recorded: list[tuple[str, float]], now: Synchronized[float], ports: object) -> None:
    servers = []
    for number in range(feeds):
        text, weekly = recorded[number % len(recorded)]
        own = re.sub(r"(<(?:guid|id|link)\b[^>]*>)(?:https?://)?", rf"\g<1>https://n{number}.example/", text)
        shown = Published(own, weekly, number % 2 == 0, random.Random(number))
        servers.append(await asyncio.start_server(_answers(shown, now), "127.0.0.1", 0, backlog=8))
    ports.send([server.sockets[0].getsockname()[1] for server in servers])  # type: ignore[attr-defined]
    await asyncio.Event().wait()


def _answers(shown: Published, now: Synchronized[float]):  # type: ignore[no-untyped-def]
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                body = shown.at(now.value)
                etag = f'"{shown.version}"'
                if "GET /robots.txt" in head:
                    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                elif shown.honest and f"If-None-Match: {etag}".lower() in head.lower():
                    writer.write(f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n".encode())
                else:
                    told = f"ETag: {etag}\r\n" if shown.honest else ""
                    writer.write(f"HTTP/1.1 200 OK\r\n{told}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    return answer


@contextmanager
def serving(feeds: int, recorded: list[tuple[str, float]], now: Synchronized[float]) -> Iterator[list[int]]:
    """The ports of the feeds, while they are served."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(feeds, recorded, now, theirs), daemon=True
    )
    process.start()
    yield ours.recv()
    process.terminate()
    process.join()


def cpu_of(pid: int) -> float:
    """Seconds of CPU a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_of(pid: int) -> float:
    """Megabytes a process holds."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text("ascii"))
    return int(found[1]) / 1024 if found else 0.0


def cpu() -> float:
    """Seconds of CPU of this process and of the one that reads."""
    return time.process_time() + (cpu_of(READING.pid) if READING.pid else 0.0)


@dataclass
class Run:
    """What some hours of polling came to."""

    polls: int = 0
    new: int = 0
    failed: int = 0
    cpu: float = 0.0


def play(house: House, clock: Synchronized[float], until: float) -> Run:
    """Poll what is due, and jump to what is due next, until then."""
    done, began = Run(), cpu()
    while True:
        due = house.state.due_sources(house.clock(), 8)
        for row in due:
            poll = house.poll(row.name)
            if poll is not None:
                done.polls += 1
                done.new += poll.new
                done.failed += poll.outcome != "ok"
        if due:
            continue
        then = house.state.next_due_at()
        if then is None or then.timestamp() > until:
            clock.value = until
            break
        clock.value = max(clock.value, then.timestamp())
    done.cpu = cpu() - began
    return done


def judge(house: House) -> tuple[int, float]:
    """Let the model judge what waits for it, as it does behind the polling; how many, and seconds of CPU."""
    count, began = 0, cpu()
    while done := house.assess_pending(64):
        count += done
    return max(1, count), cpu() - began


def idle_daemon(config: Path, seconds: int) -> tuple[float, float]:
    """Share of one core, and megabytes, of a real daemon while nothing is due."""
    command = [sys.executable, "-m", "listener.cli", "daemon", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon:
        time.sleep(20)  # its start is no part of it
        began, before = time.monotonic(), cpu_of(daemon.pid)
        time.sleep(seconds)
        used, memory = cpu_of(daemon.pid) - before, memory_of(daemon.pid)
        passed = time.monotonic() - began
        daemon.send_signal(signal.SIGTERM)
    return used / passed, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=3)
    parser.add_argument("--idle", type=int, default=60, help="seconds a real daemon is watched while nothing is due")
    asked = parser.parse_args()
    shared = Path(os.environ.get("EARSHOT_SHARED") or Path(__file__).parent.parent.parent / "shared" / "data")
    recorded = read_recorded(shared / "recorded/feeds/real2026")
    now = multiprocessing.get_context("spawn").Value("d", time.time())
    with tempfile.TemporaryDirectory() as folder, serving(asked.feeds, recorded, now) as ports:
        config = write_settings(Path(folder), ports)
        house = open_house(load(config, {}), lambda: datetime.fromtimestamp(now.value, UTC))
        first = play(house, now, now.value + 1)
        began = now.value
        later = play(house, now, began + asked.hours * 3600)
        judged = judge(house)
        memory, apart = memory_of(os.getpid()), memory_of(READING.pid or os.getpid())
        house.close()
        idle, daemon_memory = idle_daemon(config, asked.idle)
    share, weekly = later.cpu / (asked.hours * 3600), sum(rate for _, rate in recorded) / len(recorded)
    print(f"{asked.feeds} feeds on as many ports, {weekly:.1f} posts a week each")
    print(f"first look: {first}")
    print(f"{asked.hours:g} hours after it: {later}")
    print(f"polling: {share:.1%} of one core, {1000 * later.cpu / max(1, later.polls):.1f} ms a poll")
    print(f"judging {judged[0]} of the first look and later by the model: {1000 * judged[1] / judged[0]:.1f} ms each")
    print(f"a real daemon with nothing due: {idle:.1%} of one core, {daemon_memory:.0f} MB")
    print(f"together {share + idle:.1%} of one core; at most {memory:.0f} MB, and {apart:.0f} MB where feeds are read")


def free_port() -> int:
    """One that nobody listens at now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def write_settings(folder: Path, ports: list[int]) -> Path:
    """The settings of a daemon over all of them."""
    allow = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
    tables = [f'[[sources]]\nname = "feed {n}"\nkind = "feed"\nurl = "http://127.0.0.1:{port}/feed"\nvoice = "press"\n'
              for n, port in enumerate(ports)]  # fmt: skip
    config = folder / "earshot.toml"
    health = f"[health]\nport = {free_port()}\n"
    config.write_text(f'data = "{folder}/data"\n[fetch]\nallow = [{allow}]\n{health}' + "".join(tables), "utf-8")
    return config


if __name__ == "__main__":
    main()
