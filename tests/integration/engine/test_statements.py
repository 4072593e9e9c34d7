"""What each step of an action costs: statements to the database, as they are now. Each more is paid for every task."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery import group
from celery.canvas import Signature
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reports import acceptance, claiming, execution, selectors, waiting, workers
from reports.attempts import Claim
from reports.failure import Failure
from reports.handover import Dispatch
from reports.requests import Identity, Request
from services import actions
from stack.valkey import Valkey
from tasks.canvas import plan_of
from tests.actions import outcomes

pytestmark = pytest.mark.usefixtures("transactional_db")

_FAILURE = Failure("wrong", "WrongError", "It is wrong.", "outcomes.succeed", "Traceback …")
_FRAME = ("BEGIN", "COMMIT")


@pytest.fixture
def client_id() -> int:
    return int(get_user_model().objects.create(username="ada").pk)


@contextmanager
def _costs(*expected: str) -> Iterator[None]:
    """See that what runs here takes these statements, of which the first word is named."""
    with CaptureQueriesContext(connection) as queries:
        yield
    sent = [query["sql"].split()[0].rstrip(";") for query in queries]
    assert sent == list(expected), "\n".join(query["sql"] for query in queries)


def _accepted(*signatures: Signature) -> list[Dispatch]:
    """Have an action accepted and not published: no worker takes part."""
    _, dispatches = acceptance.accept(action="test", plan=plan_of(signatures), parameters={}, requested_by=None)
    return dispatches


def _claimed(dispatch: Dispatch) -> Claim:
    claim = claiming.claim(dispatch.id, task=dispatch.task, worker="test")
    assert claim is not None
    return claim


def _in_transaction(*statements: str) -> tuple[str, ...]:
    begin, commit = _FRAME
    return begin, *statements, commit


def _succeed(result: Any = None) -> Signature:
    return outcomes.succeed.s(result)


def test_requesting_an_action(valkey: Valkey) -> None:
    plan = plan_of([_succeed(), _succeed()])
    with _costs(*_in_transaction("INSERT", "INSERT")):
        actions.request("test", plan, parameters={}, requested_by=None)


def _with_key(key: str, *, asks: str = "this") -> Request:
    return Request.of("test", plan_of([_succeed()]), parameters={}, identity=Identity(key, asks))


def test_a_key_costs_nothing_where_it_is_new(valkey: Valkey, client_id: int) -> None:
    with _costs(*_in_transaction("INSERT", "INSERT")):
        actions.request_all([_with_key("k")], requested_by=client_id)


def test_a_key_that_is_known_costs_looking_at_its_report(valkey: Valkey, client_id: int) -> None:
    actions.request_all([_with_key("k")], requested_by=client_id)
    # The plan went along, and is taken out again.
    with _costs(*_in_transaction("INSERT", "INSERT", "DELETE", "SELECT")):
        actions.request_all([_with_key("k")], requested_by=client_id)
    with _costs(*_in_transaction("INSERT", "INSERT", "DELETE", "SELECT")):
        actions.request_all([_with_key("k", asks="that")], requested_by=client_id)


def test_a_large_plan_waits_until_its_key_is_known_to_be_new(valkey: Valkey, client_id: int) -> None:
    plan = plan_of([group([_succeed() for _ in range(21)])])
    request = Request.of("test", plan, parameters={}, identity=Identity("k", "this"))
    with _costs(*_in_transaction("INSERT", "INSERT")):
        acceptance.accept_all([request], requested_by=client_id)
    with _costs(*_in_transaction("INSERT", "SELECT")):
        acceptance.accept_all([request], requested_by=client_id)


def test_requesting_a_thousand_actions_takes_two_statements_for_400(valkey: Valkey, client_id: int) -> None:
    requests = [_with_key(f"k{number}") for number in range(1000)]
    with _costs(*_in_transaction(*["INSERT"] * 6)):
        _, dispatches = acceptance.accept_all(requests, requested_by=client_id)
    assert len(dispatches) == 1000
    with _costs(*_in_transaction("INSERT", "INSERT", "INSERT", "SELECT", "SELECT")):
        acceptance.accept_all(requests, requested_by=client_id)


def test_requesting_a_thousand_tasks_takes_a_statement_for_400(valkey: Valkey) -> None:
    plan = plan_of([group([_succeed() for _ in range(1000)])])
    with _costs(*_in_transaction("INSERT", "INSERT", "INSERT", "INSERT")):
        _, dispatches = acceptance.accept(action="test", plan=plan, parameters={}, requested_by=None)
    assert len(dispatches) == 1000


def _claiming(*, begins: bool = False) -> tuple[str, ...]:
    """The first claim starts the action as well; by the same statement, but in SQLite."""
    if connection.vendor == "postgresql":
        return ("WITH",)
    return ("UPDATE", "UPDATE") if begins else ("UPDATE",)


def test_claiming() -> None:
    [first] = _accepted(_succeed(), _succeed())
    with _costs(*_claiming(begins=True)):
        claim = _claimed(first)
    with _costs():
        claiming.arguments_of(claim)
    [second] = execution.succeed(claim, 1)
    with _costs(*_claiming()):
        claim = _claimed(second)
    with _costs():  # what the first one returned came with the claim
        assert claiming.arguments_of(claim) == (1, None)


def test_claiming_in_vain() -> None:
    [first] = _accepted(_succeed())
    _claimed(first)
    with _costs(*_claiming()):
        assert claiming.claim(first.id, task=first.task, worker="test") is None


def _succeeding(*, following: int = 0) -> tuple[str, ...]:
    """The lock and all the rest in one go; in SQLite the tree's count, the task, its parent, and what follows."""
    if connection.vendor == "postgresql":
        return ("SELECT", "WITH")
    return _in_transaction("UPDATE", "UPDATE", "UPDATE", *["UPDATE"] * following)


