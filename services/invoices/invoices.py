"""Invoices: fetched from InvoicesPlus or written there, and stored here. Every function may be repeated at any time."""

from collections.abc import Iterable, Sequence

from django.db import transaction

from services.invoices.client import InvoicesPlusClient
from services.invoices.customers import introduce_customers
from services.invoices.errors import CustomerNotFoundError, InvoiceInvalidError
from services.invoices.models import Customer, Invoice
from services.invoices.money import amount_from, currency_from
from services.invoices.records import CustomerRow, InvoiceRecord, InvoiceRow, reference_from
from services.invoices.summaries import InvoicesSummary, summary_of


def fetch_invoices(customer_id: str) -> list[InvoiceRow]:
    """Fetch all invoices of one customer. Raises CustomerNotFoundError and the other InvoicesPlusErrors."""
    with InvoicesPlusClient.from_settings() as client:
        return [invoice.as_row() for invoice in client.invoices(customer_id)]


def store_invoices(rows: Sequence[InvoiceRow]) -> InvoicesSummary:
    """Store invoices: new ones are added, known ones brought up to date. Raises InvoicesPlusResponseError."""
    # An id may come twice: a page shifts when an invoice is written while the pages are read. The last word counts.
    records = {record.id: record for record in map(InvoiceRecord.from_json, rows)}
    _upsert(records.values())
    return summary_of(records.values())


def create_invoice(customer: CustomerRow, amount: str, currency: str, reference: str) -> InvoiceRow:
    """Write an invoice for a customer there and store it here. The same reference again writes nothing new.

    Raises InvoiceInvalidError, CustomerNotFoundError, InvoiceReferenceTakenError and the other InvoicesPlusErrors.
    """
    customer_id = customer["id"]
    if not customer_id:
        raise CustomerNotFoundError("The customer has no id yet: create it first.")
    try:
        price, currency, reference = amount_from(amount), currency_from(currency), reference_from(reference)
    except ValueError as error:
        raise InvoiceInvalidError(f"The invoice cannot be written: {error}.") from None
    if price <= 0:
        raise InvoiceInvalidError(f"The invoice cannot be written: its amount, {price}, is not above 0.")
    with InvoicesPlusClient.from_settings() as client:
        invoice = client.create_invoice(customer_id, price, currency, reference)
    _upsert([invoice])
    return invoice.as_row()


def _upsert(records: Iterable[InvoiceRecord]) -> None:
    # In one order everywhere, so that two who store the same invoices wait in line, not for each other.
    records = sorted(records, key=lambda record: (record.customer_id, record.id))
    customer_ids = {record.customer_id for record in records}
    with transaction.atomic():
        introduce_customers(customer_ids)
        customers = Customer.objects.in_bulk(list(customer_ids), field_name="third_party_id")
        Invoice.objects.bulk_create(
            [
                Invoice(
                    third_party_id=record.id,
                    customer=customers[record.customer_id],
                    number=record.number,
                    amount=record.amount,
                    currency=record.currency,
                    issued_on=record.issued_on,
                )
                for record in records
            ],
            update_conflicts=True,
            unique_fields=["third_party_id"],
            update_fields=["customer", "number", "amount", "currency", "issued_on"],
        )
