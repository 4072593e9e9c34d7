import random
import socket
from typing import Self

LOCALHOST = "127.0.0.1"

# Below the range that the system gives to outgoing connections: none of those can take a port between its reservation
# and its use.
_RANGE = range(20_000, 30_000)
_TRIES = 200


class PortTakenError(Exception):
    """Somebody listens on the port already."""


class Port:
    """A TCP port of this machine, kept for this process: the UDP port of the same number is the reservation.

    No two users of this class get the same port, as long as they keep it.
    """

    def __init__(self, number: int) -> None:
        self._reservation = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._reservation.bind((LOCALHOST, number))
            require_free(number)
        except OSError as error:
            self._reservation.close()
            raise PortTakenError(f"Port {number} is taken.") from error
        except PortTakenError:
            self._reservation.close()
            raise
        self.number = number

    @classmethod
    def any(cls) -> Self:
        """Reserve some port that is free."""
        for number in random.sample(_RANGE, _TRIES):
            try:
                return cls(number)
            except PortTakenError:
                continue
        raise PortTakenError(f"None of {_TRIES} ports that were tried is free.")

    def __del__(self) -> None:
        self.release()

    def release(self) -> None:
        """Give the port back."""
        self._reservation.close()


def require_free(number: int, host: str = LOCALHOST) -> None:
    """Raise PortTakenError when somebody listens there."""
    if not is_free(number, host):
        raise PortTakenError(f"Port {number} is taken.")


def is_free(number: int, host: str = LOCALHOST) -> bool:
    """Tell whether nobody listens there.

    Needed before a web server starts: it shares the port with others that share it, and would not complain.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError:
            return False
    return True
