from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import TracebackType
from typing import Self

from django.conf import settings

from services.invoices.connection import InvoicesPlusConnection
from services.invoices.errors import (
    CustomerExistsError,
    CustomerNotFoundError,
    InvoiceReferenceTakenError,
    InvoicesPlusError,
    InvoicesPlusResponseError,
    InvoicesPlusResponseTooLargeError,
)
from services.invoices.records import CustomerRecord, InvoiceRecord, email_key, id_from

MAX_PAGES = 100


class InvoicesPlusClient:
    """The API of InvoicesPlus.

    Use it as a context manager::

        with InvoicesPlusClient.from_settings() as client:
            invoices = list(client.invoices("cus_ada"))

    Every call may raise InvoicesPlusUnavailableError, InvoicesPlusRateLimitedError, InvoicesPlusAuthenticationError,
    InvoicesPlusRequestError and InvoicesPlusResponseError; what else it may raise stands with it.
    """

    def __init__(self, url: str, api_key: str, timeout: float) -> None:
        self._connection = InvoicesPlusConnection(url, api_key, timeout)

    @classmethod
    def from_settings(cls) -> Self:
        return cls(settings.INVOICES_PLUS_URL, settings.INVOICES_PLUS_API_KEY, settings.INVOICES_PLUS_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def customers(self) -> Iterator[CustomerRecord]:
        """Every customer, page after page."""
        return map(CustomerRecord.from_json, self._items("/customers"))

    def find_customer(self, email: str) -> CustomerRecord | None:
        """The customer with this email address, or None."""
        found = map(CustomerRecord.from_json, self._items("/customers", query={"email": email}))
        return next((customer for customer in found if customer.email == email_key(email)), None)

    def create_customer(self, email: str, name: str) -> CustomerRecord:
        """Create a customer. Raises CustomerExistsError when the email address is taken."""
        document = self._connection.call(
            "POST", "/customers", document={"email": email, "name": name}, errors={409: CustomerExistsError()}
        )
        return CustomerRecord.from_json(document)

    def invoices(self, customer_id: str) -> Iterator[InvoiceRecord]:
        """Every invoice of one customer, page after page. Raises CustomerNotFoundError."""
        for item in self._items(_invoices_path(customer_id), errors={404: _unknown(customer_id)}):
            invoice = InvoiceRecord.from_json(item)
            if invoice.customer_id != customer_id:
                raise InvoicesPlusResponseError(
                    f"InvoicesPlus gave an invoice of {invoice.customer_id} among those of {customer_id}."
                )
            yield invoice

    def create_invoice(self, customer_id: str, amount: Decimal, currency: str, reference: str) -> InvoiceRecord:
        """Write an invoice. The same again under the same reference gives the same invoice and writes nothing.

        Raises CustomerNotFoundError, and InvoiceReferenceTakenError when the reference stands for something else.
        """
        document = self._connection.call(
            "POST",
            "/invoices",
            document={
                "customer_id": customer_id,
                "amount": str(amount),
                "currency": currency,
                "reference": reference,
            },
            errors={404: _unknown(customer_id), 409: InvoiceReferenceTakenError()},
        )
        return InvoiceRecord.from_json(document)

    def _items(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        errors: Mapping[int, InvoicesPlusError] | None = None,
    ) -> Iterator[object]:
        for page in range(1, MAX_PAGES + 1):
            document = self._connection.call("GET", path, query={**(query or {}), "page": page}, errors=errors)
            match document:
                case {"data": list(items), "next_page": int() | None as next_page}:
                    yield from items
                case _:
                    raise InvoicesPlusResponseError(f"GET {path}: the answer of InvoicesPlus is not a page.")
            if next_page is None:
                return
            if next_page != page + 1:
                raise InvoicesPlusResponseError(f"GET {path}: InvoicesPlus lets page {next_page} follow page {page}.")
        raise InvoicesPlusResponseTooLargeError(f"GET {path}: InvoicesPlus has more than {MAX_PAGES} pages.")


def _invoices_path(customer_id: str) -> str:
    try:
        return f"/customers/{id_from(customer_id)}/invoices"
    except ValueError:
        raise CustomerNotFoundError(
            f"InvoicesPlus cannot have a customer {customer_id!r:.80}: that is no id."
        ) from None


def _unknown(customer_id: str) -> CustomerNotFoundError:
    return CustomerNotFoundError(f"InvoicesPlus has no customer {customer_id}.")
