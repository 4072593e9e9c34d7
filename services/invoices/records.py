"""What InvoicesPlus knows, as it travels: validated records, and the plain JSON rows that tasks hand to each other."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Self, TypedDict

from services.invoices.errors import InvoicesPlusResponseError
from services.invoices.money import amount_from, currency_from

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class CustomerRow(TypedDict):
    """A customer as JSON. Its id is null until InvoicesPlus has given it one."""

    id: str | None
    email: str
    name: str


class InvoiceRow(TypedDict):
    """An invoice as JSON: the amount is a string such as "12.50", the day of issue an ISO date."""

    id: str
    customer_id: str
    number: str
    amount: str
    currency: str
    issued_on: str


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    id: str
    email: str
    name: str

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Read a customer. Raises InvoicesPlusResponseError, which says what is wrong with it."""
        with _reading("a customer", document) as fields:
            return cls(
                id=id_from(fields["id"]),
                email=_email_from(fields["email"]),
                name=_text_from(fields["name"], "name", 200),
            )

    def as_row(self) -> CustomerRow:
        return CustomerRow(id=self.id, email=self.email, name=self.name)


@dataclass(frozen=True, slots=True)
class InvoiceRecord:
    id: str
    customer_id: str
    number: str
    amount: Decimal
    currency: str
    issued_on: date

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Read an invoice. Raises InvoicesPlusResponseError, which says what is wrong with it."""
        with _reading("an invoice", document) as fields:
            return cls(
                id=id_from(fields["id"]),
                customer_id=id_from(fields["customer_id"]),
                number=_text_from(fields["number"], "number", 64),
                amount=amount_from(fields["amount"]),
                currency=currency_from(fields["currency"]),
                issued_on=_day_from(fields["issued_on"]),
            )

    def as_row(self) -> InvoiceRow:
        return InvoiceRow(
            id=self.id,
            customer_id=self.customer_id,
            number=self.number,
            amount=str(self.amount),
            currency=self.currency,
            issued_on=self.issued_on.isoformat(),
        )


@contextmanager
def _reading(noun: str, document: object) -> Iterator[dict[str, object]]:
    if not isinstance(document, dict):
        raise InvoicesPlusResponseError(f"InvoicesPlus gave something else in place of {noun}.")
    try:
        yield document
    except KeyError as error:
        raise InvoicesPlusResponseError(f"InvoicesPlus gave {noun} without {error}.") from None
    except ValueError as error:
        raise InvoicesPlusResponseError(f"InvoicesPlus gave {noun} that cannot be read: {error}.") from None


def id_from(value: object) -> str:
    """Read an id of InvoicesPlus: letters, digits, "_" and "-", at most 64. Raises ValueError."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError("the id is not one of at most 64 letters, digits, _ and -")
    return value


def reference_from(value: object) -> str:
    """Read a reference that stands for one invoice: 1 to 100 characters. Raises ValueError."""
    text = _text_from(value, "reference", 100)
    if not text:
        raise ValueError("the reference is empty")
    return text


def email_key(email: str) -> str:
    """The form in which email addresses are compared and stored: InvoicesPlus does not tell "A@x" from "a@x"."""
    return email.strip().lower()


def _text_from(value: object, noun: str, longest: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"the {noun} is not a text")  # noqa: TRY004  the value received is wrong, not the call
    if len(value) > longest:
        raise ValueError(f"the {noun} is longer than {longest} characters")
    if "\x00" in value:
        raise ValueError(f"the {noun} has a NUL character")
    return value


def _email_from(value: object) -> str:
    email = email_key(_text_from(value, "email address", 254))
    if "@" not in email:
        raise ValueError("the email address is not one")
    return email


def _day_from(value: object) -> date:
    try:
        return date.fromisoformat(_text_from(value, "day", 10))
    except ValueError:
        raise ValueError("the day is not a date such as 2024-12-31") from None
