"""What `make run` runs with: a folder for its data, and the environment of the service's processes."""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
_PORTS = range(1, 65_536)
_OF_THE_RUN = (
    *("SECRET_KEY", "HTTPS", "DATABASE_URL", "BROKER_URL", "REDIS_URL", "VAR_DIR"),
    *("INVOICES_PLUS_URL", "INVOICES_PLUS_API_KEY"),
)


class RunRefusedError(Exception):
    """`make run` cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Folder:
    """Where `make run` keeps its data: the database, the broker's file, the secret key, the token, the logs."""

    path: Path

    @classmethod
    def chosen(cls) -> "Folder":
        """Return the folder that VAR_DIR names, or var/ of the project."""
        path = Path(os.environ.get("VAR_DIR", ROOT / "var")).resolve()
        path.mkdir(parents=True, exist_ok=True)
        return cls(path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the folder for one run: two brokers with one file would spoil it. Raises RunRefusedError."""
        with (self.path / "run.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunRefusedError(
                    f"Another `make run` uses {self.shown(self.path)}. End it, or choose another folder by VAR_DIR."
                ) from error
            yield

    def secret_key(self) -> str:
        """Return the key of this installation, made when it is first needed."""
        file = self.path / "secret.key"
        if not file.exists():
            self.write_secret(file, secrets.token_urlsafe(64))
        return file.read_text().strip()

    @property
    def token(self) -> Path:
        """The file with the demo client's token."""
        return self.path / "demo.token"

    @property
    def environment(self) -> Path:
        """The file with the variables of the run, for management commands beside it."""
        return self.path / "run.env"

    @property
    def logs(self) -> Path:
        """The folder of the processes' logs."""
        return self.path / "logs"

    @staticmethod
    def write_secret(file: Path, secret: str) -> None:
        """Write a file that only its owner may read, never half of it."""
        draft = file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(f"{secret}\n")
        draft.replace(file)

    @staticmethod
    def shown(path: Path) -> str:
        """Return a path as a person in the current folder would write it."""
        return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def chosen_port() -> int:
    """Return the port that PORT names. Raises RunRefusedError when it names none."""
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or int(text) not in _PORTS:
        raise RunRefusedError(f"PORT={text} is not a port. Use a number from 1 to 65535.")
    return int(text)


def needs_embedded_redis() -> bool:
    """Tell whether the environment lacks a broker, or a Redis beside it."""
    broker = os.environ.get("BROKER_URL", "")
    return not broker or not (os.environ.get("REDIS_URL") or _redis_of(broker))


def service_environment(folder: Folder, *, embedded_redis: str, sandbox: str, sandbox_key: str) -> dict[str, str]:
    """Return the environment of the service's processes. What the caller's environment says already stays.

    ``embedded_redis`` is the address of a Redis server, without a database, for what the caller's lacks.
    """
    broker = os.environ.get("BROKER_URL") or f"{embedded_redis}/0"
    return {
        "SECRET_KEY": folder.secret_key(),
        "HTTPS": "0",
        "INVOICES_PLUS_URL": sandbox,
        "INVOICES_PLUS_API_KEY": sandbox_key,
        **os.environ,
        "BROKER_URL": broker,
        "REDIS_URL": os.environ.get("REDIS_URL") or f"{_redis_of(broker) or embedded_redis}/1",
        "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{folder.path}/async-actions.sqlite3",
        "VAR_DIR": str(folder.path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def exported(environment: Mapping[str, str]) -> str:
    """Return what the service's processes run with, as a shell reads it. Source: POSIX, the utility dot."""
    return "\n".join(f"export {name}={quote(environment[name])}" for name in _OF_THE_RUN)


def shown_database(address: str) -> str:
    """Return a database's address as a person would write it."""
    file = address.removeprefix("sqlite:///")
    return without_password(address) if file == address else Folder.shown(Path(file))


def without_password(address: str) -> str:
    """Return an address as it may be shown."""
    return re.sub("//[^/]*@", "//", address)


def _redis_of(broker: str) -> str:
    parts = urlsplit(broker)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("redis", "rediss") else ""
