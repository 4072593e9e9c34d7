"""Die at every statement, commit and publishing, before it and after it; recover; find four zeros.

The moments are found by wrapping the database and the publisher. A connection that is lost there, so that the process
goes on and does not know what was heard, and a time limit that strikes there, are tried as well.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now
from tenacity import nap

from reports import execution
from reports.acceptance import Timing
from reports.attempts import Claim
from reports.errors import AttemptLostError
from reports.failure import Failure
from reports.models import AsyncActionReport
from services import recovery
from tests.guarantees.crashes import World

Scenario = Callable[[World], None]
AGAIN = ["work", {"again": True}]
FLAKY = ["work", {"again": True, "flaky": 1}]
FAILS = ["work", {"again": True, "fails": True}]
HOUR = timedelta(hours=1)


def _running(canvas: list[Any]) -> Scenario:
    def run(world: World) -> None:
        world.request(canvas)
        world.work()

    return run


def _cancel(world: World) -> None:
    root = world.request(["sequence", ["group", AGAIN, AGAIN], AGAIN])
    world.work(1)
    world.cancel(root)
    world.work()


def _resume(world: World) -> None:
    root = world.request(["sequence", ["grow", AGAIN, {"again": True}], ["group", FAILS, AGAIN], AGAIN])
    world.work()
    world.resume(root)
    world.work()


def _resume_in_flight(world: World) -> None:
    root = world.request(["sequence", ["group", AGAIN, AGAIN], AGAIN])
    claim = world.claim()
    world.cancel(root)
    world.resume(root)
    if claim:
        world.finish(claim, 1)
    world.work()


def _rescue(world: World) -> None:
    world.request(["sequence", AGAIN, AGAIN])
    world.claim()
    world.recover()


def _give_up(world: World) -> None:
    world.request(["sequence", ["group", ["work"], ["work"]], ["work"]])
    world.claim()
    world.recover()


def _expire(world: World) -> None:
    world.request(["sequence", AGAIN, AGAIN], Timing(not_before=now() + HOUR, expires_at=now() - HOUR))
    world.recover()


def _run_out_of_time(world: World) -> None:
    world.request(["sequence", AGAIN, AGAIN, AGAIN], Timing(time_budget=0.0))
    world.work(1)
    world.recover()


SCENARIOS: dict[str, Scenario] = {
    "chain": _running(["sequence", AGAIN, ["group"], AGAIN]),
    "group": _running(["sequence", ["group", AGAIN, ["sequence", AGAIN, AGAIN]], AGAIN]),
    "fan-out": _running(["sequence", ["grow", ["group", AGAIN, AGAIN], {"again": True}], AGAIN]),
    "retry": _running(["sequence", FLAKY, AGAIN]),
    "failure": _running(["sequence", ["group", FAILS, AGAIN], AGAIN]),
    "undeclared": _running(["sequence", ["work"], ["group", ["work"], ["work"]]]),
    "cancel": _cancel,
    "resume": _resume,
    "resume with a task in flight": _resume_in_flight,
    "rescue": _rescue,
    "give up": _give_up,
    "expire": _expire,
    "run out of time": _run_out_of_time,
}
DEATHS = ("death", "death and a wiped broker")
# Where the outcome depends on the moment: a cancellation, a retry or a deadline may come too late, or never.
OPEN = {"cancel", "resume", "resume with a task in flight", "undeclared", "give up", "run out of time"}


@pytest.fixture(autouse=True)
def _at_once(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have leases, intervals and waits pass in no time."""
    settings.RECOVERY_LEASE = 0.0
    settings.RECOVERY_REPUBLISH_AFTER = 0.001
    settings.RECOVERY_REPUBLISH_MAX = 0.002
    monkeypatch.setattr(recovery, "_MESSAGE_UNDERWAY", 0.0)
    monkeypatch.setattr(nap.time, "sleep", lambda _: None)
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("disturbance", [*DEATHS, "lost connection", "time limit"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_four_zeros_whatever_the_moment(transactional_db: None, name: str, disturbance: str) -> None:
    if disturbance == "lost connection" and connection.vendor == "sqlite":
        pytest.skip("SQLite has no connection that could be lost.")
    undisturbed = _played(name)
    expected = undisturbed.outcomes()
    assert not undisturbed.faults()
    wrong = []
    for chosen in range(undisturbed.length):
        world = _played(name, disturbance, chosen)
        moment = f"{disturbance} {world.moments.name_of(chosen)} ({chosen})"
        if faults := world.faults():
            wrong.append(f"{moment}: {faults}")
        is_open = name in OPEN or disturbance == "time limit"
        if not is_open and world.outcomes() not in ([], expected):
            wrong.append(f"{moment}: {world.outcomes()} is not {expected}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("disturbance", [*DEATHS, "lost connection"])
def test_requests_that_are_repeated_are_accepted_once(
    transactional_db: None, django_user_model: Any, disturbance: str
) -> None:
    """Have a client repeat what it got no answer to, with the same keys."""
    if disturbance == "lost connection" and connection.vendor == "sqlite":
        pytest.skip("SQLite has no connection that could be lost.")
    client = django_user_model.objects.create(username="client")

    def ask(world: World) -> None:
        world.request_by_key(client.pk, ["sequence", AGAIN, AGAIN], AGAIN)
        world.work()

    undisturbed = _played_twice(ask, World())
    assert undisturbed.length > 20
    for chosen in range(undisturbed.length):
        world = _played_twice(ask, World(disturbance, chosen))
        moment = f"{disturbance} {world.moments.name_of(chosen)} ({chosen})"
        assert not world.faults(), moment
        assert world.outcomes() == undisturbed.outcomes(), moment


def _played_twice(scenario: Scenario, world: World) -> World:
    AsyncActionReport.objects.all().delete()
    world.play(scenario)
    world.play(scenario)
    return world


def test_moments_are_found(transactional_db: None) -> None:
    """Keep the wrapping honest: it must see every kind of moment that there is."""
    names = _played("fan-out").moments.names
    assert sum(name.startswith("before INSERT INTO") for name in names) == 3  # the root, its plan, what was returned
    # A hand-over in one go has no COMMIT of its own.
    assert sum(name == "before COMMIT" or name.startswith("before WITH turn AS") for name in names) >= 5
    assert sum(name == "before publishing trials.work_again" for name in names) == 3
    assert {"after publishing trials.grow_again", "in the task: begins", "in the task: ends"} <= set(names)


def _played(name: str, disturbance: str = "", chosen: int | None = None) -> World:
    AsyncActionReport.objects.all().delete()
    world = World(disturbance, chosen)
    world.play(SCENARIOS[name])
    return world


FAILURE = Failure("late", "LateError", "Too late.", "trials.work_again", "")
LATE: dict[str, Callable[[Claim], Any]] = {
    "succeeds": lambda claim: execution.succeed(claim, 99),
    "fails": lambda claim: execution.fail(claim.id, claim.attempt, FAILURE),
    "is put off": lambda claim: execution.put_off(claim.id, claim.attempt, FAILURE, delay=0),
    "shows its progress": lambda claim: execution.report_progress(claim, {"current": 1}),
    "asks": execution.check,
}


@pytest.mark.parametrize("deed", LATE.values(), ids=LATE)
@pytest.mark.parametrize("canvas", [["work"], AGAIN], ids=["was given up", "ran elsewhere"])
def test_a_zombie_changes_nothing_and_learns_it(
    transactional_db: None, canvas: list[Any], deed: Callable[[Claim], Any]
) -> None:
    claims = []

    def be_frozen(world: World) -> None:
        world.request(["sequence", canvas, AGAIN])
        claims.append(world.claim())

    world = World()
    world.play(be_frozen)
    before = list(AsyncActionReport.objects.order_by("id").values())
    with pytest.raises(AttemptLostError):
        deed(claims[0])
    assert list(AsyncActionReport.objects.order_by("id").values()) == before
    assert not world.faults()
