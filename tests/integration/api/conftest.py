from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from knox.models import AuthToken

import config.urls  # noqa: F401  the actions join the catalogue before a test replaces it
from api.known_tokens import known_tokens
from services import durations, waiters
from services.admission import admission
from services.lookout import Lookout
from stack.valkey import Valkey
from tests.integration.api.ledger import Ledger


@pytest.fixture(autouse=True)
def _knows_no_durations() -> Iterator[None]:
    """Forget how long actions take: they were those of another test."""
    durations.forget()
    yield
    durations.forget()


@pytest.fixture(autouse=True)
def _knows_that_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no request ask how much waits, as most do not: that would be a statement more for some."""
    monkeypatch.setattr(admission, "_holds_until", float("inf"))


@pytest.fixture
def lookout(valkey: Valkey, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lookout]:
    """Return what looks out for those who wait, and ends with the test. Without it, nobody may wait in one."""
    lookout = Lookout()
    monkeypatch.setattr(waiters, "_lookout", lookout)
    yield lookout
    lookout.close()


@pytest.fixture
def client_of(db: None) -> Callable[..., Client]:
    """Return a function that makes an HTTP client which is authenticated as the account of that name."""

    def make(name: str, **attributes: Any) -> Client:
        user, _ = get_user_model().objects.get_or_create(username=name, defaults=attributes)
        _, token = AuthToken.objects.create(user)
        client = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
        client.user = user  # type: ignore[attr-defined]
        return client

    return make


@pytest.fixture(autouse=True)
def _no_known_tokens() -> Iterator[None]:
    yield
    known_tokens.clear()


@pytest.fixture
def remembering(settings: Any) -> None:
    """Have tokens remembered between requests, as in production."""
    settings.TOKEN_CACHE_SECONDS = 10.0


@pytest.fixture
def ada(client_of: Callable[..., Client]) -> Client:
    """Return a client."""
    return client_of("ada")


@pytest.fixture
def bob(client_of: Callable[..., Client]) -> Client:
    """Return another client."""
    return client_of("bob")


@pytest.fixture
def staff(client_of: Callable[..., Client]) -> Client:
    """Return a client that sees everything."""
    return client_of("staff", is_staff=True, is_superuser=True)


@pytest.fixture
def stranger(db: None) -> Client:
    """Return a client without a token."""
    return Client(raise_request_exception=False)


@pytest.fixture
def ledger(ada: Client) -> Iterator[Ledger]:
    """Return the ledger, where reports of ada's are accepted and brought on without a worker."""
    return Ledger(ada.user.pk)  # type: ignore[attr-defined,return-value]
