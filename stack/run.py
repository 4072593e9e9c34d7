"""`make run`: the whole service on this machine, shown at work, until Ctrl-C."""

import os
import shutil
import sys
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from stack import configuration, demo, preparation
from stack.assembly import Stack
from stack.configuration import Folder, RunRefusedError, without_password
from stack.demo import DemoError
from stack.ports import LOCALHOST, PortTakenError, require_free
from stack.process import ServiceStartError
from stack.sandbox import API_KEY, SandboxServer
from stack.terminal import interruptible, say, styled
from stack.valkey import Valkey
from stack.web import Web
from stack.worker import Worker

_WATCH_INTERVAL = 0.2  # seconds
_DEMO_CLIENT = "demo"


class ServiceEndedError(Exception):
    """One of the processes is gone; the message has the end of its log."""


def main() -> int:
    """Run until interrupted. Returns the exit code."""
    try:
        with interruptible():
            folder = Folder.chosen()
            with folder.locked():
                _run(folder, port=_free_port())
    except KeyboardInterrupt:
        say()
        return 0
    except (RunRefusedError, ServiceStartError, ServiceEndedError, DemoError) as error:
        print(f"{styled('make run:', 'bad')} {error}", file=sys.stderr)
        return 1
    return 0


def _run(folder: Folder, *, port: int) -> None:
    shutil.rmtree(folder.logs, ignore_errors=True)
    given = {name for name in ("BROKER_URL", "REDIS_URL") if os.environ.get(name)}
    valkey = Valkey(folder.path / "valkey", log=folder.logs / "valkey.log")
    sandbox = SandboxServer(os.environ, log=folder.logs / "sandbox.log", journal=folder.path / "sandbox.jsonl")
    servers = [valkey, sandbox] if configuration.needs_embedded_redis() else [sandbox]
    environment = configuration.service_environment(
        folder, embedded_redis=f"redis://{LOCALHOST}:{valkey.port}", sandbox=sandbox.url, sandbox_key=API_KEY
    )
    folder.write_secret(folder.environment, configuration.exported(environment))
    web = Web(environment, log=folder.logs / "web.log", port=port)
    worker = Worker(environment, log=folder.logs / "worker.log")

    say(f"\n{styled('Async Actions', 'bold')}\n")
    _prepare(environment, given)
    _serve(folder, Stack(servers, [web, worker]), web)


def _prepare(environment: Mapping[str, str], given: AbstractSet[str]) -> None:
    preparation.prepare(environment)
    _announce("database", configuration.shown_database(environment["DATABASE_URL"]))
    if "BROKER_URL" in given:
        preparation.require_broker(environment)
        _announce("broker", without_password(environment["BROKER_URL"]))
    if "REDIS_URL" in given:
        preparation.require_redis(environment)
        _announce("redis", without_password(environment["REDIS_URL"]))


def _serve(folder: Folder, stack: Stack, web: Web) -> None:
    try:
        stack.start(lambda service: _announce(service.name, service.description))
        say()
        demo.show(web.url, _token(folder, web))
        say(_invitation(folder, web))
        _watch(stack)
    finally:
        _end(stack)


def _free_port() -> int:
    port = configuration.chosen_port()
    try:
        require_free(port)
    except PortTakenError as error:
        raise RunRefusedError(f"Port {port} is taken. Choose another one: make run PORT={port + 1}") from error
    return port


def _token(folder: Folder, web: Web) -> str:
    token = folder.token.read_text().strip() if folder.token.exists() else ""
    if not demo.is_known(web.url, token):
        token = preparation.new_token(_DEMO_CLIENT)
        folder.write_secret(folder.token, token)
    return token


def _announce(name: str, detail: str) -> None:
    say(f"  {styled('✓', 'good')} {name:<9} {styled(detail, 'faint')}")


def _invitation(folder: Folder, web: Web) -> str:
    return f"""
  {styled("Docs", "bold")}    {web.url}/docs
  {styled("Try it", "bold")}  {demo.curl(web.url, folder.shown(folder.token))}
  {styled("Manage", "bold")}  . {folder.shown(folder.environment)} && .venv/bin/python manage.py doctor
  {styled("Logs", "bold")}    {folder.shown(folder.logs)}

Serving until Ctrl-C."""


def _watch(stack: Stack) -> None:
    while not (ended := stack.ended()):
        time.sleep(_WATCH_INTERVAL)
    log = Folder.shown(ended.log)
    raise ServiceEndedError(f"{ended.name} ended with exit code {ended.exit_code}; {log} says:\n{ended.log_tail()}")


def _end(stack: Stack) -> None:
    try:
        stack.stop()
    except KeyboardInterrupt:  # asked twice
        stack.kill()


if __name__ == "__main__":
    sys.exit(main())
