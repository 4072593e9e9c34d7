from contextlib import suppress
from threading import Event

import pytest

from chaos.crew import Crew


def test_they_work_until_they_are_told_to_stop() -> None:
    ended: list[int] = []

    def work(stop: Event) -> None:
        stop.wait()
        ended.append(1)

    with Crew() as crew:
        for _ in range(3):
            crew.add(work)
        crew.wait(0.01)
        assert not ended
        crew.end()
        assert len(ended) == 3


def test_they_are_told_to_stop_when_who_waits_is_interrupted() -> None:
    stopped = Event()

    def work(stop: Event) -> None:
        stop.wait()
        stopped.set()

    with suppress(KeyboardInterrupt), Crew() as crew:
        crew.add(work)
        raise KeyboardInterrupt
    assert stopped.is_set()


@pytest.mark.parametrize("wait", [lambda crew: crew.wait(60), Crew.end], ids=["wait", "end"])
def test_an_error_is_raised_where_they_are_waited_for(wait) -> None:
    def work(stop: Event) -> None:
        raise ZeroDivisionError

    with Crew() as crew:
        crew.add(work)
        crew.add(Event.wait)
        with pytest.raises(ZeroDivisionError):
            wait(crew)
