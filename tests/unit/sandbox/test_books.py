import pytest

from sandbox.books import Books

ORDER = {"customer_id": "cus_ada", "amount": "12.50", "currency": "EUR", "reference": "order-1"}


def test_what_clients_create_is_forgotten_without_a_journal():
    Books().add_customer("new@example.com", "New")
    assert Books().customers("new@example.com") == []


def test_a_journal_outlives_a_restart(tmp_path):
    journal = tmp_path / "journal"
    books = Books(journal)
    customer = books.add_customer("new@example.com", "New")
    order = {**ORDER, "customer_id": customer["id"]}
    written = books.add_invoice(order)

    for _ in range(2):  # reading it writes nothing into it
        books = Books(journal)
        assert books.customers("new@example.com") == [customer]
        assert books.invoices(customer["id"]) == [written[0]]
        assert books.add_invoice(order) == (written[0], False)
    assert len(journal.read_text().splitlines()) == 2


def test_a_journal_that_cannot_be_kept_is_refused_at_the_start(tmp_path):
    with pytest.raises(FileNotFoundError):
        Books(tmp_path / "nowhere" / "journal")


def test_an_invoice_for_an_unknown_customer_leaves_nothing_behind():
    books = Books()
    with pytest.raises(KeyError):
        books.add_invoice({**ORDER, "customer_id": "cus_nobody"})
    assert books.add_invoice(ORDER)[1]
