"""Who a client is, is told by a bearer token, of which the database knows nothing but a hash."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

PATHS = ("/actions", "/reports", "/reports/00000000-0000-7000-8000-000000000000")


def create_token(client, **options):
    out, err = StringIO(), StringIO()
    call_command("create_token", client, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def status_with(token):
    return Client(headers={"Authorization": f"Bearer {token}"}).get("/reports").status_code


class TestTokens:
    @pytest.mark.parametrize("path", PATHS)
    def test_without_one_nothing_is_answered(self, stranger, path):
        response = stranger.get(path)

        assert response.status_code == 401
        assert response.json()["code"] == "authentication_required"
        assert response.json()["detail"] == "The request has no token."
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="async-actions"'

    @pytest.mark.parametrize("token", ["aat_" + "0" * 64, "x", "a b", "é", "", "%00"])
    def test_an_invalid_one_is_refused(self, db, token):
        response = Client(headers={"Authorization": f"Bearer {token}"}).get("/reports")

        assert response.status_code == 401
        assert response.json()["code"] == "token_invalid"
        assert response.json()["detail"].endswith("ask the operator for a new one.")
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="async-actions", error="invalid_token"'

    @pytest.mark.parametrize("header", ["Basic YWRhOmFkYQ==", "Token aat_0", "aat_0", "Bearer:aat_0"])
    def test_another_scheme_is_no_token(self, db, header):
        response = Client(headers={"Authorization": header}).get("/reports")

        assert (response.status_code, response.json()["code"]) == (401, "authentication_required")
        assert response.json()["detail"] == "The header Authorization is not of the form Bearer <token>."

    def test_the_scheme_s_case_does_not_matter(self, ada):
        header = ada.defaults["HTTP_AUTHORIZATION"]
        assert Client(headers={"Authorization": header.replace("Bearer", "bearer")}).get("/reports").status_code == 200

    def test_an_expired_one_is_refused(self, ada):
        AuthToken.objects.update(expiry=timezone.now() + timedelta(seconds=60))
        assert ada.get("/reports").status_code == 200

        AuthToken.objects.update(expiry=timezone.now())

        assert ada.get("/reports").json()["code"] == "token_invalid"

    def test_a_deactivated_client_s_is_refused(self, ada):
        get_user_model().objects.update(is_active=False)

        assert ada.get("/reports").json()["code"] == "token_invalid"

    def test_a_deleted_one_is_refused(self, ada):
        AuthToken.objects.all().delete()

        assert ada.get("/reports").json()["code"] == "token_invalid"

    def test_it_is_not_asked_for_where_a_newcomer_looks(self, stranger):
        for path in ("/", "/docs", "/openapi.yaml", "/problems"):
            assert stranger.get(path).status_code == 200


class TestCreateToken:
    def test_it_makes_an_account_without_a_password_and_prints_the_token_once(self, db):
        printed, told = create_token("billing")

        account = get_user_model().objects.get(username="billing")
        assert not account.has_usable_password()
        assert (account.is_staff, account.is_superuser) == (False, False)
        token = printed.removesuffix("\n")
        assert token.startswith("aat_")
        assert status_with(token) == 200
        assert token not in told
        assert "Token of billing, valid until " in told

    def test_the_database_does_not_know_the_token(self, db):
        token = create_token("billing")[0].strip()

        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM knox_authtoken")
            kept = str(cursor.fetchall())
        assert token not in kept
        assert token[20:] not in kept

    def test_a_second_one_belongs_to_the_same_client(self, db):
        first, second = (create_token("billing")[0].strip() for _ in range(2))

        assert first != second
        assert status_with(first) == status_with(second) == 200
        assert get_user_model().objects.count() == 1

    def test_it_expires_when_it_is_told_to(self, db):
        create_token("billing", expires_in_days=3)
        create_token("other")

        left = [token.expiry - timezone.now() for token in AuthToken.objects.order_by("created")]
        assert [round(time / timedelta(days=1)) for time in left] == [3, 365]

    @pytest.mark.parametrize("days", [0, -1, 36_501])
    def test_a_length_that_makes_no_sense_is_refused(self, db, days):
        with pytest.raises(CommandError, match="--expires-in-days must be from 1 to 36500"):
            create_token("billing", expires_in_days=days)
        assert not AuthToken.objects.exists()

    def test_a_person_with_a_password_is_no_client(self, db):
        get_user_model().objects.create_user("ada", password="secret")

        with pytest.raises(CommandError, match="ada is a person with a password"):
            create_token("ada")
        assert not AuthToken.objects.exists()

    @pytest.mark.parametrize("name", ["", "a b", "a" * 151, "a\nb"])
    def test_a_name_that_no_account_can_have_is_refused(self, db, name):
        with pytest.raises(CommandError, match="cannot be a client's name"):
            create_token(name)
        assert not get_user_model().objects.exists()
