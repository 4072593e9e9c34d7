"""What Celery is configured to do when the broker is not there: a publisher never waits long, a worker for ever."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery.worker.loops import _quick_drain

from config.celery import configuration
from stack.process import Server
from stack.rabbitmq import RabbitMQ
from stack.valkey import Valkey

pytestmark = pytest.mark.once

# Seconds that a request may spend on a broker that is away: to connect, and to wait for an answer.
_BOUND = 5.0


@pytest.fixture(params=["valkey", "rabbitmq"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A broker that a test may break."""
    if request.param == "rabbitmq":
        server = request.getfixturevalue("rabbitmq")
        server.resume()
        if not server.is_running:
            server.start()
        yield server
        return
    with Valkey(tmp_path / "valkey", log=tmp_path / "valkey.log") as server:
        yield server


@pytest.fixture
def publish(broker: Server, settings) -> Iterator[Callable[[], None]]:
    """Publish a message as the service does, in an application of its own on that broker."""
    settings.BROKER_URL = address_of(broker)
    with Celery("publisher", set_as_current=False) as app:
        app.conf.update(configuration())
        yield lambda: app.send_task("nobody.knows", task_id="1", retry=False)


def address_of(broker: Server) -> str:
    return broker.url if isinstance(broker, RabbitMQ) else broker.url(0)


def seconds_to_fail(publish: Callable[[], None]) -> float:
    begun = time.monotonic()
    with pytest.raises(Exception, match=r".") as failure:
        publish()
    assert isinstance(failure.value, (OSError, ConnectionError)) or "rror" in type(failure.value).__name__
    return time.monotonic() - begun


def test_a_dead_broker_is_noticed_soon_and_its_return_too(broker: Server, publish: Callable[[], None]) -> None:
    publish()
    broker.kill()
    assert seconds_to_fail(publish) < _BOUND
    assert seconds_to_fail(publish) < _BOUND
    broker.start()
    publish()


def test_a_silent_broker_is_noticed_soon_and_its_return_too(broker: Server, publish: Callable[[], None]) -> None:
    publish()
    broker.pause()
    assert seconds_to_fail(publish) < _BOUND
    assert seconds_to_fail(publish) < _BOUND
    broker.resume()
    publish()


def test_a_broker_that_is_silent_from_the_start_is_noticed_soon(broker: Server, publish: Callable[[], None]) -> None:
    broker.pause()
    assert seconds_to_fail(publish) < _BOUND
    broker.resume()
    publish()


def test_a_worker_that_has_just_connected_notices_that_its_queue_is_deleted(rabbitmq: RabbitMQ, settings) -> None:
    settings.BROKER_URL = rabbitmq.url
    rabbitmq.forget(settings.TASK_DEFAULT_QUEUE)
    with Celery("worker", set_as_current=False) as app:
        app.conf.update(configuration())
        with app.connection_for_read() as connection, app.amqp.TaskConsumer(connection):
            rabbitmq.forget(settings.TASK_DEFAULT_QUEUE)
            # What a worker does before its event loop begins. Without an error it would never consume again.
            with pytest.raises(connection.connection_errors):
                _quick_drain(connection, timeout=_BOUND)


@pytest.mark.parametrize("step", ["bind", "consume"])
def test_a_queue_that_is_deleted_before_its_worker_consumes_is_a_lost_connection(
    rabbitmq: RabbitMQ, settings, step: str
) -> None:
    settings.BROKER_URL = rabbitmq.url
    with Celery("worker", set_as_current=False) as app:
        app.conf.update(configuration())
        with app.connection_for_read() as connection:
            consumer = app.amqp.TaskConsumer(connection)  # it declares the queue, and begins later
            [queue] = consumer.queues
            rabbitmq.forget(queue.name)
            # Any other error would end the worker.
            with pytest.raises(connection.connection_errors):
                consumer.consume() if step == "consume" else queue.queue_bind()
