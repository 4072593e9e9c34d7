"""The actions of InvoicesPlus."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from api.actions import ActionApi
from services.invoices.errors import (
    CustomerExistsError,
    CustomerNotFoundError,
    InvoiceInvalidError,
    InvoiceReferenceTakenError,
    InvoicesPlusAuthenticationError,
    InvoicesPlusRateLimitedError,
    InvoicesPlusRequestError,
    InvoicesPlusResponseError,
    InvoicesPlusResponseTooLargeError,
    InvoicesPlusUnavailableError,
)
from tasks import invoices

# What every action fails with that calls InvoicesPlus.
_OF_INVOICES_PLUS = (
    InvoicesPlusUnavailableError,
    InvoicesPlusRateLimitedError,
    InvoicesPlusAuthenticationError,
    InvoicesPlusRequestError,
    InvoicesPlusResponseError,
    InvoicesPlusResponseTooLargeError,
)


class _Totals(serializers.DictField):
    child = serializers.CharField()


class _Words(serializers.RegexField):
    """A text that is more than white space."""

    default_error_messages = {"invalid": "This may not be white space alone."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"\S", **kwargs)


class SyncInvoicesApi(ActionApi):
    """Fetch a customer's invoices from InvoicesPlus and store them."""

    name = "sync-invoices"
    canvas = invoices.sync_invoices
    example = {"customer_id": "cus_ada"}
    errors = (*_OF_INVOICES_PLUS, CustomerNotFoundError)
    filterable = ("customer_id",)

    class InputSerializer(serializers.Serializer):
        customer_id = serializers.RegexField(
            r"^[A-Za-z0-9_-]{1,64}\Z", max_length=64, help_text="Id of the customer at InvoicesPlus."
        )

    class OutputSerializer(serializers.Serializer):
        stored = serializers.IntegerField(min_value=0, help_text="Number of invoices.")
        totals = _Totals(help_text="Sum of the invoices in each currency.")


class EnsureCustomerApi(ActionApi):
    """See that there is a customer with this email address, at InvoicesPlus and here."""

    name = "ensure-customer"
    canvas = invoices.ensure_customer
    example = {"email": "ada@example.com", "name": "Ada Lovelace"}
    errors = (*_OF_INVOICES_PLUS, CustomerExistsError)
    filterable = ("email",)

    class InputSerializer(serializers.Serializer):
        email = serializers.EmailField(max_length=254)
        name = _Words(max_length=200, help_text="Used where the customer has to be created.")

    class OutputSerializer(serializers.Serializer):
        id = serializers.CharField(help_text="Id of the customer at InvoicesPlus.")
        email = serializers.EmailField()
        name = serializers.CharField()


class InvoiceCustomerApi(ActionApi):
    """Write an invoice for a customer, who is created where necessary.

    The reference stands for the invoice: asked for twice with the same reference, one invoice is written.
    The same reference with another customer, amount or currency fails.
    """

    name = "invoice-customer"
    canvas = invoices.invoice_customer
    example = {"email": "ada@example.com", "name": "Ada Lovelace", "amount": "12.50", "reference": "2026-117"}
    errors = (
        *_OF_INVOICES_PLUS,
        InvoiceReferenceTakenError,
        InvoiceInvalidError,
        CustomerExistsError,
        CustomerNotFoundError,
    )
    filterable = ("email", "reference")

    class InputSerializer(serializers.Serializer):
        email = serializers.EmailField(max_length=254)
        name = _Words(max_length=200, help_text="Used where the customer has to be created.")
        amount = serializers.DecimalField(
            max_digits=12, decimal_places=2, min_value=Decimal("0.01"), help_text='Above 0, such as "12.50".'
        )
        currency = serializers.RegexField(r"^[A-Z]{3}\Z", default="EUR")
        reference = _Words(
            max_length=100, required=False, help_text="Your own number for the invoice; a new one without it."
        )

    class OutputSerializer(serializers.Serializer):
        id = serializers.CharField(help_text="Id of the invoice at InvoicesPlus.")
        customer_id = serializers.CharField()
        number = serializers.CharField()
        amount = serializers.DecimalField(max_digits=12, decimal_places=2)
        currency = serializers.CharField()
        issued_on = serializers.DateField()


class SyncAllInvoicesApi(ActionApi):
    """Fetch and store the invoices of all customers, side by side."""

    name = "sync-all-invoices"
    canvas = invoices.sync_all_invoices
    errors = (*_OF_INVOICES_PLUS, CustomerNotFoundError)

    class InputSerializer(serializers.Serializer):
        pass

    class OutputSerializer(serializers.Serializer):
        customers = serializers.IntegerField(min_value=0)
        stored = serializers.IntegerField(min_value=0, help_text="Number of invoices.")
        totals = _Totals(help_text="Sum of the invoices in each currency.")
