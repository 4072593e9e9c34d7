import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.books import PAGE_SIZE, Books, Document
from sandbox.faults import Fault, FaultInvalidError, Faults

_AMOUNT = re.compile(r"\d{1,10}\.\d{2}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_INVOICES = re.compile(r"/customers/([^/]+)/invoices")
_PAGE = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_LONGEST_TEXT = 200


@dataclass(frozen=True)
class Call:
    method: str
    target: str
    authorization: str
    body: bytes

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(frozen=True)
class Answer:
    status: int
    document: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The call is answered by an error."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, {"error": {"message": message}}, headers)


class Api:
    """What InvoicesPlus understands, without the faults that are switched on and without HTTP."""

    def __init__(self, books: Books, faults: Faults, api_key: str) -> None:
        self._books = books
        self._faults = faults
        self._authorization = f"Bearer {api_key}".encode()
        self._routes: Mapping[tuple[str, str], Callable[[Call], Answer]] = {
            ("GET", "/customers"): self._list_customers,
            ("POST", "/customers"): self._add_customer,
            ("POST", "/invoices"): self._add_invoice,
            ("GET", "/faults"): self._list_faults,
            ("PUT", "/faults"): self._switch_on,
            ("DELETE", "/faults"): self._switch_off,
        }

    def answer(self, call: Call) -> Answer:
        try:
            return self._answer(call)
        except RefusedError as refused:
            return refused.answer

    def authorized(self, call: Call) -> bool:
        return hmac.compare_digest(call.authorization.encode(), self._authorization)

    def _answer(self, call: Call) -> Answer:
        if (call.method, call.path) == ("GET", "/health"):
            return Answer(200, {"status": "ok"})
        if not self.authorized(call):
            raise RefusedError(401, "The API key is missing or unknown.")
        route = self._routes.get((call.method, call.path))
        if route:
            return route(call)
        invoices = _INVOICES.fullmatch(call.path)
        if call.method == "GET" and invoices:
            return self._page(self._invoices(invoices[1]), call)
        raise RefusedError(404, f"There is no {call.method} {call.path}.")

    def _list_customers(self, call: Call) -> Answer:
        return self._page(self._books.customers(call.query.get("email")), call)

    def _page(self, items: list[Document], call: Call) -> Answer:
        page = call.query.get("page", "1")
        if not _PAGE.fullmatch(page):
            raise RefusedError(422, "page is not a number from 1.")
        end = int(page) * PAGE_SIZE
        next_page = int(page) + 1 if end < len(items) else None
        return Answer(200, {"data": items[end - PAGE_SIZE : end], "next_page": next_page})

    def _invoices(self, customer_id: str) -> list[Document]:
        invoices = self._books.invoices(customer_id)
        if invoices is None:
            raise RefusedError(404, "There is no such customer.")
        return invoices

    def _add_customer(self, call: Call) -> Answer:
        document = _json(call)
        email, name = _text(document, "email"), _text(document, "name")
        if "@" not in email:
            raise RefusedError(422, "email is not an email address.")
        customer = self._books.add_customer(email, name)
        if not customer:
            raise RefusedError(409, "There is a customer with this email address.")
        return Answer(201, customer)

    def _add_invoice(self, call: Call) -> Answer:
        document = _json(call)
        order = {name: _text(document, name) for name in ("customer_id", "amount", "currency", "reference")}
        if not _AMOUNT.fullmatch(order["amount"]):
            raise RefusedError(422, 'amount is not one such as "12.50".')
        if not _CURRENCY.fullmatch(order["currency"]):
            raise RefusedError(422, 'currency is not one such as "EUR".')
        try:
            written = self._books.add_invoice(order)
        except KeyError:
            raise RefusedError(404, "There is no such customer.") from None
        if not written:
            raise RefusedError(409, "The reference stands for another invoice.")
        invoice, new = written
        return Answer(201 if new else 200, invoice)

    def _switch_on(self, call: Call) -> Answer:
        faults = _json(call).get("faults")
        if not isinstance(faults, list):
            raise RefusedError(422, 'What to put is {"faults": […]}.')
        try:
            self._faults.switch_on(*map(Fault.from_json, faults))
        except FaultInvalidError as error:
            raise RefusedError(422, f"{error}.") from None
        return self._list_faults(call)

    def _switch_off(self, call: Call) -> Answer:
        self._faults.switch_off()
        return self._list_faults(call)

    def _list_faults(self, _: Call) -> Answer:
        return Answer(200, {"faults": self._faults.as_json()})


def _json(call: Call) -> Mapping[str, Any]:
    try:
        document = json.loads(call.body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "The body is not JSON.") from None
    if not isinstance(document, dict):
        raise RefusedError(422, "The body is not an object.")
    return document


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT or not value.isprintable():
        raise RefusedError(422, f"{name} is not a text of 1 to {_LONGEST_TEXT} characters.")
    return value
