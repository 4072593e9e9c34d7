"""Accounts of the people who use the admin pages: what is done about them on the command line."""

from collections.abc import Iterable
from secrets import token_urlsafe
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db import transaction

from reports.roles import LABEL, SENSITIVE, Role

_PASSWORD_BYTES = 18


class PersonError(Exception):
    """What is asked for cannot be done; the message says why."""


@transaction.atomic
def appoint(name: str, role: Role, *, sensitive: Iterable[str] = (), new_password: bool = False) -> str | None:
    """Give a person a role, in place of one that they have, and of the sensitive permissions these alone.

    Returns the password of a person who is new, or is to have a new one. Nobody can read it again.

    Raises:
        PersonError: the name is a client's or a superuser's, or can be nobody's.

    """
    person, is_new = _find_or_make(name)
    password = token_urlsafe(_PASSWORD_BYTES) if is_new or new_password else None
    if password:
        person.set_password(password)
    person.is_staff = True
    person.save()
    person.groups.remove(*Group.objects.filter(name__in=[other.value for other in Role if other != role]))
    person.groups.add(Group.objects.get(name=role.value))
    permissions = Permission.objects.filter(content_type__app_label=LABEL)
    person.user_permissions.remove(*permissions.filter(codename__in=SENSITIVE))
    person.user_permissions.add(*permissions.filter(codename__in=sensitive))
    return password


def _find_or_make(name: str) -> tuple[Any, bool]:
    users = get_user_model().objects
    person = users.filter(username=name).first()
    if person is None:
        person = users.model(username=name)
        person.set_unusable_password()
        try:
            person.full_clean()
        except ValidationError as error:
            raise PersonError(f"{name!r} cannot be a person's name: {' '.join(error.messages)}") from error
        return person, True
    if person.is_superuser:
        raise PersonError(f"{name} is a superuser and may do everything. Choose another name.")
    if not person.has_usable_password():
        raise PersonError(f"{name} is a client without a password. Choose another name for the person.")
    return person, False
