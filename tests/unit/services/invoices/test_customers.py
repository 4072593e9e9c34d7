import json

import pytest

from sandbox.faults import Fault
from services.invoices import customers
from services.invoices.errors import (
    CustomerExistsError,
    InvoicesPlusError,
    InvoicesPlusResponseError,
    InvoicesPlusUnavailableError,
)
from services.invoices.models import Customer
from tests.unit.services.invoices.rush import at_once

pytestmark = pytest.mark.django_db

WANTED = {"id": None, "email": "new@example.com", "name": "New"}
ADA = {"id": "cus_ada", "email": "ada@example.com", "name": "Ada Lovelace"}


def ensure(email, name):
    """The steps of ensure-customer, each handed the JSON of the one before."""
    customer = customers.find_customer(email, name)
    for step in (customers.look_up_customer, customers.create_customer, customers.store_customer):
        customer = step(json.loads(json.dumps(customer)))
    return customer


def stored():
    return list(Customer.objects.order_by("third_party_id").values_list("third_party_id", "email", "name"))


def test_a_customer_known_nowhere_is_created_there_and_stored_here(sandbox):
    customer = ensure(" New@Example.com", "New")
    assert sandbox.books.customers("new@example.com") == [customer]
    assert stored() == [(customer["id"], "new@example.com", "New")]


def test_a_customer_known_there_is_stored_here(sandbox, calls):
    assert ensure("ada@example.com", "Somebody") == ADA
    assert stored() == [("cus_ada", "ada@example.com", "Ada Lovelace")]
    assert calls == [("GET", "/customers")]


def test_a_customer_known_here_needs_no_call(sandbox, calls):
    Customer.objects.create(third_party_id="cus_ada", email="ada@example.com", name="Ada Lovelace")
    assert ensure("ADA@example.com", "Somebody") == ADA
    assert calls == []


def test_ensuring_again_changes_nothing(sandbox, calls):
    first = ensure("new@example.com", "New")
    made, rows = list(calls), stored()
    assert ensure("new@example.com", "Other") == first
    assert (calls, stored()) == (made, rows)


def test_each_step_may_be_repeated(sandbox, calls):
    assert customers.find_customer("new@example.com", "New") == customers.find_customer("new@example.com", "New")
    assert customers.look_up_customer(WANTED) == customers.look_up_customer(WANTED) == WANTED
    created = customers.create_customer(WANTED)
    assert customers.create_customer(WANTED) == created  # as a task that is run again: with the same argument
    assert customers.store_customer(created) == customers.store_customer(created) == created
    assert len(sandbox.books.customers("new@example.com")) == 1
    assert len(stored()) == 1


def test_steps_for_a_customer_that_has_an_id_make_no_call(sandbox, calls):
    assert customers.look_up_customer(ADA) == customers.create_customer(ADA) == ADA
    assert calls == []


def test_an_answer_that_was_lost_does_not_create_the_customer_twice(sandbox):
    sandbox.faults.switch_on(Fault(kind="disconnect", method="POST", after=True))
    with pytest.raises(InvoicesPlusUnavailableError):
        customers.create_customer(WANTED)
    created = customers.create_customer(WANTED)
    assert sandbox.books.customers("new@example.com") == [created]


def test_somebody_else_was_faster(sandbox):
    wanted = customers.look_up_customer(WANTED)
    theirs = sandbox.books.add_customer("new@example.com", "Theirs")
    assert customers.create_customer(wanted) == theirs


def test_a_customer_that_exists_and_cannot_be_found_is_an_error(sandbox):
    sandbox.faults.switch_on(Fault(kind="status", status=409, method="POST"))
    with pytest.raises(CustomerExistsError):
        customers.create_customer(WANTED)


@pytest.mark.parametrize("step", [customers.look_up_customer, customers.create_customer])
def test_failures_of_the_third_party_are_passed_on(sandbox, step):
    sandbox.faults.switch_on(Fault(kind="status", status=503))
    with pytest.raises(InvoicesPlusUnavailableError):
        step(WANTED)


def test_without_a_key_nothing_is_called(sandbox, settings, calls):
    settings.INVOICES_PLUS_API_KEY = ""
    with pytest.raises(InvoicesPlusError, match="INVOICES_PLUS_API_KEY"):
        customers.look_up_customer(WANTED)
    assert calls == []


