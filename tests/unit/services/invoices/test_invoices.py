import json
from datetime import date
from decimal import Decimal

import pytest

from sandbox.faults import Fault
from services.invoices import invoices
from services.invoices.errors import (
    CustomerNotFoundError,
    InvoiceInvalidError,
    InvoiceReferenceTakenError,
    InvoicesPlusRateLimitedError,
    InvoicesPlusResponseError,
    InvoicesPlusUnavailableError,
)
from services.invoices.models import Customer, Invoice
from tests.unit.services.invoices.rush import at_once

pytestmark = pytest.mark.django_db

ADA = {"id": "cus_ada", "email": "ada@example.com", "name": "Ada Lovelace"}


def row(place, **changes):
    return {
        "id": f"inv_{place}",
        "customer_id": "cus_ada",
        "number": f"2024-{place}",
        "amount": "10.50",
        "currency": "EUR",
        "issued_on": "2024-12-31",
    } | changes


def stored():
    return list(Invoice.objects.order_by("third_party_id").values_list("third_party_id", "amount"))


def test_fetches_and_stores_all_invoices_of_a_customer(sandbox):
    rows = json.loads(json.dumps(invoices.fetch_invoices("cus_grace")))
    summary = invoices.store_invoices(rows)
    assert summary == {"stored": 120, "totals": {"EUR": "4834.00", "USD": "2477.60"}}
    assert json.loads(json.dumps(summary)) == summary
    assert Invoice.objects.filter(customer__third_party_id="cus_grace").count() == 120


def test_fetching_may_be_repeated(sandbox):
    assert invoices.fetch_invoices("cus_grace") == invoices.fetch_invoices("cus_grace")


def test_a_customer_without_invoices(sandbox):
    assert invoices.store_invoices(invoices.fetch_invoices("cus_edsger")) == {"stored": 0, "totals": {}}


@pytest.mark.parametrize(
    ("customer_id", "error"),
    [
        ("cus_gone", CustomerNotFoundError),
        ("cus_broken", InvoicesPlusUnavailableError),
        ("cus_limited", InvoicesPlusRateLimitedError),
        ("cus_garbled", InvoicesPlusResponseError),
    ],
)
def test_the_customers_of_the_sandbox_that_fail(sandbox, customer_id, error):
    with pytest.raises(error) as failure:
        invoices.fetch_invoices(customer_id)
    assert type(failure.value) is error


def test_stores_what_it_was_given():
    invoices.store_invoices([row(1, amount="-3", currency="USD")])
    invoice = Invoice.objects.select_related("customer").get()
    assert (invoice.third_party_id, invoice.number, invoice.currency) == ("inv_1", "2024-1", "USD")
    assert (invoice.amount, invoice.issued_on) == (Decimal("-3.00"), date(2024, 12, 31))
    assert invoice.customer.third_party_id == "cus_ada"


def test_storing_may_be_repeated():
    rows = [row(1), row(2, amount="0.01")]
    assert invoices.store_invoices(rows) == invoices.store_invoices(rows) == {"stored": 2, "totals": {"EUR": "10.51"}}
    assert stored() == [("inv_1", Decimal("10.50")), ("inv_2", Decimal("0.01"))]


def test_storing_brings_up_to_date_and_adds():
    invoices.store_invoices([row(1), row(2)])
    before = Invoice.objects.get(third_party_id="inv_1").pk
    changes = {"number": "new", "amount": "7.00", "currency": "USD", "issued_on": "2025-01-01"}
    invoices.store_invoices([row(1, customer_id="cus_alan", **changes), row(3)])
    invoice = Invoice.objects.get(third_party_id="inv_1")
    assert invoice.pk == before
    assert invoice.customer.third_party_id == "cus_alan"
    assert (invoice.number, invoice.amount, invoice.currency) == ("new", 7, "USD")
    assert invoice.issued_on == date(2025, 1, 1)
    assert Invoice.objects.count() == 3


def test_of_an_invoice_listed_twice_the_last_word_counts():
    assert invoices.store_invoices([row(1), row(1, amount="7.00")]) == {"stored": 1, "totals": {"EUR": "7.00"}}
    assert stored() == [("inv_1", Decimal("7.00"))]


def test_a_customer_that_is_known_stays_as_it_is():
    Customer.objects.create(third_party_id="cus_ada", email="ada@example.com", name="Ada Lovelace")
    invoices.store_invoices([row(1)])
    customer = Customer.objects.get()
    assert (customer.email, customer.name) == ("ada@example.com", "Ada Lovelace")


