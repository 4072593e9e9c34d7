"""What operators do about clients on the command line: rotate, list and revoke tokens, and say what a client may do."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

pytestmark = pytest.mark.django_db


def run(command, *arguments, **options):
    """Run a command as an operator does. Returns what it prints on standard output."""
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO(), **options)
    return out.getvalue().rstrip("\n")


def status_with(token):
    return Client(headers={"Authorization": f"Bearer {token}"}).get("/reports").status_code


def after(days=0, **time):
    """Let time pass, by having every token expire earlier."""
    for token in AuthToken.objects.all():
        token.expiry -= timedelta(days=days, **time)
        token.save()


class TestRotation:
    def test_the_new_token_is_valid_and_the_old_one_for_the_overlap(self):
        old = run("create_token", "billing")

        new = run("rotate_token", "billing", overlap_hours=2.0)

        assert new.startswith("aat_")
        assert new != old
        assert status_with(old) == status_with(new) == 200
        after(hours=1.9)
        assert status_with(old) == status_with(new) == 200
        after(hours=0.2)
        assert (status_with(old), status_with(new)) == (401, 200)

    def test_without_an_overlap_the_old_one_ends_at_once(self):
        old = run("create_token", "billing")

        new = run("rotate_token", "billing", overlap_hours=0)

        assert (status_with(old), status_with(new)) == (401, 200)

    def test_a_day_unless_told_otherwise(self):
        run("create_token", "billing")
        run("rotate_token", "billing")

        old, new = AuthToken.objects.order_by("created")
        assert round((old.expiry - timezone.now()) / timedelta(hours=1)) == 24
        assert round((new.expiry - timezone.now()) / timedelta(days=1)) == 365

    def test_what_ends_sooner_still_does(self):
        run("create_token", "billing", expires_in_days=1)
        [before] = AuthToken.objects.values_list("expiry", flat=True)

        run("rotate_token", "billing", overlap_hours=48.0, expires_in_days=30)

        assert min(AuthToken.objects.values_list("expiry", flat=True)) == before

    def test_one_of_several(self):
        first, second = run("create_token", "billing"), run("create_token", "billing")

        run("rotate_token", "billing", key=first[:15], overlap_hours=0)

        assert (status_with(first), status_with(second)) == (401, 200)

    def test_a_token_that_never_expires_does_now(self):
        user = get_user_model().objects.create(username="billing")
        _, old = AuthToken.objects.create(user, expiry=None)

        run("rotate_token", "billing", overlap_hours=0)

        assert status_with(old) == 401

    def test_expired_ones_are_cleared_away(self):
        run("create_token", "billing", expires_in_days=1)
        run("create_token", "billing")
        after(days=2)

        run("rotate_token", "billing")

        assert AuthToken.objects.count() == 2

    def test_another_s_stay(self):
        run("create_token", "billing")
        other = run("create_token", "shop")

        run("rotate_token", "billing", overlap_hours=0)

        assert status_with(other) == 200

    @pytest.mark.parametrize("hours", [-1.0, 24.0 * 30, float("nan")])
    def test_an_overlap_that_makes_no_sense_is_refused(self, hours):
        run("create_token", "billing")

        with pytest.raises(CommandError, match="--overlap-hours must be 0 or more, and less than"):
            run("rotate_token", "billing", overlap_hours=hours, expires_in_days=30)
        assert AuthToken.objects.count() == 1

    def test_nothing_to_rotate_is_said(self):
        with pytest.raises(CommandError, match="There is no client billing; create_token makes one"):
            run("rotate_token", "billing")
        get_user_model().objects.create(username="billing")
        with pytest.raises(CommandError, match="billing has no valid token to rotate"):
            run("rotate_token", "billing")
        with pytest.raises(CommandError, match="billing has no valid token aat_0 to rotate"):
            run("rotate_token", "billing", key="aat_0")


class TestListing:
    def test_every_token_by_its_beginning(self):
        billing, shop = run("create_token", "billing"), run("create_token", "shop", expires_in_days=1)
        after(days=1)

        lines = [line.split("\t") for line in run("list_tokens").splitlines()]

        assert [(name, key, state) for name, key, _, _, state in lines] == [
            ("billing", billing[:15], "valid"),
            ("shop", shop[:15], "expired"),
        ]
        assert billing not in run("list_tokens")

    def test_of_one_client_that_was_deactivated(self):
        run("create_token", "billing")
        run("create_token", "shop")
        get_user_model().objects.filter(username="shop").update(is_active=False)

        [line] = run("list_tokens", "shop").splitlines()

        assert line.startswith("shop\taat_")
        assert line.endswith("\tclient deactivated")

    def test_one_that_never_expires(self):
        AuthToken.objects.create(get_user_model().objects.create(username="billing"), expiry=None)

        assert run("list_tokens").split("\t")[3:] == ["never", "valid"]


class TestRevocation:
    def test_one_of_several(self):
        first, second = run("create_token", "billing"), run("create_token", "billing")

        told = run("revoke_token", "billing", "--key", first[:15])

        assert told == "Revoked 1 of billing. Web processes go by it within 0 s."
        assert (status_with(first), status_with(second)) == (401, 200)

    def test_all_of_a_client(self):
        tokens = [run("create_token", "billing") for _ in range(2)]
        other = run("create_token", "shop")

        assert run("revoke_token", "billing", "--all").startswith("Revoked 2 of billing.")

        assert [status_with(token) for token in (*tokens, other)] == [401, 401, 200]

    def test_another_client_s_is_not_found(self):
        run("create_token", "billing")
        other = run("create_token", "shop")

        with pytest.raises(CommandError, match=rf"billing has no token {other[:15]}; list_tokens shows"):
            run("revoke_token", "billing", "--key", other[:15])
        assert status_with(other) == 200

    def test_it_has_to_be_said_which(self):
        with pytest.raises(CommandError, match="one of the arguments --key --all is required"):
            call_command("revoke_token", "billing")
        with pytest.raises(CommandError, match="There is no client billing"):
            run("revoke_token", "billing", "--all")


class TestPermissions:
    @pytest.fixture(autouse=True)
    def _billing(self):
        run("create_token", "billing")

    def test_they_are_granted_and_withdrawn(self):
        assert run("permit", "billing") == ""

        assert run("permit", "billing", "sync-invoices", "--read-tracebacks") == (
            "read_tracebacks\nrequest_sync_invoices"
        )
        assert run("permit", "billing", "ensure-customer", "--read-all-reports").splitlines() == [
            *("read_all_reports", "read_tracebacks", "request_ensure_customer", "request_sync_invoices"),
        ]
        assert run("permit", "billing", "sync-invoices", "--read-all-reports", "--withdraw") == (
            "read_tracebacks\nrequest_ensure_customer"
        )

    def test_those_of_a_group_are_shown_too(self):
        group = Group.objects.create(name="callers")
        group.permissions.add(Permission.objects.get(codename="request_sync_invoices"))
        group.user_set.add(get_user_model().objects.get(username="billing"))

        assert run("permit", "billing", "sync-invoices", "--withdraw") == "request_sync_invoices"

    def test_what_is_not_there_is_named(self):
        with pytest.raises(CommandError, match="There is no action sync-invoice"):
            run("permit", "billing", "sync-invoice")
        with pytest.raises(CommandError, match="There is no client shop"):
            run("permit", "shop", "sync-invoices")

    def test_an_action_s_permission_is_created_where_the_database_was_not_migrated_since(self):
        Permission.objects.filter(codename="request_sync_invoices").delete()

        assert run("permit", "billing", "sync-invoices") == "request_sync_invoices"
