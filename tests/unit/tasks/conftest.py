import pytest

from services import dispatch


@pytest.fixture
def published(monkeypatch):
    """The names of what was published: no broker takes part."""
    names = []

    def take(dispatched):
        names.append(dispatched.task)
        return True

    monkeypatch.setattr(dispatch, "_offer", take)
    return names
