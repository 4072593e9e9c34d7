import pytest

import config.urls  # noqa: F401  the actions join the catalogue before a test replaces it
from api import catalogue
from tests.unit.testing import trips


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    """Forget what another test has done, and the actions that this one declares."""
    monkeypatch.setattr(catalogue, "_actions", dict(catalogue._actions))
    trips.done.clear()
    trips.faults.clear()


@pytest.fixture
def travel(_anew):
    """The action."""
    return trips.declare()
