"""What is measured, each for one contestant at a time. Names of values are ``<what> <contestant>``."""

import time
from threading import Event, Thread
from uuid import UUID

from benchmarks.contestants import Contestant, cpu_seconds, memory
from benchmarks.field import Field
from benchmarks.load import Answered, Load, put
from benchmarks.rounds import Rounds
from benchmarks.sizes import Sizes
from stack.process import Service

_LOOK = 0.01  # seconds
_DRAIN_PATIENCE = 300.0
_SERVICES = ("service", "full")


def poll(field: Field, rounds: Rounds, sizes: Sizes) -> None:
    """Read finished reports as often as one can, whole and, where there are entity tags, unchanged."""
    for name, contestant in field.contestants.items():
        client = field.clients[name]
        requests = [client.poll(path) for path in field.reports[name]]
        load = Load(client.port, requests, seconds=sizes.poll_seconds)
        _put(field, rounds, contestant, load, "poll", status=200)
        tag = field.connection(name).etag_of(field.reports[name][0])
        if tag is not None:
            tags = [field.connection(name).etag_of(path) or "" for path in field.reports[name]]
            requests = [client.poll_unchanged(path, tag) for path, tag in zip(field.reports[name], tags, strict=True)]
            load = Load(client.port, requests, seconds=sizes.poll_seconds)
            _put(field, rounds, contestant, load, "poll 304", status=304)
    constant = Load(field.clients["floor"].port, [field.clients["floor"].poll("/")], seconds=sizes.poll_seconds)
    answered = put(constant, status=200)
    rounds.note("constant view floor", answered.per_second)
    rounds.note("generator's share of a core", answered.own_cpu / answered.seconds)


def accept_and_complete(field: Field, rounds: Rounds, sizes: Sizes) -> None:
    """Have a backlog accepted while no worker runs, then start the worker and wait until there is nothing left."""
    for name, contestant in field.contestants.items():
        _accept(field, rounds, contestant, sizes.backlog, "accept", field.clients[name].accept())
        if name == "floor":
            contestant.forget_messages()
            for path, what, count in (("/noops", "no-op", 2 * sizes.backlog), ("/chains", "chain", sizes.backlog)):
                _accept(field, rounds, contestant, count, f"start {what}", field.clients[name].accept(path))
                _drain(field, rounds, contestant, count, what)
        else:
            _drain(field, rounds, contestant, sizes.backlog, "complete")
            if name in _SERVICES:
                _require_all_final(field, name)


def run_group(field: Field, rounds: Rounds, sizes: Sizes) -> None:
    """Have one action of many tasks run, from the request until it is final."""
    for name in _SERVICES:
        contestant = field.contestants[name]
        contestant.worker.start()
        connection = field.connection(name)
        with _Watched([contestant.web, contestant.worker]) as watched:
            began = time.perf_counter()
            report = connection.post("/actions/many", {"tasks": sizes.group})
            accepted = time.perf_counter()
            connection.wait_final(f"/reports/{report['id']}", interval=0.1)
            ended = time.perf_counter()
        rounds.note(f"group accepted {name}", accepted - began)
        rounds.note(f"group {name}", sizes.group / (ended - began))
        rounds.note(f"group peak MB {name}", watched.peak)
        contestant.worker.stop()


def be_idle(field: Field, rounds: Rounds, sizes: Sizes) -> None:
    """Ask for one action at a time while nothing else goes on."""
    for name in _SERVICES:
        contestant = field.contestants[name]
        contestant.worker.start()
        connection = field.connection(name)
        ids = []
        took = []
        for _ in range(sizes.latency_samples):
            began = time.perf_counter()
            report = connection.post("/actions/pair", {"number": 7})
            connection.wait_final(f"/reports/{report['id']}", interval=0.001)
            took.append(time.perf_counter() - began)
            ids.append(UUID(report["id"]))
            time.sleep(0.01)
        rounds.note(f"idle ms {name}", _median(took) * 1000)
        rounds.note(f"hand-over ms {name}", float(contestant.manage(code=_HAND_OVER.format(ids=ids))))
        contestant.worker.stop()
    floor = field.contestants["floor"]
    floor.worker.start()
    rounds.note("idle ms chain", float(floor.manage(code=_ROUND_TRIP.format(samples=sizes.latency_samples))))
    floor.worker.stop()


