"""Roles of people: the groups that ``migrate`` makes, and ``manage.py create_operator``."""

from io import StringIO

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from reports.roles import Role

pytestmark = pytest.mark.django_db

VIEWER = {"view_asyncactionreport", "view_intervention", "view_worker"}


def permissions_of(role):
    return set(Group.objects.get(name=role).permissions.values_list("codename", flat=True))


def appoint(*arguments):
    """Run the command. Returns the password that it prints, if it does, and what it says."""
    out, told = StringIO(), StringIO()
    call_command("create_operator", *arguments, stdout=out, stderr=told)
    return out.getvalue().strip(), told.getvalue().strip()


def rights_of(name):
    permissions = get_user_model().objects.get(username=name).get_all_permissions()
    return {permission.removeprefix("reports.") for permission in permissions}


class TestGroups:
    def test_a_viewer_sees_and_an_operator_acts_and_neither_reads_what_may_be_secret(self):
        assert permissions_of("viewer") == VIEWER
        assert permissions_of("operator") == {*VIEWER, "intervene"}

    def test_migrating_again_brings_back_what_is_missing_and_takes_nothing(self):
        Group.objects.get(name="viewer").delete()
        operators = Group.objects.get(name="operator")
        operators.permissions.remove(Permission.objects.get(codename="intervene"))
        operators.permissions.add(Permission.objects.get(codename="read_payloads"))
        for _ in range(2):
            call_command("migrate", verbosity=0)
            assert permissions_of("viewer") == VIEWER
            assert permissions_of("operator") == {*VIEWER, "intervene", "read_payloads"}


class TestCreateOperator:
    def test_a_new_person_has_a_password_that_is_shown_once(self):
        password, told = appoint("ada", "--role", "operator")
        assert len(password) == 24
        assert told.splitlines()[0] == "ada is an operator."
        person = authenticate(username="ada", password=password)
        assert (person.is_staff, person.is_superuser) == (True, False)
        assert rights_of("ada") == {*VIEWER, "intervene"}

    def test_a_role_takes_the_place_of_another_and_the_password_stays(self):
        password, _ = appoint("ada", "--role", "operator", "--read-payloads", "--read-tracebacks")
        assert rights_of("ada") == {*VIEWER, "intervene", "read_payloads", "read_tracebacks"}
        assert appoint("ada", "--role", "viewer", "--read-tracebacks") == ("", "ada is a viewer. They read tracebacks.")
        assert rights_of("ada") == {*VIEWER, "read_tracebacks"}
        assert authenticate(username="ada", password=password)

    def test_a_new_password_replaces_the_old_one(self):
        old, _ = appoint("ada", "--role", "viewer")
        new, _ = appoint("ada", "--role", "viewer", "--new-password")
        assert authenticate(username="ada", password=old) is None
        assert authenticate(username="ada", password=new)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("billing", "billing is a client without a password. Choose another name for the person."),
            ("root", "root is a superuser and may do everything. Choose another name."),
            ("no name", "'no name' cannot be a person's name: "),
        ],
    )
    def test_what_cannot_be_is_told_and_changes_nothing(self, name, message):
        call_command("create_token", "billing", stdout=StringIO(), stderr=StringIO())
        get_user_model().objects.create_superuser("root", password="secret")
        before = list(get_user_model().objects.order_by("id").values())
        with pytest.raises(CommandError) as error:
            appoint(name, "--role", "operator")
        assert str(error.value).startswith(message)
        assert list(get_user_model().objects.order_by("id").values()) == before

    def test_every_role_has_its_group(self):
        assert {group.name for group in Group.objects.all()} == {role.value for role in Role}
