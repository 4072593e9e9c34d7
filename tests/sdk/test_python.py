"""A Python SDK, generated from openapi.yaml, drives the live service."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings

from stack.web import Web
from tests.integration.docs.page import Page

PAGE = Page.read(settings.BASE_DIR / "docs" / "http-api.md")
PATIENCE = 30.0


class Sdk:
    """A generated SDK with a client of the live service."""

    def __init__(self, module: ModuleType, url: str, token: str) -> None:
        self.module = module
        self.client = module.AuthenticatedClient(base_url=url, token=token, timeout=30, httpx_args={"trust_env": False})

    def __getattr__(self, name: str) -> Any:
        """Return the class of the SDK that has this name."""
        return getattr(import_module(f"{self.module.__name__}.models"), name)

    def call(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """Return status, headers and parsed body of ``actions.sync_invoices`` and its like."""
        module = import_module(f"{self.module.__name__}.api.{operation}")
        return module.sync_detailed(*args, client=self.client, **kwargs)

    def final(self, report: UUID) -> Any:
        """Return the report once it is final."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self.call("reports.get_report", report)
            if answer.parsed.status.value not in ("pending", "running"):
                assert "Retry-After" not in answer.headers
                return answer.parsed
            time.sleep(float(answer.headers["Retry-After"]) / 10)
        raise AssertionError(f"Report {report} is not final after {PATIENCE} s.")


@pytest.fixture
def ours(sdk, stack) -> Iterator[Sdk]:
    ours = Sdk(sdk, stack.url, stack.token())
    with ours.client:
        yield ours


def test_an_action_is_asked_for_and_its_typed_result_read(ours):
    answer = ours.call("actions.sync_invoices", body=ours.SyncInvoicesRequest(customer_id="cus_ada"))

    assert answer.status_code == 202
    accepted = answer.parsed
    assert isinstance(accepted, ours.SyncInvoicesReport)
    assert answer.headers["Location"] == accepted.links.self_ == f"/reports/{accepted.id}"
    assert accepted.parameters.customer_id == "cus_ada"

    report = ours.final(accepted.id)

    assert isinstance(report, ours.SyncInvoicesReport)
    assert report.status is ours.Status.OK
    assert isinstance(report.result, ours.SyncInvoicesResult)
    assert report.result.stored == 3
    assert report.result.totals.additional_properties == {"EUR": "3.03", "USD": "3.03"}
    assert report.tasks.to_dict() == {"total": 2, "ok": 2}
    assert report.created_at <= report.started_at <= report.finished_at


def test_a_repeated_request_has_the_same_typed_report(ours):
    body = ours.SyncInvoicesRequest(customer_id="cus_ada")
    key = f'"{uuid4()}"'
    first = ours.call("actions.sync_invoices", body=body, idempotency_key=key)
    final = ours.final(first.parsed.id)

    again = ours.call("actions.sync_invoices", body=body, idempotency_key=key.strip('"'))

    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Location"] == first.headers["Location"]
    assert again.parsed == final
    assert final.idempotency_key == key.strip('"')
    other = ours.SyncInvoicesRequest(customer_id="cus_bob")
    refused = ours.call("actions.sync_invoices", body=other, idempotency_key=key)
    assert (refused.status_code, refused.parsed.code) == (422, "idempotency_key_reused")


def test_an_answer_is_waited_for(ours):
    body = ours.SyncInvoicesRequest(customer_id="cus_ada")

    answer = ours.call("actions.sync_invoices", body=body, prefer="wait=20")

    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=20")
    assert isinstance(answer.parsed, ours.SyncInvoicesReport)
    assert (answer.parsed.status, answer.parsed.result.stored) == (ours.Status.OK, 3)
    late = ours.call("actions.sync_invoices", body=body, prefer="respond-async, wait=1", delay=60)
    assert (late.status_code, late.headers["Preference-Applied"]) == (202, "respond-async, wait=1")
    assert ours.call("reports.cancel_report", late.parsed.id).status_code == 200


