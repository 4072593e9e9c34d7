import pytest

from services import dispatch


@pytest.fixture
def published(monkeypatch):
    """The names of what was published: no broker takes part."""
    names = []

    def take(portion, _):
        names.extend(dispatched.task for dispatched in portion)
        return len(portion)

    monkeypatch.setattr(dispatch, "_offer", take)
    return names
