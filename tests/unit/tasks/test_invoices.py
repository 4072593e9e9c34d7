"""What the actions of InvoicesPlus are made of. What their steps do is tested in tests/unit/services/invoices."""

import json
from decimal import Decimal

import pytest

from reports.plan import TaskNode
from services.invoices.errors import InvoicesPlusUnavailableError
from tasks import invoices
from tasks.canvas import plan_of
from tasks.invoices import InvoicesPlusBaseTask


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


class Busy(InvoicesPlusBaseTask):
    name = "invoices.test_busy"

    def run(self):
        """Do nothing."""


@pytest.mark.parametrize(
    ("asked", "planned", "waited"), [(None, 5, 5), (60, 5, 60), (5, 60, 60), (7.5, None, 7.5)], ids=str
)
def test_a_retry_waits_as_long_as_invoices_plus_asks_for(asked, planned, waited, monkeypatch):
    seen = {}
    monkeypatch.setattr("tasks.base.BaseErrorHandlerMixin.retry", lambda _self, **options: seen.update(options))
    error = InvoicesPlusUnavailableError("Busy.", retry_after=asked)
    Busy().retry(exc=error, countdown=planned)
    assert seen == {"exc": error, "countdown": waited}