def test_a_request_is_tried_out(ours):
    body = ours.EnsureCustomerRequest(email="ada@example.com", name="Ada")

    answer = ours.call("actions.ensure_customer", body=body, validate_only=True)

    assert isinstance(answer.parsed, ours.Validation)
    assert (answer.status_code, answer.parsed.kind, answer.parsed.tasks) == (200, "validation", 4)
    assert ours.call("reports.list_reports").parsed.items == []


def test_many_are_asked_for_at_once(ours):
    requests = [
        ours.SyncInvoicesBatchItemRequest(ours.SyncInvoicesRequest(customer), idempotency_key=key)
        for customer, key in (("cus_ada", "k1"), ("no spaces", "k2"), ("cus_ada", None))
    ]

    answer = ours.call("actions.sync_invoices_batch", body=ours.SyncInvoicesBatchRequest(requests))

    assert (answer.status_code, answer.parsed.refused) == (200, 1)
    first, wrong, second = answer.parsed.items
    assert [item.status for item in answer.parsed.items] == [202, 422, 202]
    assert (wrong.report, wrong.problem.code) == (None, "parameters_invalid")
    assert wrong.problem.errors[0].pointer == "#/requests/1/parameters/customer_id"
    assert {ours.final(item.report.id).status for item in (first, second)} == {ours.Status.OK}
    together = ours.SyncInvoicesBatchRequest(requests, atomic=True)
    refused = ours.call("actions.sync_invoices_batch", body=together)
    assert (refused.status_code, refused.parsed.code) == (422, "batch_refused")


def test_a_failed_action_says_why(ours):
    body = ours.SyncInvoicesRequest(customer_id="cus_nobody")

    report = ours.final(ours.call("actions.sync_invoices", body=body).parsed.id)

    assert (report.status, report.result) == (ours.Status.FAILED, None)
    assert isinstance(report.error, ours.SyncInvoicesError)
    assert (report.error.code, report.error.task) == ("customer_not_found", "invoices.fetch")
    assert report.error.retryable is False
    assert report.error.message == "InvoicesPlus has no customer cus_nobody."
    [fetch, store] = ours.call("reports.list_report_tasks", report.id).parsed.items
    assert (fetch.task, fetch.status, fetch.attempts) == ("invoices.fetch", ours.Status.FAILED, 1)
    assert (fetch.errors[0].code, fetch.errors[0].retryable) == ("customer_not_found", False)
    assert store.status is ours.Status.CANCELLED
    assert isinstance(ours.call("reports.get_report", fetch.id).parsed, ours.TaskReport)


def test_reports_are_listed_page_by_page(ours):
    ids = [ours.call("actions.sync_all_invoices", body=ours.SyncAllInvoicesRequest()).parsed.id for _ in range(3)]

    first = ours.call("reports.list_reports", limit=2, action="sync-all-invoices").parsed
    second = ours.call("reports.list_reports", limit=2, action="sync-all-invoices", cursor=first.next_cursor).parsed

    assert [item.id for item in first.items + second.items] == list(reversed(ids))
    assert second.next_cursor is None
    assert ours.call("reports.list_reports", status=[ours.Status.CANCELLED]).parsed.items == []
    for report in ids:
        assert ours.final(report).status is ours.Status.OK


def test_reports_are_found_by_what_was_asked_for(ours):
    body = ours.SyncInvoicesRequest(customer_id="cus_nobody")
    failed = ours.final(ours.call("actions.sync_invoices", body=body).parsed.id)
    ours.final(ours.call("actions.sync_invoices", body=ours.SyncInvoicesRequest(customer_id="cus_ada")).parsed.id)

    found = ours.call(
        "reports.list_reports",
        action="sync-invoices",
        parameter=["customer_id:cus_nobody"],
        status=[ours.Status.FAILED, ours.Status.CANCELLED],
        error_code="customer_not_found",
        finished_after=failed.finished_at,
        order=ours.ListReportsOrder.OLDEST,
    ).parsed.items

    assert [report.id for report in found] == [failed.id]
    assert found[0].run_seconds >= 0
    assert found[0].queued_seconds >= 0


