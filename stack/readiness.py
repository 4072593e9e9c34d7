from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from stack.ports import LOCALHOST


def answers(port: int, path: str) -> bool:
    """Tell whether a GET on this machine is answered by 200."""
    connection = HTTPConnection(LOCALHOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
