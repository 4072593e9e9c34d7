"""An action that is restricted may be asked for by those who have its permission, and by nobody else."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from rest_framework.permissions import AllowAny, BasePermission

from api import catalogue, restrictions
from api.invoices import EnsureCustomerApi, SyncInvoicesApi
from reports.models import AsyncActionReport
from tests.integration.api.test_problems import problem


def ask(client, action="sync-invoices"):
    body = {"sync-invoices": {"customer_id": "cus_ada"}, "sync-all-invoices": {}}[action]
    return client.post(f"/actions/{action}", body, content_type="application/json")


def permit(client, codename="request_sync_invoices"):
    client.user.user_permissions.add(Permission.objects.get(codename=codename))


@pytest.fixture(params=["by its class", "by the operator", "like all"])
def restricted(request, monkeypatch, settings):
    """Restrict sync-invoices, in each way there is."""
    if request.param == "by its class":
        monkeypatch.setattr(SyncInvoicesApi, "restricted", True)
    else:
        settings.RESTRICTED_ACTIONS = ["sync-invoices" if request.param == "by the operator" else "*"]


@pytest.mark.usefixtures("restricted")
class TestRestricted:
    def test_nobody_may_ask_for_it(self, ada):
        refused = problem(ask(ada), 403, "permission_denied")

        assert refused["detail"] == (
            "sync-invoices is restricted. The operator grants the permission request_sync_invoices."
        )
        assert not AsyncActionReport.objects.exists()

    def test_but_those_with_its_permission(self, ada, bob):
        permit(ada)
        permit(bob, "request_ensure_customer")

        assert ask(ada).status_code == 202
        problem(ask(bob), 403, "permission_denied")

    def test_or_in_a_group_that_has_it(self, ada):
        group = Group.objects.create(name="callers")
        group.permissions.add(Permission.objects.get(codename="request_sync_invoices"))
        group.user_set.add(ada.user)

        assert ask(ada).status_code == 202

    def test_nor_retry_it(self, ada, ledger):
        report = ledger.accept()
        ledger.fail(report)
        path = f"/reports/{report}/retry"

        problem(ada.post(path, content_type="application/json"), 403, "permission_denied")
        permit(ada)
        assert ada.post(path, content_type="application/json").status_code == 202

    def test_what_was_asked_for_before_can_be_read_and_cancelled(self, ada, ledger):
        report = ledger.accept()

        assert ada.get(f"/reports/{report}").status_code == 200
        assert ada.post(f"/reports/{report}/cancel", content_type="application/json").status_code == 200

    def test_an_author_s_own_permissions_come_on_top(self, ada, bob, monkeypatch):
        class Bob(BasePermission):
            def has_permission(self, request, view):
                return request.user.username == "bob"

        permit(ada)
        for classes, statuses in (([AllowAny], [202, 403]), ([Bob], [403, 403])):
            monkeypatch.setattr(SyncInvoicesApi, "permission_classes", classes)
            assert [ask(client).status_code for client in (ada, bob)] == statuses

    def test_the_catalogue_says_so(self, ada):
        items = {item["name"]: item["restricted"] for item in ada.get("/actions").json()["items"]}

        assert items["sync-invoices"] is True

    @pytest.mark.usefixtures("remembering")
    def test_it_costs_no_statement_more(self, ada, django_assert_max_num_queries, settings, monkeypatch):
        permit(ada)
        ask(ada)
        with django_assert_max_num_queries(50) as restricted:
            ask(ada)
        settings.RESTRICTED_ACTIONS = []
        monkeypatch.setattr(SyncInvoicesApi, "restricted", False)
        with django_assert_max_num_queries(50) as free:
            ask(ada)

        assert len(restricted) == len(free)


def test_others_are_free(ada, settings):
    settings.RESTRICTED_ACTIONS = ["sync-invoices"]

    assert ask(ada, "sync-all-invoices").status_code == 202
    items = {item["name"]: item["restricted"] for item in ada.get("/actions").json()["items"]}
    assert items["sync-all-invoices"] is False


def test_an_operator_restricts_what_there_is():
    restrictions.check(["sync-invoices", "*"])

    with pytest.raises(
        ImproperlyConfigured, match=r"RESTRICTED_ACTIONS names sync-invoice, .* There are ensure-customer, "
    ):
        restrictions.check(["sync-invoice"])


@pytest.mark.django_db
class TestPermissions:
    def test_migrating_creates_one_for_each_action(self):
        codenames = Permission.objects.filter(codename__startswith="request_").values_list("codename", flat=True)

        assert set(codenames) >= {restrictions.codename_of(action.name) for action in catalogue.actions()}
        assert str(Permission.objects.get(codename="request_sync_invoices")).endswith("| Can request sync-invoices")

    def test_migrating_again_keeps_those_that_were_granted(self, client_of, monkeypatch):
        ada = client_of("ada")
        permit(ada)
        monkeypatch.setattr(catalogue, "_actions", {"ensure-customer": EnsureCustomerApi})

        call_command("migrate", verbosity=0)

        assert ada.user.user_permissions.get().codename == "request_sync_invoices"

    def test_the_longest_name_has_one_too(self, monkeypatch):
        longest = type("Longest", (), {"name": "a" * 92})
        monkeypatch.setattr(catalogue, "_actions", {longest.name: longest})

        restrictions.create_permissions("default")

        assert Permission.objects.filter(codename=f"request_{'a' * 92}").exists()
