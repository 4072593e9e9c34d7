"""G1: 202 is sent only after the report and its whole plan are committed. Whatever then dies, the action still runs."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

from reports.models import AsyncActionReport, Kind, Status
from tests.guarantees.ground import ProvingGround
from tests.guarantees.refusal import refusing

CANVAS = ["sequence", ["work"], ["group", ["work"], ["work"]], ["work"]]
RESULT = 5
# Seconds that a client may wait for its 202 while the broker is away.
_BOUND = 10


def test_the_whole_plan_is_there_when_the_client_is_told(ground: ProvingGround) -> None:
    ground.stack.worker.kill()
    root = ground.request(CANVAS)
    kinds = list(AsyncActionReport.objects.filter(root_id=root).order_by("id").values_list("kind", flat=True))
    assert kinds == [Kind.CHAIN, Kind.TASK, Kind.GROUP, Kind.TASK, Kind.TASK, Kind.TASK]
    ground.stack.worker.start()
    ground.assert_four_zeros()
    ground.assert_ok(root, RESULT)


def test_what_is_not_committed_is_not_accepted(ground: ProvingGround) -> None:
    with refusing("INSERT", at_commit=True):
        answer = ground.post(CANVAS)
        assert answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR
    assert not AsyncActionReport.objects.exists()
    assert ground.count("begins") == 0


@pytest.mark.parametrize("how", ["dies", "is frozen"])
def test_the_web_process_dies_between_commit_and_publishing(ground: ProvingGround, how: str) -> None:
    ground.stack.broker.pause()
    asking = threading.Thread(target=_ask, args=(ground,))
    asking.start()
    ground.wait_until(AsyncActionReport.objects.filter(parent=None).exists)
    time.sleep(0.3)  # the commit is over, the publishing hangs for longer
    if how == "is frozen":
        ground.freeze(ground.stack.web)
    else:
        ground.stack.web.kill()
    # What the web process has sent already is still in a buffer, and goes with the broker.
    ground.stack.broker.kill()
    ground.stack.broker.start()
    root = AsyncActionReport.objects.get(parent=None).id
    ground.assert_four_zeros()
    ground.assert_ok(root, RESULT)
    ground.stack.web.resume()
    asking.join()


def test_a_web_server_that_is_told_to_end_answers_first(ground: ProvingGround) -> None:
    ground.stack.valkey.pause()
    with ThreadPoolExecutor() as client:
        asking = client.submit(ground.request, CANVAS)
        ground.wait_until(AsyncActionReport.objects.filter(parent=None).exists)
        ground.stack.web.ask_to_end()  # while the publishing hangs
        root = asking.result()
    ground.wait_until(lambda: not ground.stack.web.is_running)
    ground.stack.valkey.resume()
    ground.assert_four_zeros()
    ground.assert_ok(root, RESULT)


def _ask(ground: ProvingGround) -> None:
    # The client may not hear of its action; that is the worst that happens to it.
    with suppress(httpx.HTTPError):
        ground.post(CANVAS)


def test_the_broker_is_wiped_before_any_worker_is_there(ground: ProvingGround) -> None:
    ground.stack.worker.kill()
    roots = [ground.request(CANVAS) for _ in range(5)]
    ground.wipe_broker()
    ground.stack.worker.start()
    ground.assert_four_zeros()
    for root in roots:
        ground.assert_ok(root, RESULT)


def test_the_broker_is_wiped_again_and_again(ground: ProvingGround) -> None:
    roots = [ground.request(["sequence", *[["group", ["work"], ["work"]]] * 4]) for _ in range(5)]
    for _ in range(20):
        ground.wipe_broker()
        if not ground.unfinished():
            break
    ground.assert_four_zeros()
    assert {ground.report(root).status for root in roots} == {Status.OK}


@pytest.mark.parametrize("how", ["is down", "is frozen"])
def test_the_broker_is_away_while_clients_ask(ground: ProvingGround, how: str) -> None:
    broker = ground.stack.broker
    broker.kill() if how == "is down" else broker.pause()
    answers = [ground.post(CANVAS) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [httpx.codes.ACCEPTED] * 5
    assert all(answer.elapsed.total_seconds() < _BOUND for answer in answers)
    # Longer than the interval after which recovery publishes again, so that that fails too.
    ground.wait_until(lambda: AsyncActionReport.objects.filter(publications__gt=1).exists())
    assert ground.count("begins") == 0
    broker.start() if how == "is down" else broker.resume()
    ground.assert_four_zeros()
    assert {ground.report(root).status for root in ground.seen.accepted} == {Status.OK}


def test_everything_dies_at_once(ground: ProvingGround) -> None:
    roots = [ground.request(["sequence", ["work", {"again": True, "takes": 0.1}], ["work"]]) for _ in range(5)]
    for service in (ground.stack.worker, ground.stack.web, ground.stack.broker):
        service.kill()
    ground.stack.start()
    ground.assert_four_zeros()
    assert {ground.report(root).status for root in roots} <= {Status.OK, Status.FAILED}
