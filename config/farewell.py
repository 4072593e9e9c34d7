import signal
import socket
from collections.abc import Callable
from threading import Thread

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})


def when_asked_to_end(act: Callable[[], None]) -> None:
    """Run ``act``, in a thread, as soon as this process is asked to end. The web server's own handlers are left alone.

    Python writes each signal's number to one file descriptor as well (``signal.set_wakeup_fd``), whoever handles it.
    """
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    try:
        signal.set_wakeup_fd(theirs.detach(), warn_on_full_buffer=False)
    except ValueError:
        return  # a server that loads the application in another thread than the first has ways of its own

    def listen() -> None:
        while not _ENDING.intersection(ours.recv(100)):
            pass
        act()

    Thread(target=listen, name="farewell", daemon=True).start()
