from decimal import Decimal

import pytest

from sandbox.faults import Fault
from services.invoices import client as module
from services.invoices.errors import (
    CustomerExistsError,
    CustomerNotFoundError,
    InvoiceReferenceTakenError,
    InvoicesPlusRequestError,
    InvoicesPlusResponseError,
    InvoicesPlusResponseTooLargeError,
    InvoicesPlusUnavailableError,
)
from services.invoices.records import CustomerRecord

INVOICE = {
    "id": "inv_1",
    "customer_id": "cus_ada",
    "number": "1",
    "amount": "1.00",
    "currency": "EUR",
    "issued_on": "2024-01-01",
}


def test_lists_customers(client):
    assert [customer.id for customer in client.customers()] == ["cus_ada", "cus_grace", "cus_edsger", "cus_alan"]


def test_reads_all_pages(client, calls):
    invoices = list(client.invoices("cus_grace"))
    assert len({invoice.id for invoice in invoices}) == 120
    assert {invoice.customer_id for invoice in invoices} == {"cus_grace"}
    assert len(calls) == 3


def test_reads_no_page_that_nobody_wants(client, calls):
    assert next(client.invoices("cus_grace")).amount == Decimal("1.01")
    assert len(calls) == 1


def test_a_customer_without_invoices_has_none(client):
    assert list(client.invoices("cus_edsger")) == []


def test_a_failure_on_a_later_page_is_a_failure(client, sandbox):
    pages = client.invoices("cus_grace")
    next(pages)
    sandbox.faults.switch_on(Fault(kind="status", status=503))
    with pytest.raises(InvoicesPlusUnavailableError):
        list(pages)


def test_an_unknown_customer_has_no_invoices_to_list(client):
    with pytest.raises(CustomerNotFoundError, match="cus_gone"):
        list(client.invoices("cus_gone"))


@pytest.mark.parametrize("customer_id", ["", "..", "../customers", "cus_ada/invoices?", "cus ada", "ä", "x" * 65])
def test_what_is_no_id_never_becomes_part_of_a_path(client, calls, customer_id):
    with pytest.raises(CustomerNotFoundError, match="no id"):
        list(client.invoices(customer_id))
    assert calls == []


def test_an_unknown_address_is_not_an_unknown_customer(client, say):
    """A wrong INVOICES_PLUS_URL answers 404 as well."""
    say(404, {})
    with pytest.raises(InvoicesPlusRequestError):
        list(client.customers())


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"data": []},
        {"next_page": None},
        {"data": {}, "next_page": None},
        {"data": [], "next_page": "2"},
        {"data": [], "next_page": 1.5},
        {"data": [], "next_page": 1},
        {"data": [], "next_page": 3},
        {"data": [], "next_page": True},
        {"data": ["invoice"], "next_page": None},
        {"data": [{}], "next_page": None},
        {"data": [{**INVOICE, "amount": 1.5}], "next_page": None},
        {"data": [{**INVOICE, "customer_id": "cus_grace"}], "next_page": None},
    ],
)
def test_an_answer_that_is_not_what_was_promised(client, say, document):
    say(200, document)
    with pytest.raises(InvoicesPlusResponseError) as failure:
        list(client.invoices("cus_ada"))
    assert type(failure.value) is InvoicesPlusResponseError


def test_pages_without_end_are_not_followed(client, say):
    asked = []

    def page(call):
        asked.append(int(call.query["page"]))
        return {"data": [], "next_page": asked[-1] + 1}

    say(200, page)
    with pytest.raises(InvoicesPlusResponseTooLargeError, match="100 pages"):
        list(client.customers())
    assert asked == list(range(1, module.MAX_PAGES + 1))


def test_the_last_page_that_is_allowed_is_read(client, monkeypatch):
    monkeypatch.setattr(module, "MAX_PAGES", 3)
    assert len(list(client.invoices("cus_grace"))) == 120
    monkeypatch.setattr(module, "MAX_PAGES", 2)
    with pytest.raises(InvoicesPlusResponseTooLargeError):
        list(client.invoices("cus_grace"))


def test_finds_a_customer(client):
    assert client.find_customer("ADA@example.com") == CustomerRecord("cus_ada", "ada@example.com", "Ada Lovelace")
    assert client.find_customer("nobody@example.com") is None


def test_finds_an_address_with_characters_that_mean_something_in_a_url(client):
    created = client.create_customer("a+b&email=ada@example.com", "A")
    assert client.find_customer("a+b&email=ada@example.com") == created


def test_takes_nobody_else_for_the_customer(client, say):
    """Should InvoicesPlus search for similar addresses, or not know the parameter at all."""
    say(200, {"data": [{"id": "cus_ada", "email": "ada@example.com", "name": "Ada"}], "next_page": None})
    assert client.find_customer("adam@example.com") is None


def test_creates_a_customer(client):
    created = client.create_customer("new@example.com", "New")
    assert client.find_customer("new@example.com") == created


def test_a_customer_that_exists(client):
    with pytest.raises(CustomerExistsError):
        client.create_customer("ada@example.com", "Ada")


def test_a_customer_that_is_refused(client):
    with pytest.raises(InvoicesPlusRequestError, match="email is not an email address"):
        client.create_customer("no address", "Ada")


def test_the_same_reference_writes_one_invoice(client):
    order = ("cus_ada", Decimal("12.50"), "EUR", "order-1")
    invoice = client.create_invoice(*order)
    assert client.create_invoice(*order) == invoice
    assert invoice.amount == Decimal("12.50")
    assert [one.id for one in client.invoices("cus_ada")].count(invoice.id) == 1


def test_a_reference_that_stands_for_something_else(client):
    client.create_invoice("cus_ada", Decimal("12.50"), "EUR", "order-1")
    with pytest.raises(InvoiceReferenceTakenError):
        client.create_invoice("cus_ada", Decimal("12.51"), "EUR", "order-1")


def test_an_invoice_for_nobody(client):
    with pytest.raises(CustomerNotFoundError, match="cus_gone"):
        client.create_invoice("cus_gone", Decimal("12.50"), "EUR", "order-1")


def test_an_address_with_a_path_of_its_own(sandbox, settings, say):
    asked = []
    say(200, lambda call: asked.append(call.path) or {"data": [], "next_page": None})
    settings.INVOICES_PLUS_URL = f"{sandbox.url}/api/v2/"
    with module.InvoicesPlusClient.from_settings() as client:
        list(client.customers())
    assert asked == ["/api/v2/customers"]