def test_lists_and_stores_all_customers(sandbox):
    listed = json.loads(json.dumps(customers.list_customers()))
    assert [customer.id for customer in customers.store_customers(listed)] == [row["id"] for row in listed]
    assert stored() == sorted((row["id"], row["email"], row["name"]) for row in listed)


def test_storing_brings_up_to_date(sandbox):
    customers.store_customer(ADA)
    customers.store_customer({**ADA, "email": "countess@example.com", "name": "Ada King"})
    assert stored() == [("cus_ada", "countess@example.com", "Ada King")]


def test_a_customer_known_by_id_only_gets_the_rest():
    customers.introduce_customers(["cus_ada"])
    assert stored() == [("cus_ada", None, "")]
    customers.store_customer(ADA)
    assert stored() == [("cus_ada", "ada@example.com", "Ada Lovelace")]
    customers.introduce_customers(["cus_ada"])
    assert stored() == [("cus_ada", "ada@example.com", "Ada Lovelace")]


def test_an_address_may_move_to_another_customer():
    customers.store_customer({"id": "cus_1", "email": "office@example.com", "name": "One"})
    customers.store_customer({"id": "cus_2", "email": "office@example.com", "name": "Two"})
    assert stored() == [("cus_1", None, "One"), ("cus_2", "office@example.com", "Two")]


def test_addresses_may_change_places():
    one, two = ({"id": f"cus_{n}", "email": f"{n}@example.com", "name": str(n)} for n in (1, 2))
    customers.store_customers([one, two])
    customers.store_customers([{**one, "email": two["email"]}, {**two, "email": one["email"]}])
    assert stored() == [("cus_1", "2@example.com", "1"), ("cus_2", "1@example.com", "2")]


def test_of_a_customer_listed_twice_the_last_word_counts():
    assert len(customers.store_customers([ADA, {**ADA, "name": "Ada King"}])) == 1
    assert stored() == [("cus_ada", "ada@example.com", "Ada King")]


def test_nobody_to_store():
    assert customers.store_customers([]) == []


@pytest.mark.parametrize("row", [WANTED, {}, {**ADA, "email": "nobody"}])
def test_a_row_that_is_no_customer_is_refused_and_nothing_stored(row):
    with pytest.raises(InvoicesPlusResponseError):
        customers.store_customers([ADA, row])
    assert stored() == []


@pytest.mark.django_db(transaction=True)
def test_the_same_customers_stored_at_once():
    batches = [
        [{"id": f"cus_{b}_{n}", "email": f"{n}@{b}.example.com", "name": str(n)} for n in range(100)] for b in range(10)
    ]

    def store(number):
        for batch in batches:
            customers.store_customers(batch if number % 2 else batch[::-1])

    at_once(4, store)
    assert {(id_, email) for id_, email, _ in stored()} == {
        (row["id"], row["email"]) for batch in batches for row in batch
    }


@pytest.mark.django_db(transaction=True)
def test_new_customers_stored_one_by_one_at_once():
    rows = [{"id": f"cus_{n:03}", "email": f"{n}@example.com", "name": str(n)} for n in range(100)]
    at_once(4, lambda _: [customers.store_customer(row) for row in rows])
    assert stored() == [(row["id"], row["email"], row["name"]) for row in rows]


@pytest.mark.django_db(transaction=True)
def test_addresses_that_change_places_at_once():
    one, two = ({"id": f"cus_{n}", "email": f"{n}@example.com", "name": str(n)} for n in (1, 2))
    other = [{**one, "email": two["email"]}, {**two, "email": one["email"]}]
    customers.store_customers([one, two])

    def change_places(number):
        for n in range(number, number + 10):
            customers.store_customers(other if n % 2 else [one, two])

    at_once(4, change_places)
    assert {email for _, email, _ in stored()} == {"1@example.com", "2@example.com"}


@pytest.mark.django_db(transaction=True)
def test_the_same_customer_ensured_at_once(sandbox):
    found = at_once(6, lambda n: ensure("new@example.com", f"Number {n}"))
    assert sandbox.books.customers("new@example.com") == found[:1]
    assert found == found[:1] * 6
    assert len(stored()) == 1
