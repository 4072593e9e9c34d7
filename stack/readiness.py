from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from stack.ports import LOCALHOST


def answers(port: int, path: str) -> bool:
    """Tell whether a GET on this machine is answered by 200."""
    return status_of(port, path) == HTTPStatus.OK


def status_of(port: int, path: str) -> int | None:
    """Return by which status a GET on this machine is answered, None where it is not."""
    connection = HTTPConnection(LOCALHOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
