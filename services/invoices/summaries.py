from collections.abc import Iterable
from decimal import Decimal
from typing import TypedDict

from services.invoices.money import totals_of
from services.invoices.records import InvoiceRecord


class InvoicesSummary(TypedDict):
    """How many invoices, and their sum in each currency: {"stored": 2, "totals": {"EUR": "12.50"}}."""

    stored: int
    totals: dict[str, str]


class CustomersSummary(TypedDict):
    """The summaries of so many customers, added up."""

    customers: int
    stored: int
    totals: dict[str, str]


def summary_of(invoices: Iterable[InvoiceRecord]) -> InvoicesSummary:
    """Count and add up invoices."""
    invoices = list(invoices)
    return InvoicesSummary(
        stored=len(invoices), totals=totals_of((invoice.currency, invoice.amount) for invoice in invoices)
    )


def summarise(summaries: Iterable[InvoicesSummary]) -> CustomersSummary:
    """Add up the summaries of several customers."""
    summaries = list(summaries)
    return CustomersSummary(
        customers=len(summaries),
        stored=sum(summary["stored"] for summary in summaries),
        totals=totals_of(
            (currency, Decimal(total)) for summary in summaries for currency, total in summary["totals"].items()
        ),
    )
