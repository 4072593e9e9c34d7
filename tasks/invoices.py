"""The actions of InvoicesPlus: what runs after what. The work itself is done in services.invoices."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import uuid4

from celery import chain, group, shared_task
from celery.canvas import Signature
from celery.exceptions import Retry
from django.db import IntegrityError, OperationalError

from services.invoices import customers, invoices, summaries
from services.invoices.errors import InvoicesPlusUnavailableError
from services.invoices.records import CustomerRow, InvoiceRow
from services.invoices.summaries import CustomersSummary, InvoicesSummary
from tasks.base import BaseTask
from tasks.chainable import chainable

Plan = tuple[Signature[Any], ...]


class InvoicesPlusBaseTask(BaseTask):
    """Tries again, later and later, where time may help: every function that these tasks call may be repeated.

    InvoicesPlus is not available, the database is not, or another transaction was in the way of this one.
    """

    abstract = True
    autoretry_for = (InvoicesPlusUnavailableError, OperationalError, IntegrityError)
    retry_backoff = True
    retry_backoff_max = 60  # seconds
    retry_jitter = True
    max_retries = 5

    def retry(self, *args: Any, **options: Any) -> Retry:
        """Try again, but not before InvoicesPlus wants to be asked again."""
        error = options.get("exc")
        if isinstance(error, InvoicesPlusUnavailableError) and error.retry_after is not None:
            options["countdown"] = max(options.get("countdown") or 0, error.retry_after)
        return super().retry(*args, **options)


@shared_task(base=InvoicesPlusBaseTask, name="invoices.fetch")
def __fetch_invoices(customer_id: str) -> list[InvoiceRow]:
    return invoices.fetch_invoices(customer_id)


@shared_task(base=InvoicesPlusBaseTask, name="invoices.store")
def __store_invoices(rows: list[InvoiceRow]) -> InvoicesSummary:
    return invoices.store_invoices(rows)


@shared_task(base=InvoicesPlusBaseTask, name="invoices.find_customer")
def __find_customer(email: str, name: str) -> CustomerRow:
    return customers.find_customer(email, name)


@shared_task(base=InvoicesPlusBaseTask, name="invoices.look_up_customer")
def __look_up_customer(customer: CustomerRow) -> CustomerRow:
    return customers.look_up_customer(customer)


@shared_task(base=InvoicesPlusBaseTask, name="invoices.create_customer")
def __create_customer(customer: CustomerRow) -> CustomerRow:
    return customers.create_customer(customer)


@shared_task(base=InvoicesPlusBaseTask, name="invoices.store_customer")
def __store_customer(customer: CustomerRow) -> CustomerRow:
    return customers.store_customer(customer)


@shared_task(base=InvoicesPlusBaseTask, name="invoices.create")
def __create_invoice(customer: CustomerRow, amount: str, currency: str, reference: str) -> InvoiceRow:
    return invoices.create_invoice(customer, amount, currency, reference)


@shared_task(base=InvoicesPlusBaseTask, name="invoices.list_customers")
def __list_customers() -> list[CustomerRow]:
    return customers.list_customers()


@shared_task(base=InvoicesPlusBaseTask, name="invoices.sync_customers")
def __sync_customers(listed: list[CustomerRow]) -> Plan:
    stored = customers.store_customers(listed)
    return sync_each(customer.id for customer in stored)


@shared_task(name="invoices.summarise")
def __summarise(each: list[InvoicesSummary]) -> CustomersSummary:
    return summaries.summarise(each)


@chainable
def sync_invoices(customer_id: str) -> Plan:
    """Fetch a customer's invoices and store them. Result: InvoicesSummary."""
    return __fetch_invoices.si(customer_id), __store_invoices.s()


@chainable
def ensure_customer(email: str, name: str) -> Plan:
    """See that there is a customer with this email address, there and here. Result: CustomerRow."""
    return __find_customer.si(email, name), __look_up_customer.s(), __create_customer.s(), __store_customer.s()


@chainable
def invoice_customer(
    email: str, name: str, amount: Decimal | str, currency: str = "EUR", reference: str | None = None
) -> Plan:
    """Write an invoice for a customer, who is created where necessary. Result: InvoiceRow.

    The reference is what makes repeating it harmless. Without one, each call of this function means another invoice.
    """
    order = {"amount": str(amount), "currency": currency, "reference": reference or uuid4().hex}
    return *ensure_customer(email, name), __create_invoice.s(**order)


@chainable
def sync_each(customer_ids: Iterable[str]) -> Signature[Any]:
    """Sync the invoices of these customers, side by side. Result: a list of InvoicesSummary, in the same order."""
    return group([chain(*sync_invoices(customer_id)) for customer_id in customer_ids])


@chainable
def sync_all_invoices() -> Plan:
    """Sync the invoices of all customers, however many there are. Result: CustomersSummary."""
    return __list_customers.si(), __sync_customers.s(), __summarise.s()
