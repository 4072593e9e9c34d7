"""Customers: known there, at InvoicesPlus, and stored here. Every function may be repeated at any time."""

from collections.abc import Iterable, Sequence

from django.db import transaction

from services.invoices.client import InvoicesPlusClient
from services.invoices.errors import CustomerExistsError
from services.invoices.models import Customer
from services.invoices.records import CustomerRecord, CustomerRow, email_key


def find_customer(email: str, name: str) -> CustomerRow:
    """Look for the customer here. Without one, the row has no id yet; with one, it has the stored name."""
    wanted = CustomerRow(id=None, email=email_key(email), name=name)
    stored = Customer.objects.filter(email=wanted["email"]).first()
    return CustomerRow(id=stored.third_party_id, email=wanted["email"], name=stored.name) if stored else wanted


def look_up_customer(customer: CustomerRow) -> CustomerRow:
    """Look for the customer there, unless it has an id. Raises InvoicesPlusError."""
    if customer["id"]:
        return customer
    with InvoicesPlusClient.from_settings() as client:
        found = client.find_customer(customer["email"])
    return found.as_row() if found else customer


def create_customer(customer: CustomerRow) -> CustomerRow:
    """Create the customer there, unless it has an id. Raises InvoicesPlusError."""
    if customer["id"]:
        return customer
    with InvoicesPlusClient.from_settings() as client:
        try:
            return client.create_customer(customer["email"], customer["name"]).as_row()
        except CustomerExistsError:
            # Somebody was faster: another action, or an earlier attempt of this one whose answer was lost.
            found = client.find_customer(customer["email"])
            if not found:
                raise
            return found.as_row()


def store_customer(customer: CustomerRow) -> CustomerRow:
    """Store one customer here. Raises InvoicesPlusResponseError for a row without an id."""
    return store_customers([customer])[0].as_row()


def list_customers() -> list[CustomerRow]:
    """Every customer there. Raises InvoicesPlusError."""
    with InvoicesPlusClient.from_settings() as client:
        return [customer.as_row() for customer in client.customers()]


def store_customers(customers: Sequence[CustomerRow]) -> list[CustomerRecord]:
    """Store customers here, as InvoicesPlus knows them, and return them, each once.

    Raises InvoicesPlusResponseError for a row that is no customer. Where somebody gives the same address to another
    customer at this moment, Django's IntegrityError or OperationalError is raised, and another try mends it.
    """
    # An id may come twice: a page shifts when a customer is created while the pages are read. The last word counts.
    records = {record.id: record for record in map(CustomerRecord.from_json, customers)}
    with transaction.atomic():
        # In one order everywhere, so that two who store the same customers wait in line, not for each other. Without an
        # address at first: PostgreSQL would take two new rows of one customer for two customers with one address.
        introduce_customers(records)
        list(Customer.objects.select_for_update().filter(third_party_id__in=records).order_by("third_party_id"))
        # An address may have moved from one customer to another: it is free before it is given away.
        Customer.objects.filter(email__in=[record.email for record in records.values()]).update(email=None)
        Customer.objects.bulk_create(
            [Customer(third_party_id=id_, email=one.email, name=one.name) for id_, one in records.items()],
            update_conflicts=True,
            unique_fields=["third_party_id"],
            update_fields=["email", "name"],
        )
    return list(records.values())


def introduce_customers(ids: Iterable[str]) -> None:
    """See that these customers have a row here, if only with their id."""
    Customer.objects.bulk_create([Customer(third_party_id=id_) for id_ in sorted(ids)], ignore_conflicts=True)
