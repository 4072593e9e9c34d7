"""What the actions of InvoicesPlus are made of, and what becomes of them.

What their steps do is tested in tests/unit/services/invoices.
"""

import json
from decimal import Decimal
from unittest.mock import ANY

import httpx
import pytest

from api.invoices import InvoiceCustomerApi, SyncAllInvoicesApi, SyncInvoicesApi
from reports.plan import TaskNode
from sandbox.faults import Fault
from sandbox.server import Sandbox
from services.invoices.models import Invoice
from tasks import invoices
from tasks.canvas import plan_of
from testing.third_party import third_party
from testing.workbench import Workbench, run_action


def draw(node):
    if isinstance(node, TaskNode):
        return f"{node.task.removeprefix('invoices.')}{'' if node.takes_input else '!'}"
    return [draw(child) for child in node.children]


@pytest.mark.parametrize(
    ("signatures", "plan"),
    [
        (invoices.sync_invoices("cus_ada"), ["fetch!", "store"]),
        (
            invoices.ensure_customer("ada@example.com", "Ada"),
            ["find_customer!", "look_up_customer", "create_customer", "store_customer"],
        ),
        (
            invoices.invoice_customer("ada@example.com", "Ada", Decimal("9.50")),
            ["find_customer!", "look_up_customer", "create_customer", "store_customer", "create"],
        ),
        (invoices.sync_all_invoices(), ["list_customers!", "sync_customers", "summarise"]),
        (invoices.sync_each(["cus_ada", "cus_bob"]), [[["fetch!", "store"], ["fetch!", "store"]]]),
        (invoices.sync_each([]), [[]]),
    ],
    ids=["sync_invoices", "ensure_customer", "invoice_customer", "sync_all_invoices", "sync_each", "sync_none"],
)
def test_the_steps_of_each_action(signatures, plan):
    assert draw(plan_of(signatures)) == plan


def order(**options):
    (*_, last) = plan_of(invoices.invoice_customer("ada@example.com", "Ada", "9.50", **options)).children
    return json.loads(last.arguments)["kwargs"]


def test_an_order_keeps_its_amount_to_the_digit():
    assert order(currency="USD", reference="r1") == {"amount": "9.50", "currency": "USD", "reference": "r1"}


def test_an_order_without_a_reference_gets_one_that_its_retries_keep():
    assert order()["reference"] != order()["reference"]


# What becomes of them, with an InvoicesPlus over real HTTP or one that answers as it is told

PAGE = {"data": [], "next_page": None}


@pytest.fixture
def sandbox(settings):
    """An InvoicesPlus of the test's own, which the settings point to."""
    with Sandbox() as sandbox:
        settings.INVOICES_PLUS_URL = sandbox.url
        yield sandbox


@pytest.mark.django_db
def test_customers_and_their_invoices_are_stored_though_invoices_plus_has_faults(sandbox):
    sandbox.faults.switch_on(
        Fault(kind="status", status=503, count=3), Fault(kind="disconnect", path="/customers/cus_grace/")
    )
    run = run_action(SyncAllInvoicesApi, seed=1)
    assert run.expect_ok() == {"customers": 4, "stored": 124, "totals": ANY}
    assert Invoice.objects.count() == 124
    assert run.task("invoices.list_customers").retries == 3
    assert [fetch.retries for fetch in run.tasks if fetch.task == "invoices.fetch"] == [0, 1, 0, 0]


@pytest.mark.django_db
def test_a_customer_that_is_gone_fails_the_action(sandbox):
    run = run_action(SyncInvoicesApi, {"customer_id": "cus_gone"})
    assert run.expect_failed("customer_not_found").task == "invoices.fetch"
    assert run.statuses() == [("invoices.fetch", "failed"), ("invoices.store", "cancelled")]


@pytest.mark.django_db
def test_one_invoice_is_written_though_the_worker_that_wrote_it_was_lost(sandbox):
    order = {"email": "eve@example.com", "name": "Eve", "amount": "12.50", "reference": "R-1"}
    workbench = Workbench()
    workbench.lose_worker_at("invoices.create")
    run = workbench.request(InvoiceCustomerApi, order)
    workbench.settle()
    run.expect_failed("worker_lost")
    workbench.retry(run)
    workbench.settle()
    invoice = run.expect_ok()
    assert run.statuses()[-1] == ("invoices.create", "ok")
    assert [written["id"] for written in sandbox.books.invoices(invoice["customer_id"])] == [invoice["id"]]


@pytest.mark.django_db
def test_a_retry_waits_longer_each_time_and_as_long_as_invoices_plus_asks_for(monkeypatch):
    monkeypatch.setattr("celery.utils.time.random.randrange", lambda end: end - 1)  # no jitter
    answers = [httpx.Response(429, headers=asked) for asked in ({}, {"Retry-After": "60"}, {"Retry-After": "3"})]
    workbench = Workbench()
    run = workbench.request(SyncInvoicesApi, {"customer_id": "cus_ada"})
    with third_party(*answers, PAGE) as calls:
        workbench.settle()
    assert run.expect_ok() == {"stored": 0, "totals": {}}
    assert len(calls) == 4
    assert workbench.waited == pytest.approx(1 + 60 + 4, abs=1)


@pytest.mark.django_db
def test_it_gives_up_after_five_retries():
    with third_party(*[httpx.ConnectTimeout("No answer.")] * 6) as calls:
        run = run_action(SyncInvoicesApi, {"customer_id": "cus_ada"})
    run.expect_failed("invoices_plus_unavailable")
    assert (len(calls), run.task("invoices.fetch").attempts) == (6, 6)


@pytest.mark.django_db
def test_what_no_retry_heals_is_not_tried_again():
    with third_party(401) as calls:
        run = run_action(SyncInvoicesApi, {"customer_id": "cus_ada"})
    run.expect_failed("invoices_plus_authentication_failed")
    assert len(calls) == 1
