"""The field of a comparison: the servers that all share, the contestants, and a client of each."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients import Client, Connection, client_of, finished_reports
from benchmarks.contestants import Contestant
from benchmarks.sizes import Sizes, has_fsync
from stack.assembly import Stack
from stack.postgres import Postgres
from stack.process import Service, ServiceStopError
from stack.valkey import Valkey

_SERVICE = "config.settings"
_ALTERNATIVES = "benchmarks.alternatives"
SETTINGS = {
    "service": _SERVICE,
    "full": _SERVICE,  # the service with many reports in its table
    "floor": f"{_ALTERNATIVES}.floor.settings",
    "idiom": f"{_ALTERNATIVES}.idiom.settings",
    "talk": f"{_ALTERNATIVES}.talk.settings",
}


@dataclass(frozen=True)
class Field:
    contestants: dict[str, Contestant]
    clients: dict[str, Client]
    reports: dict[str, list[str]]
    shared: list[Service]

    def connection(self, name: str) -> Connection:
        """Return a connection of a contestant's client."""
        return Connection(self.clients[name])


@contextmanager
def prepared(sizes: Sizes) -> Iterator[Field]:
    """Start everything but the workers: each contestant has its web server, and finished reports to read."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user where root starts it
    postgres = Postgres(folder / "data", log=folder / "postgres.log", fsync=has_fsync())
    valkey = Valkey(folder / "valkey", log=folder / "valkey.log")
    started: list[Service] = [postgres, valkey]
    try:
        Stack(started).start()
        contestants = {}
        for number, (name, setting) in enumerate(SETTINGS.items()):
            contestants[name] = contestant = Contestant(
                name, setting, folder=folder, postgres=postgres, valkey=valkey, number=number
            )
            started += [contestant.web, contestant.worker]
        _fill(contestants["full"], sizes)
        field = Field(contestants, {}, {}, [postgres, valkey])
        for name, contestant in contestants.items():
            contestant.web.start()
            contestant.worker.start()
            field.clients[name] = client_of(contestant)
            field.reports[name] = finished_reports(contestant, field.clients[name])
            contestant.worker.stop()
        yield field
    except RuntimeError:
        for service in started[2:]:
            print(f"{service.log.name}:\n{service.log_tail(5)}")
        raise
    finally:
        for service in reversed(started):
            with suppress(ServiceStopError):
                service.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _fill(contestant: Contestant, sizes: Sizes) -> None:
    print(f"  {sizes.finished:,} finished and {sizes.waiting:,} waiting reports for `full`", flush=True)
    code = f"""
import os
os.environ.update(FINISHED="{sizes.finished}", WAITING="{sizes.waiting}")
from benchmarks.plans import fill_with_small_ones
fill_with_small_ones()
"""
    contestant.manage(code=code)