def test_succeeding() -> None:
    [first] = _accepted(_succeed(), _succeed())
    claim = _claimed(first)
    with _costs(*_succeeding(following=1)):
        [second] = execution.succeed(claim, 1)
    claim = _claimed(second)
    with _costs(*_succeeding()):
        assert execution.succeed(claim, 2) == []


def test_succeeding_in_a_group_does_not_depend_on_its_size() -> None:
    first, *_ = _accepted(group([_succeed() for _ in range(50)]), _succeed())
    claim = _claimed(first)
    with _costs(*_succeeding()):
        execution.succeed(claim, 1)


def test_starting_many_takes_one_statement() -> None:
    [first] = _accepted(_succeed(), group([_succeed() for _ in range(50)]))
    claim = _claimed(first)
    with _costs(*_succeeding(following=1)):
        assert len(execution.succeed(claim, 1)) == 50


def test_expanding() -> None:
    [first] = _accepted(_succeed())
    claim = _claimed(first)
    with _costs(*_in_transaction("UPDATE", "UPDATE", "INSERT")):
        execution.expand(claim, plan_of([_succeed(), _succeed()]))


@pytest.mark.parametrize(
    ("end", "statements"),
    [
        # The task's errors so far, the root's lock, the task, its parent (the root), and all that waits.
        (lambda claim: execution.fail(claim.id, claim.attempt, _FAILURE), ["SELECT", "SELECT", *["UPDATE"] * 3]),
        (
            lambda claim: execution.put_off(claim.id, claim.attempt, _FAILURE, delay=1),
            ["SELECT", "SELECT", "UPDATE"],
        ),
    ],
    ids=["fail", "put off"],
)
def test_failing(end: Callable[[Claim], None], statements: list[str]) -> None:
    [first] = _accepted(_succeed(), _succeed(), _succeed())
    claim = _claimed(first)
    with _costs(*_in_transaction(*statements)):
        end(claim)


def test_reporting_progress() -> None:
    [first] = _accepted(_succeed())
    claim = _claimed(first)
    with _costs("UPDATE", "UPDATE"):
        execution.report_progress(claim, {"current": 1, "total": 2, "message": ""})


def test_asking_whether_one_is_wanted() -> None:
    [first] = _accepted(_succeed())
    claim = _claimed(first)
    with _costs("SELECT"):
        execution.check(claim)


def test_reading_a_report() -> None:
    [first] = _accepted(_succeed())
    claim = _claimed(first)
    with _costs("SELECT"):
        selectors.find(claim.root, owner=None)
    execution.succeed(claim, 1)
    with _costs("SELECT"):
        report = selectors.find(claim.root, owner=None)
    assert report is not None
    assert report.result == 1


def test_taking_what_is_due_and_stamping_heartbeats() -> None:
    [first] = _accepted(_succeed())
    claim = _claimed(first)
    with _costs("WITH"):
        assert waiting.take_due(200) == []
    with _costs("UPDATE"):
        assert waiting.beat([claim.id], worker="test") == []
    with _costs(*_in_transaction("WITH")):
        assert waiting.take_stale(200) == []


def test_saying_that_a_worker_is_there() -> None:
    for _ in range(2):
        with _costs("INSERT"):
            workers.show_up("test", queues=["one", "two"], processes=4)
