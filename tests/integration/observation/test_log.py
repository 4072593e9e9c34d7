"""Lines of real processes: each is a JSON object that says what it belongs to, and has no secrets."""

from typing import Any
from uuid import uuid4

import httpx
import orjson

from stack.process import Service, wait_for

_SECRET = "hunter2-and-more"


def _lines(service: Service, since: int) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in service.log_text()[since:].splitlines()]


def _run(client: httpx.Client, action: str, parameters: dict, trace: str) -> dict:
    headers = {"traceparent": f"00-{trace}-{'1' * 16}-01"}
    report = client.post(f"/actions/{action}", json=parameters, headers=headers).json()
    assert wait_for(lambda: client.get(report["links"]["self"]).json()["status"] in ("ok", "failed"), 60)
    return report


def test_what_a_task_logs_says_of_which_report_it_is(stack, client):
    since, trace = len(stack.worker.log_text()), uuid4().hex
    report = _run(client, "blunder", {"text": _SECRET}, trace)
    assert wait_for(lambda: "raised unexpected" in stack.worker.log_text()[since:], 10)

    lines = _lines(stack.worker, since)
    own = [line for line in lines if line["logger"] == "tests.integration.observation.actions"]
    celerys = [line for line in lines if "raised unexpected" in line["event"]]
    for line in (*own, *celerys):
        assert line["task"] == "observation.fail"
        assert line["report"] == report["id"]
        assert line["action"] == "blunder"
        assert line["attempt"] == 1
        assert line["client"] > 0
        assert line["trace_id"] == trace
        assert line["process"].startswith("ForkPoolWorker-")
    assert len(own) == len(celerys) == 1
    assert "Traceback" in celerys[0]["exception"]
    assert _SECRET not in stack.worker.log_text()[since:]


def test_what_is_logged_after_a_task_belongs_to_nothing(stack, client):
    since = len(stack.worker.log_text())
    first = _run(client, "blunder", {"text": _SECRET}, uuid4().hex)
    second = _run(client, "stumble", {}, uuid4().hex)

    for line in _lines(stack.worker, since):
        if "report" in line:
            assert (line["report"], line["action"]) in ((first["id"], "blunder"), (second["id"], "stumble"))
        if line["process"] == "MainProcess" and "report" in line:
            assert line["task_id"] in line["event"]  # it is about this one
    assert any("exited with 'signal 9 (SIGKILL)'" in line["event"] for line in _lines(stack.worker, since))


def test_what_a_request_logs_says_whose_it_is(stack, client):
    since, trace = len(stack.web.log_text()), uuid4().hex
    stack.valkey.pause()
    try:
        answer = client.post(
            "/actions/sync-invoices",
            json={"customer_id": "cus_ada"},
            headers={"traceparent": f"00-{trace}-{'1' * 16}-01"},
        )
    finally:
        stack.valkey.resume()

    assert answer.status_code == 202
    published = [line for line in _lines(stack.web, since) if line["event"].startswith("Could not publish")]
    assert [(line["trace_id"], line["action"], line["client"] > 0) for line in published] == [
        (trace, "sync-invoices", True)
    ]
    assert wait_for(lambda: client.get(answer.json()["links"]["self"]).json()["status"] == "ok", 60)
