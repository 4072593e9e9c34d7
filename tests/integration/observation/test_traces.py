"""One trace from the client, through what it asked for and each task, to the third party; also when things go wrong."""

from collections.abc import Collection
from uuid import uuid4

import httpx
import pytest

from services.tracing import read
from stack.process import wait_for
from tests.integration.observation.collector import Collector, Span

_CALLER = "00f067aa0ba902b7"


def _run(client: httpx.Client, action: str, parameters: dict) -> tuple[dict, str]:
    """Have an action run to its end for a client with a trace. Returns its report, and the trace's id."""
    trace = uuid4().hex
    headers = {"traceparent": f"00-{trace}-{_CALLER}-01"}
    answer = client.post(f"/actions/{action}", json=parameters, headers=headers)
    assert answer.status_code == 202, answer.text
    path = answer.json()["links"]["self"]
    assert wait_for(lambda: client.get(path).json()["status"] in ("ok", "failed"), 60)
    return client.get(path).json(), trace


def _spans(collector: Collector, trace: str, names: Collection[str]) -> list[Span]:
    """Return the spans of a trace once so many of them are there, in the order of their names."""
    assert wait_for(lambda: len(collector.spans(trace)) >= len(names), 20), collector.spans(trace)
    spans = sorted(collector.spans(trace))
    assert [span.name for span in spans] == sorted(names)
    return spans


def test_a_retry_is_in_the_trace_of_its_client(client, collector, faults):
    faults({"kind": "status", "status": 503, "path": "/customers/cus_ada/", "count": 1})
    report, trace = _run(client, "sync-invoices", {"customer_id": "cus_ada"})

    assert report["status"] == "ok"
    names = [
        *("POST /actions/sync-invoices", "publish invoices.fetch", "publish invoices.store"),
        *("run invoices.fetch", "run invoices.fetch", "run invoices.store", "GET", "GET"),
    ]
    spans = _spans(collector, trace, names)
    submitted = next(span for span in spans if span.kind == "server")
    assert (submitted.parent, submitted.attributes["async_actions.report"]) == (_CALLER, report["id"])
    first, second, last = sorted(
        (span for span in spans if span.kind == "consumer"),
        key=lambda span: (span.name, span.attributes["async_actions.attempt"]),
    )
    assert {span.parent for span in (first, second, last)} == {submitted.id}
    assert [span.failure for span in (first, second, last)] == ["invoices_plus_unavailable", "", ""]
    published = {span.name: span.parent for span in spans if span.kind == "producer"}
    assert published == {"publish invoices.fetch": submitted.id, "publish invoices.store": second.id}
    called = [span for span in spans if span.kind == "client"]
    assert {span.parent for span in called} == {first.id, second.id}
    assert {span.attributes["http.response.status_code"] for span in called} == {200, 503}


def test_what_a_killed_process_began_goes_on_in_the_trace_and_the_third_party_hears_of_it(client, collector):
    report, trace = _run(client, "stumble", {})

    names = ["POST /actions/stumble", "publish observation.die_once", "run observation.die_once", "GET"]
    called, submitted, _, executed = _spans(collector, trace, names)
    assert (executed.attributes["async_actions.attempt"], executed.parent) == (2, submitted.id)
    assert called.parent == executed.id
    assert report["result"] == f"00-{trace}-{called.id}-01"
    assert called.attributes["url.full"] == f"{collector.url}/echo"


def test_a_span_tells_no_messages(client, collector):
    report, trace = _run(client, "blunder", {"text": "hunter2-and-more"})

    assert report["error"]["code"] == "task_failed"
    _spans(collector, trace, ["POST /actions/blunder", "publish observation.fail", "run observation.fail"])
    assert not any(b"hunter2" in body for body in collector.received)


@pytest.mark.parametrize(
    ("header", "understood"),
    [
        (f"00-{'a' * 32}-{'b' * 16}-01", True),
        (f"00-{'a' * 32}-{'b' * 16}-00", True),
        (f"cc-{'a' * 32}-{'b' * 16}-01-what-comes-later", True),
        (f"ff-{'a' * 32}-{'b' * 16}-01", False),
        (f"00-{'0' * 32}-{'b' * 16}-01", False),
        (f"00-{'a' * 32}-{'0' * 16}-01", False),
        (f"00-{'A' * 32}-{'b' * 16}-01", False),
        ("x", False),
        ("", False),
        (None, False),
    ],
)
def test_a_header_that_is_no_trace_is_none(header, understood):
    assert (read(header) == (header or "")[:55]) is understood
