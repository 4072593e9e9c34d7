"""Service accounts and their tokens: what operators do about them on the command line."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from knox.models import AuthToken

from reports.models import AsyncActionReport


class ClientError(Exception):
    """What an operator asks for cannot be done; the message says why."""


def find(name: str) -> Any:
    """Return the client of this name. Raises ClientError."""
    client = get_user_model().objects.filter(username=name).first()
    if client is None:
        raise ClientError(f"There is no client {name}; create_token makes one.")
    return client


def find_or_create(name: str) -> Any:
    """Return the client of this name, an account without a password. Raises ClientError for a person's name."""
    users = get_user_model().objects
    client = users.filter(username=name).first()
    if client is None:
        client = users.model(username=name)
        client.set_unusable_password()
        try:
            client.full_clean()
        except ValidationError as error:
            raise ClientError(f"{name!r} cannot be a client's name: {' '.join(error.messages)}") from error
        client.save()
    if client.password and client.has_usable_password():
        raise ClientError(f"{name} is a person with a password. Choose another name for the client.")
    return client


def issue(client: Any, *, lifetime: timedelta) -> tuple[AuthToken, str]:
    """Return a new token of a client, and its text, which nobody can read again."""
    token, text = AuthToken.objects.create(client, expiry=lifetime)
    return token, text


@transaction.atomic
def rotate(client: Any, *, lifetime: timedelta, overlap: timedelta, key: str | None = None) -> tuple[AuthToken, str]:
    """Return a new token of a client, in place of those it has, which expire once ``overlap`` has passed.

    ``key`` chooses one of them. Tokens that have expired before are deleted. Raises ClientError where there is none.
    """
    now = timezone.now()
    client.auth_token_set.filter(expiry__lte=now).delete()
    if not _tokens(client, key).exists():
        raise ClientError(f"{client} has no valid token{f' {key}' if key else ''} to rotate.")
    _tokens(client, key).exclude(expiry__lte=now + overlap).update(expiry=now + overlap)
    return issue(client, lifetime=lifetime)


def revoke(client: Any, *, key: str | None) -> int:
    """Delete the tokens of a client, or the one with this key. Returns how many there were."""
    deleted, _ = _tokens(client, key).delete()
    return int(deleted)


def permissions_of(client: Any) -> list[str]:
    """Return the names of all permissions over the API that a client, or a group it is in, was granted."""
    label = AsyncActionReport._meta.app_label  # noqa: SLF001  Django documents `_meta` as its API for this
    granted = [name.partition(".") for name in client.get_all_permissions()]
    return sorted(codename for app, _, codename in granted if app == label)


def grant(client: Any, codenames: Iterable[str]) -> None:
    """Give a client permissions over the API."""
    client.user_permissions.add(*_permissions(codenames))


def withdraw(client: Any, codenames: Iterable[str]) -> None:
    """Take permissions over the API from a client. What a group of it has, it keeps."""
    client.user_permissions.remove(*_permissions(codenames))


def _permissions(codenames: Iterable[str]) -> Any:
    label = AsyncActionReport._meta.app_label  # noqa: SLF001  as above
    return Permission.objects.filter(content_type__app_label=label, codename__in=codenames)


def _tokens(client: Any, key: str | None) -> Any:
    tokens = client.auth_token_set.all()
    return tokens if key is None else tokens.filter(token_key=key)
