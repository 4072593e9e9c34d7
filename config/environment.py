"""Reading the environment: a value that cannot be understood stops the start, with its variable's name."""

import os
import re
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_QUOTA = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)")
_WINDOWS = {"second": 1, "minute": 60, "hour": 3600, "day": 24 * 3600}
_ALMOST = 0.9  # how much of two names is the same, of 1
SHORTEST_TOKEN = 16  # characters of what is as good as a password
_NUMBERS = {int: "a whole number", float: "a number"}


class Environment(environ.Env):
    """``environ.Env``, with errors that say which variable to change, and nothing misread in silence."""

    def __init__(self) -> None:
        super().__init__()
        self._read: set[str] = set()

    def get_value(
        self,
        var: str,
        cast: Any = None,
        default: Any = environ.Env.NOTSET,
        parse_default: bool = False,  # noqa: FBT001, FBT002  the signature is environ's
    ) -> Any:
        """Return the variable's value as ``cast``.

        Raises:
            ImproperlyConfigured: the value is not what ``cast`` understands.

        """
        self._read.add(var)
        if cast is bool and self._is_unclear(var):
            raise ImproperlyConfigured(f"{var} is neither true nor false. Use 1 or 0.")
        try:
            return super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} is not {_NUMBERS.get(cast, 'readable')}.") from error

    def seconds(self, var: str, default: float) -> float:
        """Return a time in seconds, above 0."""
        value: float = self.float(var, default)
        if value <= 0:
            raise ImproperlyConfigured(f"{var} is not above 0. Give it seconds.")
        return value

    def count(self, var: str, default: int, *, least: int = 1, most: int = 2**31) -> int:
        """Return a number of things, from ``least`` to ``most``."""
        value: int = self.int(var, default)
        if not least <= value <= most:
            raise ImproperlyConfigured(f"{var} is not from {least} to {most}. Give it a number in between.")
        return value

    def quota(self, var: str, default: str) -> tuple[int, int] | None:
        """Return how many requests are allowed in how many seconds; None without a limit."""
        text = self.str(var, default).strip().lower()
        if text == "none":
            return None
        match = _QUOTA.fullmatch(text)
        if not match:
            raise ImproperlyConfigured(
                f"{var} is not a number of requests in a second, minute, hour or day. Write it as 100/minute, or none."
            )
        return int(match[1]), _WINDOWS[match[2]]

    def database(self, var: str, default: str) -> dict[str, Any]:
        """Return a database address as Django's settings for it."""
        address = self.service(var, default, schemes=("postgres", "postgresql", "sqlite"))
        if urlsplit(address).path in ("", "/"):
            raise ImproperlyConfigured(f"{var} names no database. Use postgres://host/database or sqlite:///file.")
        config: dict[str, Any] = self.db_url_config(address)
        return config

    def service(self, var: str, default: str, *, schemes: tuple[str, ...]) -> str:
        """Return the address of a service, checked as far as that goes without calling it."""
        address: str = self.str(var, default)
        allowed = ", ".join(f"{scheme}://" for scheme in schemes)
        try:
            parts = urlsplit(address)
            understood = parts.scheme in schemes and parts.port != 0 and (parts.hostname or parts.path.strip("/"))
        except ValueError:
            understood = False
        if not understood:
            # The address itself stays out of the message: it may hold a password.
            raise ImproperlyConfigured(
                f"{var} is not an address that is supported here. Use one that starts {allowed}."
            )
        return address

    def collector(self, var: str) -> str | None:
        """Return the address of what is sent to by HTTP; None where the variable is not set."""
        return self.service(var, "", schemes=("http", "https")) if self.str(var, "") else None

    def address(self, var: str) -> tuple[str, int] | None:
        """Return the host and the port to listen at; None where the variable is not set."""
        text: str = self.str(var, "")
        host, _, port = text.rpartition(":")
        if text and not (host and port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
            raise ImproperlyConfigured(f"{var} is no address to listen at. Use host:port, such as 127.0.0.1:9464.")
        return (host.strip("[]"), int(port)) if text else None

    def modules(self, var: str, default: list[str]) -> list[str]:
        """Return names of modules whose packages are there; they are imported when the settings are complete."""
        names: list[str] = self.list(var, default=default)
        for name in names:
            package = name.partition(".")[0]
            if not package.isidentifier() or find_spec(package) is None:
                raise ImproperlyConfigured(
                    f"{var} names {name}, and there is no package {package}."
                    " Correct the name, or install the package that has it."
                )
        return names

    def misspelt(self) -> dict[str, str]:
        """Return variables of the environment that are named almost like one that was read, with that one's name."""
        close = {name: get_close_matches(name, self._read, 1, _ALMOST) for name in os.environ.keys() - self._read}
        return {name: found[0] for name, found in sorted(close.items()) if found and found[0] not in os.environ}

    def _is_unclear(self, var: str) -> bool:
        return var in self.ENVIRON and self.ENVIRON[var].strip().lower() not in _TRUE | _FALSE
