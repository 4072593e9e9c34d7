"""The broker knows nothing, and whoever writes to it can start nothing."""

import base64
import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from celery import group
from django.conf import settings
from django.utils.timezone import now

from config import celery_app
from reports.models import AsyncActionReport, Status
from reports.requests import Timing
from stack.ports import LOCALHOST
from stack.process import wait_for
from tests.actions import journal, outcomes, progress
from tests.actions.canvases import signature_of
from tests.integration.engine.engine import Engine

_SECRET = "secret-5f3a"
_FAR = timedelta(days=1)


@pytest.fixture
def key() -> str:
    return uuid4().hex


@contextmanager
def _overheard(engine: Engine) -> Iterator[list[str]]:
    """Collect every command that anybody sends to the broker."""
    commands: list[str] = []
    with (
        redis.Redis(LOCALHOST, engine.valkey.port, decode_responses=True, socket_timeout=2) as client,
        client.monitor() as monitor,
    ):
        yield commands
        client.echo("that is all")
        while "that is all" not in (command := str(monitor.next_command()["command"])):
            commands.append(command)


def _publish(task: str, report: UUID | str, *, args: Any = (), kwargs: Any = None, **options: Any) -> None:
    """Write a message by hand, as somebody could who has access to the broker alone."""
    celery_app.send_task(task, args=args, kwargs=kwargs or {}, task_id=str(report), **options)


def _publish_raw(body: bytes, *, content_type: str = "application/json", **headers: Any) -> None:
    with celery_app.producer_pool.acquire() as producer:
        producer.publish(
            body,
            routing_key=settings.TASK_DEFAULT_QUEUE,
            content_type=content_type,
            content_encoding="utf-8" if content_type == "application/json" else "binary",
            headers={"lang": "py", "task": "canvases.work", "argsrepr": "()", "kwargsrepr": "{}", **headers},
        )


def _assert_consumed(engine: Engine) -> None:
    """See that the worker has taken every message, and still works."""
    assert engine.run(outcomes.succeed.s(n=1)).status == Status.OK
    engine.wait_until(lambda: engine.messages() == [])


def _logged(engine: Engine, words: str) -> bool:
    return wait_for(lambda: words in engine.worker.log_text(), 20)


@pytest.mark.idle
def test_a_message_is_a_task_name_and_a_report_id(engine: Engine) -> None:
    root = engine.request(outcomes.succeed.s(_SECRET, secret=_SECRET))
    [raw] = engine.messages()
    message = json.loads(raw)
    task = AsyncActionReport.objects.get(root_id=root, kind="task")
    assert (message["headers"]["task"], message["headers"]["id"]) == ("outcomes.succeed", str(task.id))
    nothing = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    assert json.loads(base64.b64decode(message["body"])) == [[], {}, nothing]
    assert (message["headers"]["argsrepr"], message["headers"]["kwargsrepr"]) == ("()", "{}")
    assert _SECRET not in raw


def test_the_broker_never_hears_of_parameters_results_progress_or_errors(engine: Engine, key: str) -> None:
    journal.write(f"{key}-{_SECRET} after 1")
    with _overheard(engine) as commands:
        root = engine.run(
            outcomes.succeed.s(_SECRET, argument=_SECRET),
            outcomes.succeed.s(),
            group([progress.proceed.si(1, key=f"{key}-{_SECRET}"), outcomes.succeed.si(_SECRET)]),
            outcomes.raise_error.si("coded"),
        )
    assert root.error.message == "Order 7 was refused: sold out."
    told = "\n".join(commands)
    assert "outcomes.succeed" in told
    for text in (_SECRET, "sold out"):
        assert text not in told
        assert base64.b64encode(text.encode()).decode().rstrip("=")[:-1] not in told
    for body in (json.loads(message)["body"] for message in _messages_in(commands)):
        assert _SECRET not in base64.b64decode(body).decode()


def _messages_in(commands: list[str]) -> list[str]:
    """Return the messages among the commands that were sent to the broker."""
    pushed = [command for command in commands if command.startswith("LPUSH")]
    assert pushed
    return [command[command.index("{") :] for command in pushed]


def test_a_message_for_a_report_that_does_not_exist_runs_nothing(engine: Engine) -> None:
    report = uuid4()
    _publish("canvases.work", report)
    _assert_consumed(engine)
    assert _logged(engine, f"canvases.work[{report}] is not run: there is no such report")
    assert _logged(engine, "Tasks are run by requesting an action.")


def test_a_message_whose_id_is_none_runs_nothing(engine: Engine) -> None:
    _publish("canvases.work", "rubbish")
    _assert_consumed(engine)
    assert _logged(engine, "This message makes no sense")


def test_a_message_with_arguments_runs_nothing(engine: Engine, key: str) -> None:
    _publish("canvases.work", uuid4(), kwargs={"path": key})
    _assert_consumed(engine)
    assert _logged(engine, "A message carries a report's id and nothing else.")
    assert journal.lines(key) == []


def test_a_message_for_a_report_that_waits_its_turn_runs_nothing(engine: Engine, key: str) -> None:
    root = engine.request(progress.proceed.s(1, key=key), signature_of(["work"], key))
    first, second = engine.tasks(root)
    for _ in range(3):
        _publish("canvases.work", second.id)
    _assert_consumed(engine)
    assert _logged(engine, f"canvases.work[{second.id}] is pending and not due: this message was a duplicate.")
    assert engine.report(second.id) == second
    journal.write(f"{key} after 1")
    engine.settle([root])
    assert journal.counts(key) == {" after 1": 1, " ok": 1}
    assert engine.report(first.id).attempts == engine.report(second.id).attempts == 1


