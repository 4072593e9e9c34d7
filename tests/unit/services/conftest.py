import pytest

from services import dispatch
from tests.unit.services import broker


@pytest.fixture
def _no_grudge(monkeypatch):
    """Forget that the broker was away in another test."""
    monkeypatch.setattr(dispatch, "_broker_away_until", 0.0)


@pytest.fixture
def empty_broker(valkey, _no_grudge):
    """A broker that runs and holds nothing."""
    broker.empty()
    return valkey


@pytest.fixture
def dead_broker(valkey, _no_grudge):
    """A broker that is away."""
    valkey.kill()
    return valkey
