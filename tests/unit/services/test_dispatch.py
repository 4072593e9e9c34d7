from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from uuid import uuid4

import pytest
from celery import current_app, shared_task
from redis.connection import Connection

from reports.handover import Dispatch
from services import dispatch
from services.dispatch import publish
from tests.unit.reports import ledger
from tests.unit.reports.plans import group, task
from tests.unit.services import broker


@shared_task(name="dispatch.brief", time_limit=60)
def brief():
    """Declares a time limit."""


def seconds_to(moment):
    return round((moment - datetime.now(UTC)).total_seconds())


@pytest.fixture
def dispatches(db):
    """Three tasks whose turn has come."""
    ledger.accept(group("a", "b", "c"), parameters="secret")
    return [Dispatch(ledger.find(name).id, name, {}) for name in "abc"]


def test_a_message_for_each_task_goes_to_the_queue(empty_broker, dispatches, settings):
    assert publish(dispatches)
    assert [message.task for message in broker.messages()] == [(item.task, str(item.id)) for item in dispatches]
    assert {message.queue for message in broker.messages()} == {settings.TASK_DEFAULT_QUEUE}


@pytest.mark.django_db
def test_a_message_says_nothing_but_a_name_and_an_id(empty_broker):
    ledger.accept("a", task("b", "secret", options={"queue": "slow"}), parameters="secret")
    ledger.succeed("a", "secret")
    assert publish([Dispatch(ledger.find("b").id, "b", {"queue": "slow"})])
    (message,) = broker.messages()
    assert "secret" not in message.raw
    assert (message.headers["argsrepr"], message.headers["kwargsrepr"]) == ("()", "{}")
    assert message.headers["eta"] is None
    assert message.headers["expires"] is None


def test_options_of_the_signature_go_with_the_message(empty_broker, dispatches):
    options = {"queue": "slow", "priority": 9, "time_limit": 60, "soft_time_limit": 50}
    assert publish([Dispatch(dispatches[0].id, "a", options)])
    (message,) = broker.messages()
    assert message.queue.startswith("slow")
    assert message.headers["timelimit"] == [60, 50]
    assert message.properties["priority"] == 9


def test_what_the_task_itself_declares_holds_where_the_signature_says_nothing(empty_broker, dispatches):
    assert publish([Dispatch(dispatches[0].id, "dispatch.brief", {})])
    assert publish([Dispatch(dispatches[1].id, "dispatch.brief", {"time_limit": 90})])
    assert [message.headers["timelimit"] for message in broker.messages()] == [[60, None], [90, None]]


def test_there_may_be_nothing_to_publish(dead_broker):
    assert publish([])  # and nothing to ask the database, which this test may not


@pytest.mark.django_db
def test_what_could_not_be_published_is_left_to_recovery(dead_broker, dispatches, caplog):
    assert not publish(dispatches)
    assert [seconds_to(ledger.find(name).due_at) for name in "abc"] == [2, 2, 2]
    (said,) = caplog.messages
    assert said.startswith(f"Could not publish a[{dispatches[0].id}] and 2 more, recovery will: Error")


@pytest.mark.django_db
def test_what_is_said_of_a_message_names_the_report_that_it_belongs_to(dead_broker, dispatches, logged):
    publish(dispatches)
    first = ledger.find("a")
    [line] = logged()
    assert (line["report"], line["task_id"], line["task"]) == (str(first.root_id), str(first.id), "a")
    assert line["action"] == "test"


def test_what_would_take_too_long_to_publish_is_left_to_recovery_at_once(empty_broker, dispatches, monkeypatch):
    clock = [monotonic()]
    send = current_app.send_task

    def send_slowly(name, **options):
        send(name, **options)
        clock[0] += 0.6

    monkeypatch.setattr(current_app, "send_task", send_slowly)
    monkeypatch.setattr(dispatch, "monotonic", lambda: clock[0])
    assert not publish(dispatches, within=1.0)
    assert [message.task[0] for message in broker.messages()] == ["a", "b"]
    assert [seconds_to(ledger.find(name).due_at) for name in "abc"] == [3, 3, 0]


def test_what_was_published_before_the_broker_went_away_is_not_published_again(empty_broker, dispatches, monkeypatch):
    send = current_app.send_task

    def send_one(name, **options):
        send(name, **options)
        empty_broker.kill()

    monkeypatch.setattr(dispatch, "_PORTION", 1)
    monkeypatch.setattr(type(current_app._get_current_object()), "send_task", lambda _, *a, **o: send_one(*a, **o))
    assert not publish(dispatches)
    assert [seconds_to(ledger.find(name).due_at) for name in "abc"] == [3, 2, 2]  # the tests' interval, and the pause


def test_of_what_was_sent_in_one_go_all_is_published_again(empty_broker, dispatches, monkeypatch, caplog):
    send = current_app.send_task

    def send_without_a_broker(name, **options):
        empty_broker.kill()
        send(name, **options)

    publish(dispatches[:1])  # so that there is a connection
    monkeypatch.setattr(
        type(current_app._get_current_object()), "send_task", lambda _, *a, **o: send_without_a_broker(*a, **o)
    )
    assert not publish(dispatches)
    assert [seconds_to(ledger.find(name).due_at) for name in "abc"] == [2, 2, 2]
    (said,) = caplog.messages
    assert said.startswith(f"Could not publish a[{dispatches[0].id}] and 2 more, recovery will: Error")


def test_many_messages_are_sent_in_one_go(empty_broker, dispatches, monkeypatch):
    many = [Dispatch(uuid4(), "a", {}) for _ in range(3 * dispatch._PORTION)]
    publish(many[:1])
    sent = []
    send = Connection.send_packed_command

    def count(connection, *args, **options):
        sent.append(connection)
        return send(connection, *args, **options)

    monkeypatch.setattr(Connection, "send_packed_command", count)
    assert publish(many)
    assert len(sent) <= 3 + 1  # and one that asks whether the connection still works
    assert [message.task[1] for message in broker.messages()[1:]] == [str(item.id) for item in many]


def test_a_message_that_the_broker_does_not_take_holds_up_no_other(empty_broker, dispatches, caplog):
    refused = replace(dispatches[1], options={"serializer": "unknown"})
    assert publish([dispatches[0], refused, dispatches[2]])
    assert [message.task[0] for message in broker.messages()] == ["a", "c"]
    (said,) = caplog.messages
    assert said.startswith(f"The broker takes no message for b[{refused.id}]: ")


def test_a_broker_that_is_away_is_left_alone_for_a_while(dead_broker, dispatches, caplog):
    begun = monotonic()
    assert not publish(dispatches)
    for _ in range(50):
        assert not publish(dispatches)
    assert monotonic() - begun < 3
    assert len(caplog.messages) == 1


def test_after_a_while_it_is_tried_again(dead_broker, dispatches, monkeypatch):
    assert not publish(dispatches)
    dead_broker.start()
    broker.empty()
    assert not publish(dispatches)
    monkeypatch.setattr(dispatch, "monotonic", lambda: monotonic() + 2.0)
    assert publish(dispatches)
    assert len(broker.messages()) == 3