def test_a_message_for_a_report_that_waits_its_time_runs_nothing(engine: Engine, key: str) -> None:
    root = engine.request(signature_of(["work"], key), timing=Timing(not_before=now() + _FAR))
    [task] = engine.tasks(root)
    _publish("canvases.work", task.id)
    _assert_consumed(engine)
    assert _logged(engine, f"canvases.work[{task.id}] is pending and not due: this message was a duplicate.")
    assert engine.report(task.id) == task
    assert journal.lines(key) == []


def test_a_message_for_a_report_that_is_final_runs_nothing(engine: Engine, key: str) -> None:
    for signature in (signature_of(["work"], key), signature_of(["fail"], key)):
        root = engine.run(signature)
        [task] = engine.tasks(root.id)
        _publish(task.task, task.id)
        _assert_consumed(engine)
        assert _logged(engine, f"{task.task}[{task.id}] is {task.status} and not due: this message was a duplicate.")
        assert engine.report(task.id) == task
        assert engine.report(root.id) == root
    assert journal.counts(key) == {" ok": 1, " failed": 1}


@pytest.mark.idle
def test_a_message_for_a_report_of_another_task_runs_nothing(engine: Engine, key: str) -> None:
    root = engine.request(group([signature_of(["work"], key)]))
    before = list(AsyncActionReport.objects.filter(root_id=root).values("id", "status", "attempts"))
    engine.clear_messages()
    for report in before:  # the action itself and its group too
        _publish("canvases.fail", report["id"])
        _publish("outcomes.succeed", report["id"])
    AsyncActionReport.objects.filter(root_id=root, kind="task").update(due_at=now() + _FAR)
    engine.start()
    _assert_consumed(engine)
    for report in before:
        for name in ("canvases.fail", "outcomes.succeed"):
            assert _logged(engine, f"{name}[{report['id']}] is {report['status']} and not due")
    assert list(AsyncActionReport.objects.filter(root_id=root).values("id", "status", "attempts")) == before
    assert journal.lines(key) == []


@pytest.mark.parametrize(
    "forged",
    [
        {"args": ["forged"], "kwargs": {"path": "forged"}},
        {"kwargs": {"unknown": 1}},
        {"retries": 99},
        {"link": outcomes.raise_error.si("plain"), "link_error": outcomes.raise_error.si("plain")},
        {"chain": [signature_of(["work"], "forged")]},
        {"chord": signature_of(["work"], "forged")},
        {"group_id": str(uuid4()), "root_id": str(uuid4()), "parent_id": str(uuid4())},
        {"reply_to": str(uuid4()), "ignore_result": False},
    ],
    ids=", ".join,
)
def test_what_a_message_says_beside_its_report_is_not_heard(
    engine: Engine, key: str, settings, forged: dict[str, Any]
) -> None:
    settings.RECOVERY_REPUBLISH_AFTER = 1000
    engine.worker.pause()
    root = engine.request(signature_of(["flaky", 1], key), outcomes.succeed.s())
    engine.clear_messages()
    _publish("canvases.flaky", engine.tasks(root)[0].id, **forged)
    engine.worker.resume()
    engine.settle([root])
    report = engine.report(root)
    assert (report.status, report.tasks_ok, report.tasks_total) == (Status.OK, 2, 2)
    _assert_consumed(engine)
    assert journal.counts(key) == {" try 0": 1, " ok": 1}
    assert journal.lines("forged") == []


@pytest.mark.parametrize("task", ["celery.map", "celery.backend_cleanup", "celery.chord", "os.system", "tasks.nothing"])
def test_a_message_for_a_task_that_is_none_of_the_ledger_runs_nothing(engine: Engine, key: str, task: str) -> None:
    _publish(task, uuid4(), kwargs={"task": signature_of(["work"], key), "it": [[]], "path": key})
    _assert_consumed(engine)
    assert _logged(engine, f"Received unregistered task of type {task!r}")
    assert journal.lines(key) == []


def test_a_message_is_not_unpickled(engine: Engine, key: str) -> None:
    root = engine.request(signature_of(["work"], key), timing=Timing(not_before=now() + _FAR))
    [task] = engine.tasks(root)
    body = pickle.dumps(([], {}, _Explosive(f"{key} exploded")))
    _publish_raw(body, content_type="application/x-python-serialize", id=str(task.id))
    _assert_consumed(engine)
    assert _logged(engine, "Refusing to deserialize")
    assert journal.lines(key) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"null", b'[[], {}, "x"]', b"[7, 7, 7]", b"\xff"])
def test_a_body_that_makes_no_sense_does_no_harm(engine: Engine, body: bytes) -> None:
    worker = engine.worker.pid
    _publish_raw(body, id=str(uuid4()))
    _assert_consumed(engine)
    assert engine.worker.pid == worker


@pytest.mark.parametrize(
    "headers",
    [
        *({"id": id_} for id_ in (None, 7, [], {})),
        *({"task": task} for task in (None, 7)),
        *({name: "rubbish"} for name in ("eta", "expires", "retries", "group", "stamped_headers")),
        *({name: 7} for name in ("eta", "expires", "timelimit", "root_id", "argsrepr", "origin", "stamps")),
    ],
    ids=str,
)
def test_headers_that_make_no_sense_do_no_harm(engine: Engine, headers: dict[str, Any]) -> None:
    engine.clear_messages()
    worker = engine.worker.pid
    _publish_raw(b"[[], {}, {}]", **{"id": str(uuid4()), **headers})
    _assert_consumed(engine)
    assert engine.worker.pid == worker


class _Explosive:
    """Writes to the journal when it is unpickled."""

    def __init__(self, line: str) -> None:
        self._line = line

    def __reduce__(self) -> tuple[Any, ...]:
        return journal.write, (self._line,)
