from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client

import config.urls  # noqa: F401  the actions join the catalogue
from reports.models import AsyncActionReport
from tests.integration.api.ledger import Ledger

PERMISSIONS = ("view_asyncactionreport", "read_payloads", "read_tracebacks")


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture
def person_with(db: None) -> Callable[..., Client]:
    """Return a function that logs a person of the staff in who has these permissions."""

    def log_in(*codenames: str, **attributes: Any) -> Client:
        person = get_user_model().objects.create_user("-".join(["person", *codenames]), is_staff=True, **attributes)
        for codename in codenames:
            person.user_permissions.add(_permission(codename))
        browser = Client()
        browser.force_login(person)
        return browser

    return log_in


@pytest.fixture
def viewer(person_with: Callable[..., Client]) -> Client:
    """Return the browser of a person who sees reports, and nothing that may be somebody's secret."""
    return person_with("view_asyncactionreport")


@pytest.fixture
def trusted(person_with: Callable[..., Client]) -> Client:
    """Return the browser of a person who sees everything."""
    return person_with(*PERMISSIONS)


@pytest.fixture
def ledger(db: None) -> Ledger:
    """Return the ledger, where reports of the client ada are accepted and brought on without a worker."""
    return Ledger(get_user_model().objects.create_user("ada").pk)


def _permission(codename: str) -> Permission:
    from django.contrib.contenttypes.models import ContentType  # noqa: PLC0415

    of = ContentType.objects.get_for_model(AsyncActionReport)
    permission, _ = Permission.objects.get_or_create(content_type=of, codename=codename, defaults={"name": codename})
    return permission