def test_a_report_is_waited_for_and_not_read_again(ours):
    accepted = ours.call("actions.sync_invoices", body=ours.SyncInvoicesRequest(customer_id="cus_ada")).parsed

    answer = ours.call("reports.get_report", accepted.id, prefer=f"wait={PATIENCE:.0f}")

    assert (answer.status_code, answer.parsed.status) == (200, ours.Status.OK)
    assert answer.headers["Preference-Applied"] == f"wait={PATIENCE:.0f}"
    again = ours.call("reports.get_report", accepted.id, if_none_match=answer.headers["ETag"])
    assert (again.status_code, again.parsed, again.content) == (304, None, b"")


def test_the_events_of_a_report(ours):
    accepted = ours.call("actions.sync_invoices", body=ours.SyncInvoicesRequest(customer_id="cus_ada"), delay=1).parsed
    assert accepted.links.events == f"/reports/{accepted.id}/events"

    text = ours.call("reports.watch_report", accepted.id).content.decode()

    events = [dict(line.split(": ", 1) for line in event.split("\n")) for event in text.strip().split("\n\n")]
    reports = [json.loads(event["data"]) for event in events if "data" in event]
    assert [report["id"] for report in reports] == [str(accepted.id)] * len(reports)
    assert (reports[0]["status"], reports[-1]["status"]) == ("pending", "ok")
    done = ours.call("reports.watch_report", accepted.id, last_event_id=events[-1]["id"])
    assert (done.status_code, done.parsed) == (204, None)


def test_a_scheduled_action_is_cancelled_and_retried(ours):
    next_year = datetime.now(UTC).replace(microsecond=0) + timedelta(days=365)
    answer = ours.call(
        "actions.sync_invoices",
        body=ours.SyncInvoicesRequest(customer_id="cus_ada"),
        run_at=next_year,
        expires_at=next_year + timedelta(hours=1),
    )
    accepted = answer.parsed
    assert (answer.status_code, accepted.status) == (202, ours.Status.PENDING)
    assert (accepted.not_before, accepted.deadline_at) == (next_year, next_year + timedelta(hours=1))
    assert accepted.links.cancel
    assert not accepted.links.retry

    cancelled = ours.call("reports.cancel_report", accepted.id)

    assert isinstance(cancelled.parsed, ours.SyncInvoicesReport)
    assert (cancelled.status_code, cancelled.parsed.status) == (200, ours.Status.CANCELLED)
    assert cancelled.parsed.links.retry
    again = ours.call("reports.cancel_report", accepted.id)
    assert (again.status_code, again.parsed.code) == (409, "report_final")

    retried = ours.call("reports.retry_report", accepted.id)

    assert isinstance(retried.parsed, ours.SyncInvoicesReport)
    assert (retried.status_code, retried.parsed.retries) == (202, 1)
    assert retried.headers["Location"] == accepted.links.self_
    report = ours.final(accepted.id)
    assert (report.status, report.result.stored, report.not_before) == (ours.Status.OK, 3, None)
    refused = ours.call("reports.retry_report", accepted.id)
    assert (refused.status_code, refused.parsed.code) == (409, "report_not_retryable")


def test_a_delay_and_an_expiry_in_seconds(ours):
    body = ours.SyncInvoicesRequest(customer_id="cus_ada")

    report = ours.final(ours.call("actions.sync_invoices", body=body, delay=1, expires_in=60).parsed.id)

    assert report.status is ours.Status.OK
    assert report.started_at >= report.not_before
    refused = ours.call("actions.sync_invoices", body=body, delay=60, expires_in=60)
    assert (refused.status_code, refused.parsed.errors[0].parameter) == (400, "expires_in")


