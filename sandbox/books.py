import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

PAGE_SIZE = 50

SEED = (
    # id, email, name, number of invoices
    ("cus_ada", "ada@example.com", "Ada Lovelace", 3),
    ("cus_grace", "grace@example.com", "Grace Hopper", 120),  # three pages
    ("cus_edsger", "edsger@example.com", "Edsger Dijkstra", 0),
    ("cus_alan", "alan@example.com", "Alan Turing", 1),
)

Document = dict[str, str]


class Books:
    """Customers and invoices, in memory. Ids follow from what they stand for: they are the same after a restart.

    With a ``journal``, a file, what clients create outlives a restart, too.
    """

    def __init__(self, journal: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._customers: dict[str, Document] = {}
        self._invoices: dict[str, list[Document]] = {}
        self._by_reference: dict[str, tuple[Document, Document]] = {}  # what was asked for, and what was written
        self._journal: Path | None = None
        self._seed()
        if journal:
            self._replay(journal)
            self._journal = journal

    def customers(self, email: str | None = None) -> list[Document]:
        with self._lock:
            return [one for one in self._customers.values() if email is None or one["email"] == email.strip().lower()]

    def invoices(self, customer_id: str) -> list[Document] | None:
        """The invoices of a customer; None when there is no such customer."""
        with self._lock:
            return list(self._invoices[customer_id]) if customer_id in self._invoices else None

    def add_customer(self, email: str, name: str) -> Document | None:
        """Add a customer; None when the email address is taken."""
        email = email.strip().lower()
        with self._lock:
            if any(one["email"] == email for one in self._customers.values()):
                return None
            customer = self._enter_customer("cus_" + _digest(email), email, name)
            self._write("customer", {"email": email, "name": name})
            return customer

    def add_invoice(self, order: Document) -> tuple[Document, bool] | None:
        """Write an invoice for {"customer_id", "amount", "currency", "reference"}.

        The invoice, and whether it is new; None when the reference stands for something else. KeyError when there is
        no such customer.
        """
        with self._lock:
            known = self._by_reference.get(order["reference"])
            if known:
                asked, invoice = known
                return (invoice, False) if asked == order else None
            invoice = self._enter_invoice(order, datetime.now(UTC).date())
            self._write("invoice", {**order, "issued_on": invoice["issued_on"]})
            return invoice, True

    def _enter_customer(self, id_: str, email: str, name: str) -> Document:
        self._invoices[id_] = []
        self._customers[id_] = {"id": id_, "email": email, "name": name}
        return self._customers[id_]

    def _enter_invoice(self, order: Document, issued_on: date) -> Document:
        invoices = self._invoices[order["customer_id"]]
        digest = _digest(order["reference"])
        invoice = {
            "id": f"inv_{digest}",
            "customer_id": order["customer_id"],
            "number": f"{issued_on.year}-{digest[:6].upper()}",
            "amount": order["amount"],
            "currency": order["currency"],
            "issued_on": issued_on.isoformat(),
        }
        invoices.append(invoice)
        self._by_reference[order["reference"]] = (order, invoice)
        return invoice

    def _seed(self) -> None:
        for id_, email, name, invoices in SEED:
            self._enter_customer(id_, email, name)
            for order, issued_on in _seed_orders(id_, invoices):
                self._enter_invoice(order, issued_on)

    def _replay(self, journal: Path) -> None:
        journal.touch()
        for line in journal.read_text().splitlines():
            kind, entry = json.loads(line)
            if kind == "customer":
                self.add_customer(entry["email"], entry["name"])
            else:
                issued_on = date.fromisoformat(entry.pop("issued_on"))
                self._enter_invoice(entry, issued_on)

    def _write(self, kind: str, entry: Document) -> None:
        if self._journal:
            with self._journal.open("a") as file:
                file.write(json.dumps([kind, entry]) + "\n")


def _seed_orders(customer_id: str, invoices: int) -> Iterator[tuple[Document, date]]:
    for n in range(1, invoices + 1):
        order = {
            "customer_id": customer_id,
            "amount": f"{n}.{n % 100:02}",
            "currency": "USD" if n % 3 == 0 else "EUR",
            "reference": f"seed-{customer_id}-{n}",
        }
        yield order, date(2024, 1, 1) + timedelta(days=n)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
