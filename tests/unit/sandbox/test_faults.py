import json
import time

import httpx
import pytest

from sandbox.faults import MAX_COUNT, MAX_DELAY, MAX_FAULTS, Fault, FaultInvalidError, Faults

CUSTOMER = {"email": "new@example.com", "name": "New"}


def put(http, *faults):
    answer = http.put("/faults", json={"faults": list(faults)})
    assert answer.status_code == 200, answer.text
    return answer.json()["faults"]


def statuses(http, calls, path="/customers"):
    return [http.get(path).status_code for _ in range(calls)]


def test_a_fault_strikes_as_often_as_it_was_asked_to(http):
    put(http, {"kind": "status", "status": 503, "count": 2})
    assert statuses(http, 3) == [503, 503, 200]


def test_a_fault_strikes_only_where_it_was_asked_to(http):
    put(http, {"kind": "status", "path": "/customers/cus_ada", "method": "GET"})
    assert statuses(http, 1, "/customers") == [200]
    assert http.post("/customers/cus_ada/invoices").status_code == 404
    assert statuses(http, 2, "/customers/cus_ada/invoices") == [500, 200]


def test_faults_strike_in_their_order(http):
    put(http, {"kind": "status", "status": 500}, {"kind": "status", "status": 502})
    assert statuses(http, 3) == [500, 502, 200]


def test_faults_can_be_looked_at_replaced_and_switched_off(http):
    put(http, {"kind": "status", "status": 503, "count": 5})
    statuses(http, 1)
    (left,) = http.get("/faults").json()["faults"]
    assert (left["kind"], left["status"], left["count"]) == ("status", 503, 4)
    assert [fault["kind"] for fault in put(http, {"kind": "malformed"})] == ["malformed"]
    assert http.delete("/faults").json() == {"faults": []}
    assert statuses(http, 1) == [200]


def test_too_many_calls(http):
    put(http, {"kind": "status", "status": 429, "retry_after": 7})
    answer = http.get("/customers")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


def test_slow(http):
    put(http, {"kind": "slow", "delay": 0.2})
    began = time.monotonic()
    assert http.get("/customers").status_code == 200
    assert time.monotonic() - began >= 0.2


def test_slow_is_too_slow_for_a_client_with_less_patience(http):
    put(http, {"kind": "slow", "delay": 60})
    with pytest.raises(httpx.ReadTimeout):
        http.get("/customers", timeout=0.1)
    assert http.get("/customers").status_code == 200


def test_drip(http):
    put(http, {"kind": "drip", "delay": 0.005})
    began = time.monotonic()
    answer = http.get("/customers")
    assert answer.json()["data"]
    assert time.monotonic() - began >= 0.005 * (len(answer.content) - 1)


def test_malformed(http):
    put(http, {"kind": "malformed"})
    answer = http.get("/customers")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Expecting"):
        answer.json()


def test_disconnect(http):
    put(http, {"kind": "disconnect"})
    with pytest.raises(httpx.RemoteProtocolError):
        http.post("/customers", json=CUSTOMER)
    assert http.get("/customers", params={"email": CUSTOMER["email"]}).json()["data"] == []


@pytest.mark.parametrize("kind", ["disconnect", "status", "malformed"])
def test_an_answer_can_be_lost_after_the_call_was_carried_out(http, kind):
    put(http, {"kind": kind, "after": True})
    try:
        http.post("/customers", json=CUSTOMER)
    except httpx.RemoteProtocolError:
        assert kind == "disconnect"
    assert len(http.get("/customers", params={"email": CUSTOMER["email"]}).json()["data"]) == 1


def test_slow_after_carries_the_call_out_first(http):
    put(http, {"kind": "slow", "delay": 60, "after": True})
    with pytest.raises(httpx.ReadTimeout):
        http.post("/customers", json=CUSTOMER, timeout=0.3)
    assert len(http.get("/customers", params={"email": CUSTOMER["email"]}).json()["data"]) == 1


def test_faults_strike_neither_their_own_switch_nor_those_without_a_key(http, sandbox):
    put(http, {"kind": "disconnect", "count": 100})
    assert httpx.get(f"{sandbox.url}/customers").status_code == 401
    assert httpx.get(f"{sandbox.url}/health").status_code == 200
    assert http.delete("/faults").status_code == 200


@pytest.mark.parametrize(
    ("customer", "status"), [("cus_broken", 500), ("cus_gone", 404), ("cus_limited", 429), ("cus_garbled", 200)]
)
def test_some_customers_fail_every_time(http, customer, status):
    assert statuses(http, 3, f"/customers/{customer}/invoices") == [status] * 3


@pytest.mark.parametrize(
    "fault",
    [
        {},
        "status",
        {"kind": "earthquake"},
        {"kind": "status", "colour": "red"},
        {"kind": "status", "status": 200},
        {"kind": "status", "status": 600},
        {"kind": "status", "status": "503"},
        {"kind": "status", "count": 0},
        {"kind": "status", "count": MAX_COUNT + 1},
        {"kind": "status", "count": True},
        {"kind": "status", "path": "customers"},
        {"kind": "status", "method": "BREW"},
        {"kind": "status", "retry_after": -1},
        {"kind": "slow", "delay": MAX_DELAY + 1},
        {"kind": "slow", "delay": -1},
        {"kind": "slow", "delay": float("nan")},
        {"kind": "slow", "after": 1},
        {"kind": ["status"]},
    ],
)
def test_what_is_no_fault_is_refused_and_changes_nothing(http, fault):
    put(http, {"kind": "malformed"})
    answer = http.put("/faults", content=json.dumps({"faults": [fault]}))
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]
    assert [fault["kind"] for fault in http.get("/faults").json()["faults"]] == ["malformed"]


def test_faults_come_as_a_list(http):
    assert http.put("/faults", json={"kind": "status"}).status_code == 422


def test_there_is_a_limit_to_how_many():
    with pytest.raises(FaultInvalidError):
        Faults().switch_on(*[Fault(kind="status")] * (MAX_FAULTS + 1))
