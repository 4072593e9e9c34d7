"""Roles of the people who use the admin pages: groups with permissions, which ``migrate`` makes."""

from enum import StrEnum

from django.contrib.auth.models import Group, Permission

from reports.models import AsyncActionReport

LABEL = AsyncActionReport._meta.app_label  # noqa: SLF001  Django documents `_meta` as its API for this
_VIEWERS = ("view_asyncactionreport", "view_intervention", "view_worker")
#: What no role has: parts of reports that may hold what is nobody else's business. Given to persons by name.
SENSITIVE = ("read_payloads", "read_tracebacks")


class Role(StrEnum):
    """What a person is to the service; the name of a group."""

    VIEWER = "viewer"  # sees all reports, with their errors
    OPERATOR = "operator"  # cancels and retries them, too


PERMISSIONS = {Role.VIEWER: _VIEWERS, Role.OPERATOR: (*_VIEWERS, "intervene")}


def create_groups(using: str) -> None:
    """See that each role has its group, with at least its permissions. What was added to a group stays."""
    known = Permission.objects.using(using).filter(content_type__app_label=LABEL)
    permissions = {permission.codename: permission for permission in known}
    for role, codenames in PERMISSIONS.items():
        group, _ = Group.objects.using(using).get_or_create(name=role.value)
        group.permissions.add(*(permissions[codename] for codename in codenames if codename in permissions))
