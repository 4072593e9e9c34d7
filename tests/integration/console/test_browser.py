"""An operator's night in a real browser: real web server, worker and InvoicesPlus."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.contrib.auth.models import Group

from reports.models import AsyncActionReport, Intervention
from stack.process import wait_for
from stack.sandbox import API_KEY
from tests.browser import PATIENCE, Browser, browser, new_person, what_is_missing

# The pages' statements are tested on both databases by others, without a browser.
pytestmark = pytest.mark.once

LIST = "/admin/reports/asyncactionreport/"


@pytest.fixture
def operator(stack: Any, tmp_path: Path) -> Iterator[Browser]:
    """Return the browser of a person who may see and do everything, and who is logged in."""
    with logged_in(stack, tmp_path, "operator", is_superuser=True) as page:
        yield page


@pytest.fixture
def olga(stack: Any, tmp_path: Path) -> Iterator[Browser]:
    """Return the browser of a person who has the role of an operator and nothing more."""
    with logged_in(stack, tmp_path, "olga", role="operator") as page:
        yield page


@contextmanager
def logged_in(stack: Any, folder: Path, name: str, *, role: str = "", **attributes: Any) -> Iterator[Browser]:
    if missing := what_is_missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    new_person(name, "at 3 a.m.", **attributes).groups.set(Group.objects.filter(name=role))
    with browser(stack.url, folder / "profile") as page:
        page.open("/admin/")
        page.log_in(name, "at 3 a.m.")
        yield page
        # Whatever a test has done, no script has failed and nothing was forbidden.
        assert page.complaints() == []


@pytest.fixture
def faults(stack: Any) -> Iterator[Any]:
    """Return a function that switches these faults of InvoicesPlus on, in place of all others."""
    with httpx.Client(
        base_url=stack.sandbox.url, headers={"Authorization": f"Bearer {API_KEY}"}, trust_env=False
    ) as sandbox:

        def switch_on(*faults: dict[str, Any]) -> None:
            sandbox.put("/faults", json={"faults": faults}).raise_for_status()

        yield switch_on
        switch_on()


def ask(stack: Any, action: str, **parameters: Any) -> str:
    with stack.client("billing") as client:
        return str(client.post(f"/actions/{action}", json=parameters).raise_for_status().json()["id"])


def wait_until(report: str, status: str) -> None:
    assert wait_for(lambda: AsyncActionReport.objects.get(id=report).status == status, PATIENCE)


def test_finds_the_failed_report_and_reads_its_error(stack, faults, operator):
    wait_until(ask(stack, "sync-invoices", customer_id="cus_ada"), "ok")
    faults({"kind": "status", "status": 400, "path": "/customers/cus_ada/", "count": 1000})
    failed = ask(stack, "sync-invoices", customer_id="cus_ada")
    wait_until(failed, "failed")

    # Something has failed: the first page says what, once it is read anew.
    assert "sync-invoices" in operator.open_until("/admin/", "#failures").text
    # Which report it was.
    operator.follow("Reports")
    operator.wait_for("#reports")
    operator.find(".aa-chips [href*='status=failed']").click()
    operator.wait_for(".aa-on", "failed")
    assert operator.find("#reports tbody").text.count("sync-invoices") == 1
    operator.follow("sync-invoices")
    # What the client was told, and below, in the task that failed, what is not for clients.
    assert "InvoicesPlus" in operator.wait_for("#error").text
    assert operator.driver.current_url.endswith(f"{LIST}{failed}/change/")
    operator.wait_for("#steps summary", "invoices.fetch").click()
    assert "Traceback (most recent call last)" in operator.wait_for("#steps pre").text


def test_watches_an_action_until_it_is_ok(stack, operator):
    stack.worker.pause()
    try:
        report = ask(stack, "sync-invoices", customer_id="cus_ada")
        operator.open(f"{LIST}{report}/change/")
        operator.wait_for("#facts .aa-badge", "pending")
        operator.wait_for("#steps summary", "invoices.fetch").click()
        operator.wait_for("#steps pre", '"args"')
    finally:
        stack.worker.resume()

    # Nobody loads the page again, and what was open stays open.
    operator.wait_for("#facts[data-final] .aa-badge", "ok")
    operator.wait_for("#steps [open] .aa-facts", "ok")
    assert operator.driver.find_elements("css selector", ".aa-live") == []


def test_what_others_write_is_never_run(stack, operator):
    evil = '<img src=x onerror="document.title=1"><i x-init="document.title=2" x-data></i>'
    report = ask(stack, "sync-invoices", customer_id="cus_ada")
    wait_until(report, "ok")
    tree = AsyncActionReport.objects.filter(root=report)
    tree.update(error_code="evil", error_message=evil, task=evil, parameters={"name": evil}, worker=evil)

    operator.open(f"{LIST}{report}/change/")
    assert evil in operator.wait_for("#error").text
    operator.find("details.aa-fold > summary").click()
    assert "x-init" in operator.wait_for(".aa-fold pre").text
    operator.find("#steps summary").click()
    assert evil in operator.wait_for("#steps .aa-facts").text
    assert operator.driver.title not in ("1", "2")


def test_retries_one_that_failed_then_all_of_them_and_watches_them_become_ok(stack, faults, olga):
    faults({"kind": "status", "status": 400, "path": "/customers/cus_ada/", "count": 1000})
    failed = [ask(stack, "sync-invoices", customer_id="cus_ada") for _ in range(3)]
    for report in failed:
        wait_until(report, "failed")

    olga.open(f"{LIST}?status=failed")
    olga.wait_for(f"#reports [href*='{failed[0]}']").click()
    assert "InvoicesPlus" in olga.wait_for("#error").text
    # No secrets for her: the role has no permission for them.
    olga.wait_for("#steps summary", "invoices.fetch").click()
    olga.wait_for("#steps .aa-note", "for those who may read them")
    assert "Traceback (most recent call last)" not in olga.find("#steps").text
    faults()
    stack.worker.pause()
    try:
        olga.follow("Retry")
        olga.fill("reason", "They have mended it.")
        olga.find("[name=confirmed]").click()
        olga.wait_for("#facts .aa-badge", "pending")
        olga.driver.execute_script("window.isTheSame = true")
    finally:
        stack.worker.resume()
    olga.wait_for("#facts[data-final] .aa-badge", "ok")
    assert olga.driver.execute_script("return window.isTheSame")

    olga.open(f"{LIST}?status=failed")
    olga.wait_for("#reports")
    assert not olga.find("[formaction*='/retry/']").is_enabled()
    olga.follow("Retry all that are found")
    olga.wait_for("#confirm h2", "Retry 2 reports?")
    olga.find("[name=confirmed]").click()
    olga.wait_for("#facts h2", "retry-reports")
    olga.wait_for("#facts[data-final] .aa-badge", "ok")
    for report in failed:
        wait_until(report, "ok")

    olga.follow("Journal")
    olga.wait_for("#result_list", "olga")
    operation = Intervention.objects.get(search__isnull=False)
    assert set(Intervention.objects.filter(part_of=operation).values_list("report", flat=True)) == {
        UUID(report) for report in failed[1:]
    }
    assert Intervention.objects.get(report=failed[0]).reason == "They have mended it."
