"""Every code that a report may fail with has a page that tells what it means."""

import pytest

from api import catalogue
from reports.codes import ENGINE_CODES

CODES = {*ENGINE_CODES, *(code.code for code in catalogue.error_codes())}


def test_all_of_them_are_listed(stranger):
    items = stranger.get("/errors").json()["items"]

    assert {item["code"] for item in items} == CODES
    assert len(items) == len(CODES) > 15


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_has_a_page(stranger, code):
    [item] = stranger.get(f"/errors/{code}").json()["items"]
    page = stranger.get(f"/errors/{code}", headers={"Accept": "text/html"}).content.decode()

    assert item["code"] == code
    assert item["description"].endswith(".")
    assert f"<code>{code}</code>" in page
    assert {True: "A retry may succeed.", False: "until something else is changed.", None: "may or may not succeed."}[
        item["retryable"]
    ] in page


def test_a_code_names_its_actions(stranger):
    [item] = stranger.get("/errors/customer_not_found").json()["items"]
    [engine] = stranger.get("/errors/worker_lost").json()["items"]

    assert item["actions"] == ["invoice-customer", "sync-all-invoices", "sync-invoices"]
    assert engine["actions"] is None


def test_an_unknown_code_has_none(stranger):
    response = stranger.get("/errors/nothing")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("retryable", [True, False, None])
def test_a_report_says_whether_a_retry_makes_sense(ada, ledger, retryable):
    error = LookupError("No customer cus_ada.")
    error.retryable = retryable
    report = ledger.accept()
    ledger.put_off(report, error)
    ledger.fail(report, error)

    body = ada.get(f"/reports/{report}").json()
    task = ada.get(f"/reports/{report}/tasks").json()["items"][0]
    [listed] = ada.get("/reports").json()["items"]

    for failed in (body, task, listed):
        assert failed["error"]["retryable"] is retryable
    assert [attempt["retryable"] for attempt in task["errors"]] == [retryable, retryable]


def test_it_is_known_of_earlier_errors_too(ada, ledger):
    error = LookupError("No customer cus_ada.")
    error.retryable = False
    report = ledger.accept()
    ledger.fail(report, error)
    ledger.resume(report)

    body = ada.get(f"/reports/{report}").json()

    assert (body["error"], body["errors"][0]["retryable"]) == (None, False)