def test_the_largest_amount_fits():
    invoices.store_invoices([row(1, amount="9999999999.99")])
    assert Invoice.objects.get().amount == Decimal("9999999999.99")


@pytest.mark.parametrize("bad", [{}, None, row(2, amount=10.5), row(2, issued_on="soon")])
def test_a_row_that_is_no_invoice_is_refused_and_nothing_stored(bad):
    with pytest.raises(InvoicesPlusResponseError):
        invoices.store_invoices([row(1), bad])
    assert not Invoice.objects.exists()
    assert not Customer.objects.exists()


def test_thousands_of_invoices_take_few_queries(django_assert_max_num_queries):
    rows = [row(n) for n in range(5_000)]
    with django_assert_max_num_queries(60):  # SQLite takes a few hundred rows a statement
        invoices.store_invoices(rows)
    assert Invoice.objects.count() == 5_000


def test_writes_an_invoice_there_and_stores_it_here(sandbox):
    written = invoices.create_invoice(ADA, "12.5", "EUR", "order-1")
    assert written in sandbox.books.invoices("cus_ada")
    assert written["amount"] == "12.50"
    assert stored() == [(written["id"], Decimal("12.50"))]


def test_writing_may_be_repeated(sandbox):
    written = invoices.create_invoice(ADA, "12.50", "EUR", "order-1")
    assert invoices.create_invoice(ADA, "12.5", "EUR", "order-1") == written
    assert len(sandbox.books.invoices("cus_ada")) == 4
    assert len(stored()) == 1


def test_an_answer_that_was_lost_does_not_write_the_invoice_twice(sandbox):
    sandbox.faults.switch_on(Fault(kind="disconnect", method="POST", after=True))
    with pytest.raises(InvoicesPlusUnavailableError):
        invoices.create_invoice(ADA, "12.50", "EUR", "order-1")
    assert len(sandbox.books.invoices("cus_ada")) == 4
    written = invoices.create_invoice(ADA, "12.50", "EUR", "order-1")
    assert sandbox.books.invoices("cus_ada")[3:] == [written]


def test_a_reference_that_is_taken(sandbox):
    invoices.create_invoice(ADA, "12.50", "EUR", "order-1")
    with pytest.raises(InvoiceReferenceTakenError):
        invoices.create_invoice(ADA, "12.50", "USD", "order-1")
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("amount", "currency", "reference"),
    [
        ("0", "EUR", "order-1"),
        ("-1.00", "EUR", "order-1"),
        ("1.005", "EUR", "order-1"),
        ("99999999999", "EUR", "order-1"),
        (1.5, "EUR", "order-1"),
        ("1.00", "euro", "order-1"),
        ("1.00", "EUR", ""),
        ("1.00", "EUR", "x" * 101),
    ],
)
def test_an_invoice_that_makes_no_sense_is_never_sent(sandbox, calls, amount, currency, reference):
    with pytest.raises(InvoiceInvalidError, match=r"\AThe invoice cannot be written: "):
        invoices.create_invoice(ADA, amount, currency, reference)
    assert calls == []


def test_an_invoice_for_a_customer_that_is_gone(sandbox):
    with pytest.raises(CustomerNotFoundError, match="cus_gone"):
        invoices.create_invoice({**ADA, "id": "cus_gone"}, "12.50", "EUR", "order-1")
    assert stored() == []


def test_an_invoice_for_a_customer_that_was_not_created_yet(sandbox, calls):
    with pytest.raises(CustomerNotFoundError, match="no id yet"):
        invoices.create_invoice({**ADA, "id": None}, "12.50", "EUR", "order-1")
    assert calls == []


@pytest.mark.django_db(transaction=True)
def test_the_same_invoices_stored_at_once():
    rows = [row(n, customer_id=f"cus_{n % 3}") for n in range(200)]
    summaries = at_once(6, lambda n: invoices.store_invoices(rows if n % 2 else rows[::-1]))
    assert summaries == [{"stored": 200, "totals": {"EUR": "2100.00"}}] * 6
    assert len(stored()) == 200
    assert Customer.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_same_invoice_written_at_once(sandbox):
    written = at_once(6, lambda _: invoices.create_invoice(ADA, "12.50", "EUR", "order-1"))
    assert written == written[:1] * 6
    assert len(sandbox.books.invoices("cus_ada")) == 4
    assert len(stored()) == 1
