import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoices.errors import InvoicesPlusResponseError
from services.invoices.records import CustomerRecord, InvoiceRecord, reference_from

INVOICE = {
    "id": "inv_1",
    "customer_id": "cus_1",
    "number": "2024-1",
    "amount": "12.5",
    "currency": "EUR",
    "issued_on": "2024-12-31",
}
CUSTOMER = {"id": "cus_1", "email": "Ada@Example.com", "name": "Ada"}

ids = st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(INVOICE)), inner),
)
invoices = st.builds(
    InvoiceRecord,
    id=ids,
    customer_id=ids,
    number=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=64),
    amount=st.decimals(min_value=-9_999_999_999, max_value=9_999_999_999, places=2).map(lambda amount: amount + 0),
    currency=st.sampled_from(["EUR", "USD"]),
    issued_on=st.dates(),
)


def test_reads_an_invoice():
    assert InvoiceRecord.from_json(INVOICE) == InvoiceRecord(
        "inv_1", "cus_1", "2024-1", Decimal("12.50"), "EUR", date(2024, 12, 31)
    )


def test_reads_a_customer():
    assert CustomerRecord.from_json(CUSTOMER) == CustomerRecord("cus_1", "ada@example.com", "Ada")


def test_what_is_new_in_their_api_does_no_harm():
    assert CustomerRecord.from_json({**CUSTOMER, "shoe_size": 42}) == CustomerRecord.from_json(CUSTOMER)


@given(invoices)
def test_an_invoice_survives_the_way_from_task_to_task(invoice):
    assert InvoiceRecord.from_json(json.loads(json.dumps(invoice.as_row()))) == invoice


@given(documents)
def test_anything_is_an_invoice_or_refused(document):
    try:
        InvoiceRecord.from_json(document)
    except InvoicesPlusResponseError as error:
        assert str(error).startswith("InvoicesPlus gave ")  # noqa: PT017  both ends are fine


@pytest.mark.parametrize("field", INVOICE)
def test_a_field_that_is_missing_is_named(field):
    with pytest.raises(InvoicesPlusResponseError, match=f"an invoice without '{field}'"):
        InvoiceRecord.from_json({name: value for name, value in INVOICE.items() if name != field})


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("id", "a/b", "the id"),
        ("id", "a" * 65, "the id"),
        ("customer_id", "", "the id"),
        ("number", 7, "the number is not a text"),
        ("number", "1" * 65, "longer than 64"),
        ("number", "1\x00", "NUL"),
        ("amount", 12.5, "the amount"),
        ("currency", "eur", "the currency"),
        ("issued_on", "31.12.2024", "the day"),
        ("issued_on", "2024-02-30", "the day"),
        ("issued_on", None, "the day"),
    ],
)
def test_an_invoice_that_cannot_be_read_says_why(field, value, problem):
    with pytest.raises(InvoicesPlusResponseError, match=problem):
        InvoiceRecord.from_json({**INVOICE, field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", None), ("email", "nobody"), ("email", "a@" + "b" * 253), ("name", "n" * 201), ("name", "\x00")],
)
def test_a_customer_that_cannot_be_read(field, value):
    with pytest.raises(InvoicesPlusResponseError, match="a customer that cannot be read"):
        CustomerRecord.from_json({**CUSTOMER, field: value})


@pytest.mark.parametrize("reference", ["", None, 7, "x" * 101, "a\x00"])
def test_what_is_no_reference(reference):
    with pytest.raises(ValueError, match="the reference"):
        reference_from(reference)
