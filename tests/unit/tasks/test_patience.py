import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, connection, transaction
from tenacity import nap

from tasks.patience import if_possible, patiently


@pytest.fixture
def waits(monkeypatch):
    """The seconds that were waited for, without waiting."""
    waits = []
    monkeypatch.setattr(nap.time, "sleep", waits.append)
    return waits


def failing(*errors):
    """Return a write that fails with these errors, one after another, and then is heard."""
    left = list(errors)

    def write():
        if left:
            raise left.pop(0)
        return "written"

    return write


def test_a_write_that_works_is_made_once(waits):
    assert patiently(failing()) == "written"
    assert waits == []


def test_a_database_that_is_away_is_waited_for(waits):
    assert patiently(failing(OperationalError(), InterfaceError(), *[OperationalError()] * 8)) == "written"
    assert len(waits) == 9  # the first time it is tried again at once
    assert waits[0] <= 1.1
    assert waits[-1] == 5


@pytest.mark.django_db(transaction=True)
def test_each_try_has_a_connection_of_its_own(waits):
    connection.ensure_connection()
    seen = []

    def write():
        seen.append(connection.connection)
        if len(seen) == 1:
            raise OperationalError

    patiently(write)
    assert seen[0] is not None
    assert seen[1] is None


def test_patience_has_an_end(waits, settings):
    settings.OUTCOME_PATIENCE = 0
    with pytest.raises(OperationalError, match="away"):
        patiently(failing(OperationalError("away"), OperationalError("still away")))
    assert waits == []


@pytest.mark.parametrize("error", [IntegrityError, DataError, ValueError])
def test_what_waiting_cannot_mend_is_raised_at_once(waits, error):
    with pytest.raises(error):
        patiently(failing(error()))
    assert waits == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("errors", "said"), [([], 1), ([OperationalError()], 2), ([InterfaceError()] * 5, 2)])
def test_what_can_be_done_without_is_said_once_more_and_then_left(errors, said):
    words = []
    say = failing(*errors)

    def word():
        words.append(connection.connection)
        say()

    connection.ensure_connection()
    if_possible(word)
    assert len(words) == said
    assert words[1:] == [None] * (said - 1)  # a new connection would have been made


@pytest.mark.django_db
def test_a_transaction_that_is_broken_is_not_gone_on_with():
    with pytest.raises(OperationalError), transaction.atomic():
        if_possible(failing(OperationalError()))


@pytest.mark.parametrize("error", [IntegrityError, DataError, ValueError])
def test_what_another_connection_cannot_mend_is_raised_at_once(error):
    with pytest.raises(error):
        if_possible(failing(error()))
