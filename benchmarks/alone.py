"""The service alone, with the servers that it needs, under load from several sides at once."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients import Client, client_of, finished_reports
from benchmarks.contestants import Contestant
from benchmarks.load import Answered, Load, put
from stack.assembly import Stack
from stack.postgres import Postgres
from stack.process import Service, ServiceStopError
from stack.valkey import Valkey

SHED = 503


@dataclass(frozen=True)
class Alone:
    """The service with its web and worker processes at work, a client, and reports of it that are final."""

    service: Contestant
    client: Client
    reports: Sequence[str]
    shared: Sequence[Service]

    def submissions(self, *, seconds: float, rate: float | None = None, connections: int = 16) -> Load:
        """Return a load of new actions of two tasks."""
        return Load(self.client.port, [self.client.accept()], seconds=seconds, rate=rate, connections=connections)

    def polls(self, *, seconds: float, rate: float) -> Load:
        """Return a load of questions for reports."""
        requests = [self.client.poll(path) for path in self.reports]
        return Load(self.client.port, requests, seconds=seconds, rate=rate, connections=4)

    def unfinished(self) -> int:
        """Return how many actions are not final."""
        return int(self.service.manage(code=_UNFINISHED))


@contextmanager
def alone(**settings: str) -> Iterator[Alone]:
    """Start it, with these settings as environment variables."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user where root starts it
    postgres = Postgres(folder / "data", log=folder / "postgres.log")
    valkey = Valkey(folder / "valkey", log=folder / "valkey.log")
    started: list[Service] = [postgres, valkey]
    try:
        Stack(started).start()
        service = Contestant(
            "service", "config.settings", folder=folder, postgres=postgres, valkey=valkey, number=0, **settings
        )
        started += [service.web, service.worker]
        service.web.start()
        service.worker.start()
        client = client_of(service)
        yield Alone(service, client, finished_reports(service, client), (postgres, valkey))
    finally:
        for process in reversed(started):
            with suppress(ServiceStopError):
                process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def put_together(submissions: Load, polls: Load) -> tuple[Answered, Answered]:
    """Put both loads on at the same time."""
    with ThreadPoolExecutor() as threads:
        submitted = threads.submit(put, submissions, status=202, or_else=SHED)
        polled = threads.submit(put, polls, status=200)
        return submitted.result(), polled.result()


_UNFINISHED = """
from reports.models import AsyncActionReport
print(AsyncActionReport.objects.filter(parent=None, finished_at=None).count())
"""
