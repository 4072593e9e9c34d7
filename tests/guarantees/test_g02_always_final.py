"""G2: every report ends ok, failed or cancelled. No lost message, killed worker or crashed process leaves one."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import psutil
import psycopg
import pytest
from django.db import connection, transaction

from reports.models import Status
from stack.postgres import Postgres
from stack.process import wait_for
from tests.guarantees.ground import ProvingGround
from tests.guarantees.refusal import refusing

MIXED = [
    "sequence",
    ["work"],
    ["group", ["work", {"takes": 0.2}], ["work", {"again": True, "takes": 0.2}], ["work", {"flaky": 1}]],
    ["grow", ["group", ["work"], ["work", {"again": True, "takes": 0.1}]]],
    ["work"],
]
LEASE = 3.0


def _kill_child(ground: ProvingGround) -> None:
    with suppress(psutil.NoSuchProcess, IndexError):
        psutil.Process(ground.stack.worker.pid).children()[-1].kill()


def _kill_worker(ground: ProvingGround) -> None:
    ground.stack.worker.kill()
    ground.stack.worker.start()


def _freeze_worker(ground: ProvingGround) -> None:
    ground.freeze(ground.stack.worker)
    time.sleep(LEASE + 0.5)
    ground.stack.worker.resume()


def _restart_broker(ground: ProvingGround) -> None:
    ground.stack.broker.kill()
    ground.stack.broker.start()


@pytest.mark.parametrize(
    ("fault", "times"),
    [(_kill_child, 12), (_kill_worker, 2), (_freeze_worker, 1), (_restart_broker, 4)],
    ids=["a child of the pool is killed", "the worker is killed", "the worker is frozen", "the broker is killed"],
)
def test_whatever_dies_again_and_again(
    ground: ProvingGround, fault: Callable[[ProvingGround], None], times: int
) -> None:
    roots = [ground.request(MIXED) for _ in range(8)]
    for n in range(times):
        ground.await_events("begins", 3 * n)
        fault(ground)
        ground.look()
    ground.assert_four_zeros()
    assert {ground.report(root).status for root in roots} <= {Status.OK, Status.FAILED}


def test_a_task_in_flight_when_its_worker_is_killed_is_final_too(ground: ProvingGround) -> None:
    roots = [ground.request(["work", {"takes": 60}]) for _ in range(2)]
    ground.await_events("begins", 2)
    ground.stack.worker.kill()
    ground.stack.worker.start()
    ground.assert_four_zeros()
    assert [ground.report(root).error.code for root in roots] == ["worker_lost"] * 2


@pytest.mark.parametrize("kills", ["process", "worker"])
def test_a_task_that_kills_whatever_runs_it_is_given_up(ground: ProvingGround, kills: str) -> None:
    poison = ground.request(["sequence", ["work", {"again": True, "kills": kills}], ["work"]])
    ground.keep_worker()
    assert ground.report(poison).error.code == "worker_lost"
    # Of the environment of these tests: RECOVERY_MAX_LOSSES is 1.
    assert ground.count("begins") == 2
    healthy = ground.request(MIXED)
    ground.assert_four_zeros()
    assert ground.report(healthy).status == Status.OK


def test_a_worker_that_is_told_to_end_finishes_what_it_began(ground: ProvingGround) -> None:
    ground.stack.add_worker()
    long = [ground.request(["sequence", ["work", {"takes": LEASE + 2}], ["work"]]) for _ in range(4)]
    ground.await_events("begins", 4)
    ground.stack.worker.ask_to_end()
    ground.assert_four_zeros()
    assert {ground.report(root).status for root in long} == {Status.OK}
    ground.await_end(ground.stack.worker)
    assert ground.stack.worker.exit_code == 0


@pytest.mark.parametrize("dies", ["child", "worker"])
def test_a_worker_dies_while_it_finishes_what_it_began(ground: ProvingGround, dies: str) -> None:
    root = ground.request(["work", {"takes": 60}])
    ground.await_events("begins", 1)
    ground.stack.worker.ask_to_end()
    assert wait_for(lambda: "Warm shutdown" in ground.stack.worker.log_text(), 20)
    if dies == "child":
        os.kill(ground.process_of(ground.tasks(root)[0].id), signal.SIGKILL)
    else:
        ground.stack.worker.kill()
    ground.stack.add_worker()
    ground.assert_four_zeros()
    assert ground.report(root).error.code == "worker_lost"
    ground.await_end(ground.stack.worker)


def test_the_broker_is_away_at_a_hand_over(ground: ProvingGround) -> None:
    root = ground.request(["sequence", ["work", {"gate": ground.gate("first")}], ["group", ["work"], ["work"]]])
    ground.await_events("begins", 1)
    ground.stack.broker.kill()
    ground.open("first")
    ground.wait_until(lambda: ground.tasks(root)[0].status == Status.OK)
    # Longer than the interval after which recovery publishes again, so that that fails too.
    ground.wait_until(lambda: any(task.publications > 1 for task in ground.tasks(root)))
    assert ground.count("begins") == 1
    ground.stack.broker.start()
    ground.assert_four_zeros()
    ground.assert_ok(root, [2, 2])


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_the_database_is_started_again_in_the_middle(ground: ProvingGround, server: Postgres, how: str) -> None:
    roots = [ground.request(MIXED) for _ in range(8)]
    ground.await_events("begins", 5)
    for _ in range(2):
        connection.close()
        getattr(server, how)()
        server.start()
        ground.await_events("begins", ground.count("begins") + 1)
    ground.assert_four_zeros()
    assert {ground.report(root).status for root in roots} == {Status.OK}


def test_every_connection_to_the_database_breaks_again_and_again(ground: ProvingGround, server: Postgres) -> None:
    roots = [ground.request(MIXED) for _ in range(8)]
    with psycopg.connect(server.url("postgres"), autocommit=True) as administrator:
        for _ in range(20):
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'async_actions'"
            )
            time.sleep(0.1)
            connection.close()
    ground.assert_four_zeros()
    assert {ground.report(root).status for root in roots} == {Status.OK}


@pytest.mark.parametrize("code", ["53100", "42501", "25006"], ids=["its disk is full", "no privilege", "read-only"])
def test_an_outcome_that_the_database_refuses_for_a_while(ground: ProvingGround, code: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no such errors.")
    root = ground.request(["sequence", ["work", {"gate": ground.gate("first")}], ["work"]])
    ground.await_events("begins", 1)
    with refusing("UPDATE", when="NEW.status IN ('ok', 'failed')", code=code):
        ground.open("first")
        ground.await_events("ends", 1)
        time.sleep(LEASE + 1)
        assert ground.unfinished() == 3
    ground.assert_four_zeros()
    ground.assert_ok(root, 2)


def test_a_lock_that_somebody_keeps_holds_up_no_other_action(ground: ProvingGround, server: Postgres) -> None:
    canvas = ["sequence", ["work", {"gate": ground.gate("all"), "again": True}], ["work"]]
    locked, other = ground.request(canvas), ground.request(canvas)
    ground.await_events("begins", 2)
    ground.stack.worker.pause()
    with psycopg.connect(server.url("async_actions")) as somebody:
        somebody.execute("SELECT id FROM reports_asyncactionreport WHERE id = %s FOR UPDATE", [locked])
        ground.stack.add_worker()
        ground.wait_until(lambda: len(ground.begun(ground.tasks(other)[0].id)) > 1)
        ground.open("all")
        ground.settle([other])
        assert ground.report(locked).status == Status.RUNNING
        with ground.client_of(ground.stack.web) as client:
            answer = client.post(f"/reports/{locked}/cancel")
        assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
    ground.assert_four_zeros()
    for root in (locked, other):
        ground.assert_ok(root, 2)


def test_a_database_that_is_locked_at_the_time_of_an_outcome(ground: ProvingGround) -> None:
    root = ground.request(["sequence", ["work", {"gate": ground.gate("first")}], ["work"]])
    ground.await_events("begins", 1)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE reports_asyncactionreport IN EXCLUSIVE MODE")
        ground.open("first")
        ground.await_events("ends", 1)
        time.sleep(LEASE + 1)
    ground.assert_four_zeros()
    ground.assert_ok(root, 2)
