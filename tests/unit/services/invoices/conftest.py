from collections.abc import Iterator

import pytest

from sandbox.api import Answer
from sandbox.server import Sandbox
from services.invoices.client import InvoicesPlusClient

SECRET = "k3y-that-nobody-may-see"


@pytest.fixture
def sandbox(settings) -> Iterator[Sandbox]:
    """An InvoicesPlus of the test's own, which the settings point to."""
    with Sandbox(api_key=SECRET) as sandbox:
        settings.INVOICES_PLUS_URL = sandbox.url
        settings.INVOICES_PLUS_API_KEY = SECRET
        settings.INVOICES_PLUS_TIMEOUT = 5.0
        yield sandbox


@pytest.fixture
def client(sandbox) -> Iterator[InvoicesPlusClient]:
    with InvoicesPlusClient.from_settings() as client:
        yield client


@pytest.fixture
def calls(sandbox, monkeypatch) -> list[tuple[str, str]]:
    """Method and path of every call that InvoicesPlus gets, faults aside."""
    made = []
    answer = sandbox.api.answer

    def noting(call):
        made.append((call.method, call.path))
        return answer(call)

    monkeypatch.setattr(sandbox.api, "answer", noting)
    return made


@pytest.fixture
def say(sandbox, monkeypatch):
    """Have InvoicesPlus answer every call with this, or with what this function makes of the call."""

    def say(status, document, **headers):
        def answer(call):
            said = document(call) if callable(document) else document
            return Answer(status, said, {name.replace("_", "-"): value for name, value in headers.items()})

        monkeypatch.setattr(sandbox.api, "answer", answer)

    return say
