import pytest

import config.urls  # noqa: F401  the actions join the catalogue before a test replaces it
from api import catalogue


@pytest.fixture(autouse=True)
def _own_catalogue(monkeypatch):
    """Forget the actions that a test declares."""
    monkeypatch.setattr(catalogue, "_actions", dict(catalogue._actions))
