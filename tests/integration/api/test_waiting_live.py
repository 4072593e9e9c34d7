"""Waiting and events on the real web server, with real workers: what they are for, and what if parts go away."""

import json
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from time import monotonic

import httpx
import pytest

from stack.ports import LOCALHOST
from stack.process import wait_for

PATIENCE = 30.0
CLIENTS = 70  # more than may wait: the web server has 96 threads, 32 of them for others


@pytest.fixture
def live(stack):
    with stack.client() as client:
        client.timeout = 2 * PATIENCE
        yield client


def submit(client, **query):
    response = client.post("/actions/sync-invoices", json={"customer_id": "cus_ada"}, params=query)
    assert response.status_code == 202
    return response.headers["Location"]


def events_of(response):
    """Yield the events' data as they come."""
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def hold(pool, client, path, seconds=PATIENCE):
    return pool.submit(client.get, path, headers={"Prefer": f"wait={seconds:.0f}"})


def test_one_request_and_one_answer(live):
    path = submit(live)

    begun = monotonic()
    report = live.get(path, headers={"Prefer": "wait=30"})

    assert report.json()["status"] == "ok"
    assert report.headers["Preference-Applied"] == "wait=30"
    assert monotonic() - begun < PATIENCE


def test_the_events_of_an_action_from_its_request_to_its_end(live):
    path = submit(live, delay=1)

    with live.stream("GET", f"{path}/events") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        seen = [data["status"] for data in events_of(response)]

    assert seen[0] == "pending"
    assert seen[-1] == "ok"


def test_clients_that_wait_keep_nobody_from_asking_and_hear_of_the_end(live):
    path = submit(live, delay=3600)
    with ThreadPoolExecutor(CLIENTS) as pool:
        held = [hold(pool, live, path) for _ in range(CLIENTS)]
        assert wait_for(lambda: sum(one.done() for one in held) >= CLIENTS - 64, PATIENCE)
        begun = monotonic()
        other = submit(live, delay=3600)
        assert live.get(other).json()["status"] == "pending"
        assert live.post(f"{path}/cancel", json={}).status_code == 200
        answers = [one.result(PATIENCE) for one in held]

    assert monotonic() - begun < PATIENCE / 2
    waited = [answer for answer in answers if "Preference-Applied" in answer.headers]
    assert len(waited) == 64
    assert {answer.json()["status"] for answer in waited} == {"cancelled"}
    for answer in answers:
        assert answer.status_code == 200
        assert answer in waited or (answer.json()["status"], "Retry-After" in answer.headers) == ("pending", True)


def test_clients_that_send_slowly_keep_nobody_from_asking(stack, live):
    """There are more of them than connections to the database."""
    head = (
        "POST /actions/sync-invoices HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: {live.headers['Authorization']}\r\nContent-Length: 100\r\n\r\n{{"
    )
    with ExitStack() as connections:
        for _ in range(20):
            slow = connections.enter_context(socket.create_connection((LOCALHOST, stack.web.port)))
            slow.sendall(head.encode())
        for _ in range(20):
            assert live.get("/reports", timeout=PATIENCE).status_code == 200


def test_without_redis_all_goes_on_and_those_who_wait_hear_of_it_a_little_later(stack, live):
    # The broker is the same server: what is asked for is published when it is back.
    path = submit(live)
    assert live.get(path, headers={"Prefer": "wait=30"}).json()["status"] == "ok"
    waiting = submit(live, delay=3600)
    with ThreadPoolExecutor(1) as pool, live.stream("GET", f"{waiting}/events") as response:
        events = events_of(response)
        assert next(events)["status"] == "pending"
        held = hold(pool, live, waiting)
        stack.valkey.kill()
        assert live.get(submit(live)).json()["status"] == "pending"
        assert live.post(f"{waiting}/cancel", json={}).status_code == 200
        assert held.result(PATIENCE).json()["status"] == "cancelled"
        assert next(events)["status"] == "cancelled"


def test_a_web_server_that_is_asked_to_end_lets_everybody_go_at_once(stack, live):
    path = submit(live, delay=3600)
    with ThreadPoolExecutor(1) as pool, live.stream("GET", f"{path}/events") as response:
        events = events_of(response)
        next(events)
        held = hold(pool, live, path)
        # Until it waits, which its answer would show.
        assert not wait_for(held.done, 0.5)
        begun = monotonic()
        stack.web.signal(signal.SIGTERM)
        assert next(events, None) is None
        answer = held.result(PATIENCE)
        assert wait_for(lambda: not stack.web.is_running, PATIENCE)

    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    assert stack.web.exit_code == 0
    assert monotonic() - begun < 4  # it would be killed after five seconds


def test_a_stream_is_resumed_at_another_process(stack, live):
    path = submit(live)
    assert live.get(path, headers={"Prefer": "wait=30"}).json()["status"] == "ok"
    with live.stream("GET", f"{path}/events") as response:
        last = next(line for line in response.iter_lines() if line.startswith("id: ")).removeprefix("id: ")

    stack.web.restart()

    with httpx.Client(base_url=stack.url, headers=live.headers, trust_env=False) as again:
        assert again.get(f"{path}/events", headers={"Last-Event-ID": last}).status_code == 204