def test_a_retried_action_keeps_its_earlier_errors(ours):
    body = ours.SyncInvoicesRequest(customer_id="cus_nobody")
    failed = ours.final(ours.call("actions.sync_invoices", body=body).parsed.id)

    assert ours.call("reports.retry_report", failed.id).status_code == 202

    report = ours.final(failed.id)
    assert (report.status, report.retries) == (ours.Status.FAILED, 1)
    [error] = report.errors
    assert (error.attempt, error.code, error.task) == (1, "customer_not_found", "invoices.fetch")
    assert error.failed_at == failed.finished_at


def test_actions_are_listed(ours):
    answer = ours.call("actions.list_actions")
    items = answer.parsed.items

    assert [action.name for action in items] == [
        *("ensure-customer", "invoice-customer", "sync-all-invoices", "sync-invoices"),
    ]
    assert {code.code: code.retryable for code in items[3].errors}["invoices_plus_unavailable"] is True
    assert not any(action.restricted for action in items)
    assert answer.headers["RateLimit"].startswith('"read";r=')


def test_problems_are_typed(ours, sdk, stack):
    missing = ours.call("reports.get_report", uuid4())
    assert isinstance(missing.parsed, ours.Problem)
    assert (missing.status_code, missing.parsed.code) == (404, "report_not_found")

    refused = ours.call("actions.sync_invoices", body=ours.SyncInvoicesRequest(customer_id="no spaces"))
    assert (refused.status_code, refused.parsed.code) == (422, "parameters_invalid")
    assert [(error.pointer, error.code) for error in refused.parsed.errors] == [("#/customer_id", "invalid")]

    theirs = Sdk(sdk, stack.url, "aat_unknown")
    with theirs.client:
        unknown = theirs.call("reports.list_reports")
    assert (unknown.status_code, unknown.parsed.code) == (401, "token_invalid")


def test_an_sdk_from_before_an_action_existed_reads_its_reports(ours, sdk, stack, added_action, tmp_path):
    with Web({**stack.environment, **added_action}, log=tmp_path / "web.log") as web:
        older = Sdk(sdk, web.url, ours.client.token)
        with older.client:
            http = older.client.get_httpx_client()
            ids = [
                UUID(http.post("/actions/import-invoices", json={"customer_id": customer}).json()["id"])
                for customer in ("cus_ada", "cus_nobody")
            ]
            report, failed = map(older.final, ids)
            listed = older.call("reports.list_reports", action="import-invoices").parsed.items
            tasks = older.call("reports.list_report_tasks", report.id).parsed.items

    assert [type(report).__name__, type(failed).__name__] == ["Report", "Report"]
    assert (report.action, report.result["stored"]) == ("import-invoices", 3)
    # Its code is declared by no action that the SDK knows under this name.
    assert (failed.error.code, failed.error.retryable) == ("customer_not_found", False)
    assert [item.id for item in reversed(listed)] == ids
    assert [task.action for task in tasks] == ["import-invoices"] * 2


def test_the_page_s_example_waits_for_a_report(sdk, stack, capsys, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    helper, example = PAGE.section("Wait in Python").blocks("python")

    scope = {"URL": stack.url, "TOKEN": stack.token()}
    exec(helper + example, scope)  # noqa: S102  the page's own code

    assert capsys.readouterr().out == "3.03\n"


def test_the_page_s_helper_outlasts_outages_and_gives_up_in_time(ours, stack):
    [helper, _] = PAGE.section("Wait in Python").blocks("python")
    scope: dict[str, Any] = {}
    exec(helper, scope)  # noqa: S102  the page's own code
    body = ours.SyncInvoicesRequest(customer_id="cus_ada")
    accepted = ours.call("actions.sync_invoices", body=body, delay=1).parsed

    stack.web.kill()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(scope["wait_for"], ours.client, accepted)
        stack.start()
        assert waiting.result(PATIENCE).status is ours.Status.OK

    late = ours.call("actions.sync_invoices", body=body, delay=3600).parsed
    with pytest.raises(TimeoutError, match=f"Report {late.id} is not final after 0 s"):
        scope["wait_for"](ours.client, late, seconds=0)
    late.id = uuid4()
    with pytest.raises(RuntimeError, match="report_not_found"):
        scope["wait_for"](ours.client, late)
