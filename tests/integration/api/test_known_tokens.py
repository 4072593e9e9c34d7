"""A token is looked up every few seconds only; what is taken from a client, it loses within them."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from knox.crypto import hash_token
from knox.models import AuthToken

from api import known_tokens
from api.known_tokens import KnownTokens

pytestmark = pytest.mark.usefixtures("remembering")

SOON, LATER = 9.9, 10.1


@pytest.fixture
def after(monkeypatch):
    """Return a function that lets so many seconds pass since the start."""
    now = [1000.0]
    monkeypatch.setattr(known_tokens, "monotonic", lambda: now[0])

    def pass_(seconds):
        now[0] = 1000.0 + seconds

    return pass_


def code(client):
    response = client.get("/reports")
    return response.status_code if response.status_code == 200 else response.json()["code"]


def test_a_poll_costs_no_statement_for_who_asks(ada, ledger, after, django_assert_num_queries):
    report = ledger.accept()
    ledger.succeed(report, 1, 2)  # of what is final, it need not be known when to ask again
    with django_assert_num_queries(4):  # the token with its client, the permissions of both kinds, the report
        ada.get(f"/reports/{report}")

    after(SOON)
    with django_assert_num_queries(1):
        ada.get(f"/reports/{report}")

    after(LATER)
    with django_assert_num_queries(4):
        ada.get(f"/reports/{report}")


def test_nor_does_one_by_an_operator(client_of, ledger, after, django_assert_num_queries):
    operator = client_of("operator")
    operator.user.user_permissions.add(Permission.objects.get(codename="read_all_reports"))
    report = ledger.accept()
    operator.get(f"/reports/{report}")

    with django_assert_num_queries(1):
        assert operator.get(f"/reports/{report}").status_code == 200


def revoke(client):
    AuthToken.objects.filter(user=client.user).delete()


def deactivate(client):
    get_user_model().objects.filter(pk=client.user.pk).update(is_active=False)


def delete(client):
    get_user_model().objects.filter(pk=client.user.pk).delete()


@pytest.mark.parametrize("take", [revoke, deactivate, delete])
def test_what_is_revoked_is_refused_within_seconds(ada, after, take):
    assert code(ada) == 200
    take(ada)

    after(SOON)
    assert code(ada) == 200
    after(LATER)
    assert code(ada) == "token_invalid"


def test_an_expired_token_is_refused_at_once_and_costs_nothing_either(ada, after, django_assert_num_queries):
    assert code(ada) == 200
    AuthToken.objects.update(expiry=timezone.now())
    after(LATER)
    assert code(ada) == "token_invalid"

    with django_assert_num_queries(0):
        assert code(ada) == "token_invalid"


def test_it_expires_while_it_is_remembered(ada, after, monkeypatch):
    AuthToken.objects.update(expiry=timezone.now() + timedelta(seconds=60))
    assert code(ada) == 200

    then = timezone.now() + timedelta(seconds=61)
    monkeypatch.setattr("api.authentication.timezone.now", lambda: then)

    assert code(ada) == "token_invalid"


def test_a_permission_that_is_withdrawn_is_gone_within_seconds(client_of, ledger, after):
    operator = client_of("operator")
    operator.user.user_permissions.add(Permission.objects.get(codename="read_all_reports"))
    report = ledger.accept()
    assert operator.get(f"/reports/{report}").status_code == 200
    operator.user.user_permissions.clear()

    after(SOON)
    assert operator.get(f"/reports/{report}").status_code == 200
    after(LATER)
    assert operator.get(f"/reports/{report}").status_code == 404


def test_a_token_that_is_made_is_valid_at_once_even_where_it_was_tried_before(ada, after):
    text = "aat_of-the-test"
    client = Client(headers={"Authorization": f"Bearer {text}"})
    assert code(client) == "token_invalid"

    AuthToken.objects.update(digest=hash_token(text))

    assert code(client) == 200


def test_an_unknown_token_is_not_remembered(ada, after, django_assert_num_queries):
    stranger = Client(headers={"Authorization": "Bearer aat_unknown"})
    for _ in range(2):
        with django_assert_num_queries(1):
            assert code(stranger) == "token_invalid"
    assert known_tokens.known_tokens._known == {}


def test_what_a_request_does_to_its_client_stays_in_the_request(ada, after, monkeypatch):
    seen = []

    def spoil(user):
        seen.append(user)
        user.is_superuser = True
        return False

    monkeypatch.setattr("api.visibility.Reader.of", classmethod(lambda _, user: spoil(user)))
    for _ in range(2):
        ada.get("/reports")

    assert len(seen) == 2
    assert seen[0] is not seen[1]
    [known] = known_tokens.known_tokens._known.values()
    assert known.token.user.is_superuser is False


def test_the_token_itself_is_nowhere(ada, after):
    ada.get("/reports")

    text = ada.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    [(digest, known)] = known_tokens.known_tokens._known.items()
    kept = [digest, *map(str, vars(known.token).values()), *map(str, vars(known.token.user).values())]
    assert not any(text in value for value in kept)


def test_there_is_a_limit_to_how_many_are_remembered(db):
    user = get_user_model().objects.create(username="ada")
    first, second, third = (AuthToken.objects.create(user)[0] for _ in range(3))
    known = KnownTokens(most=2)

    for token in (first, second, first, third):
        known.remember(token)

    assert [known.find(token.digest) is not None for token in (first, second, third)] == [True, False, True]


@pytest.mark.django_db(transaction=True)
def test_a_client_that_was_deleted_meanwhile_is_refused_and_nothing_accepted(ada, after):
    assert code(ada) == 200
    delete(ada)

    response = ada.post("/actions/sync-invoices", {"customer_id": "cus_ada"}, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")
    assert ada.get("/reports").json()["items"] == []