def remember(field: Field, rounds: Rounds, sizes: Sizes) -> None:
    """Have the worker run tasks until each child has run many, and look at the memory on the way."""
    contestant = field.contestants["service"]
    rounds.note("memory MB web", max(memory(contestant.web)["children"]))
    contestant.worker.start()
    connection = field.connection("service")
    batches = max(10, 2 * sizes.memory_tasks // 10_000)
    seen = []
    for _ in range(batches):
        report = connection.post("/actions/many", {"tasks": 2 * sizes.memory_tasks // batches})
        connection.wait_final(f"/reports/{report['id']}", interval=0.1)
        seen.append(max(memory(contestant.worker)["children"]))
    rounds.note("memory MB child", seen[-1])
    # From when it has warmed up, a tenth of the way.
    rounds.note("memory MB growth child", seen[-1] - seen[batches // 10])
    rounds.note("memory MB worker's main process", memory(contestant.worker)["main"][0])
    contestant.worker.stop()


def _accept(field: Field, rounds: Rounds, contestant: Contestant, count: int, what: str, request: str) -> None:  # noqa: PLR0913
    load = Load(contestant.web.port, [request], count=count)
    _put(field, rounds, contestant, load, what, status=202)


def _put(field: Field, rounds: Rounds, contestant: Contestant, load: Load, what: str, *, status: int) -> Answered:  # noqa: PLR0913
    services = [contestant.web, *field.shared]
    before = cpu_seconds(services)
    answered = put(load, status=status)
    spent = cpu_seconds(services) - before
    rounds.note(f"{what} {contestant.name}", answered.per_second)
    rounds.note(f"{what} CPU ms {contestant.name}", spent / answered.answers * 1000)
    return answered


def _drain(field: Field, rounds: Rounds, contestant: Contestant, count: int, what: str) -> None:
    contestant.worker.start()
    services = [contestant.worker, *field.shared]
    before = cpu_seconds(services)
    began = time.perf_counter()
    while contestant.queued():
        if time.perf_counter() - began > _DRAIN_PATIENCE:
            raise TimeoutError(f"{contestant.name} has {contestant.queued()} messages still.")
        time.sleep(_LOOK)
    took = time.perf_counter() - began
    spent = cpu_seconds(services) - before
    rounds.note(f"{what} {contestant.name}", count / took)
    rounds.note(f"{what} CPU ms {contestant.name}", spent / count * 1000)
    time.sleep(0.2)  # what is in hand
    contestant.worker.stop()


def _require_all_final(field: Field, name: str) -> None:
    left = field.contestants[name].manage(code=_UNFINISHED)
    if left != "0":
        raise RuntimeError(f"{left} actions of {name} are not final although there is no message left.")


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


class _Watched:
    """The largest resident memory of any process of some services, in MB, while this is entered."""

    def __init__(self, services: list[Service]) -> None:
        self.peak = 0.0
        self._services = services
        self._ended = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Watched":  # noqa: PYI034
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            for service in self._services:
                seen = memory(service)
                self.peak = max(self.peak, *seen["main"], *seen["children"])


_UNFINISHED = """
from reports.models import AsyncActionReport
print(AsyncActionReport.objects.filter(action="pair", finished_at=None).count())
"""
_HAND_OVER = """
from statistics import median
from uuid import UUID
from reports.models import AsyncActionReport
rows = AsyncActionReport.objects.filter(root_id__in={ids!r}, kind="task").order_by("id")
at = {{}}
for row in rows:
    at.setdefault(row.root_id, []).append((row.started_at, row.finished_at))
print(median((second[0] - first[1]).total_seconds() * 1000 for first, second in at.values()))
"""
_ROUND_TRIP = """
import time
from statistics import median
from celery import chain
from benchmarks.alternatives.celery import app
from benchmarks.alternatives.floor.tasks import noop
took = []
for _ in range({samples}):
    began = time.perf_counter()
    chain(noop.s(7).set(ignore_result=False), noop.s().set(ignore_result=False)).apply_async().get(timeout=30)
    took.append(time.perf_counter() - began)
    time.sleep(0.01)
print(median(took) * 1000)
"""
