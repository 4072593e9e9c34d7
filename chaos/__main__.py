"""`make chaos`: the service at work while its parts are killed at random, then an audit of what it has promised."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from chaos.deployment import BROKERS, Deployment
from stack import preparation
from stack.configuration import RunRefusedError
from stack.process import ServiceStartError
from stack.rabbitmq import RabbitMQ
from stack.terminal import interruptible, say

_INTERRUPTED = 130


def main() -> int:
    """Run as long, with what seed and on which broker the environment says. Returns the exit code."""
    try:
        seconds, seed = _number("SECONDS_TO_RUN", 180), _number("SEED", 1)
        broker = _broker()
        with interruptible():
            return _run(seconds, seed, broker)
    except KeyboardInterrupt:
        say()
        return _INTERRUPTED
    except (RunRefusedError, ServiceStartError) as error:
        print(f"make chaos: {error}", file=sys.stderr)
        return 1


def _run(seconds: int, seed: int, broker: str) -> int:
    folder = Path(tempfile.mkdtemp(prefix="async-actions-chaos-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user where root starts it
    deployment = Deployment(folder, broker)
    is_wanted = False
    say(f"Chaos for {seconds} s with SEED={seed}, on PostgreSQL and {broker}.")
    try:
        deployment.start_servers()
        preparation.prepare(deployment.observer_environment)
        from chaos import evidence, run  # noqa: PLC0415  they need Django set up

        verdict = run.run(deployment, seed=seed, seconds=seconds)
        is_wanted = bool(verdict.findings)
        for line in evidence.evidence(verdict.findings, deployment.logs):
            say(line)
    except Exception:
        is_wanted = True
        raise
    finally:
        deployment.kill()
        if is_wanted:
            say(f"\nLogs, and what the tasks have testified, are in {folder}.\n")
        else:
            shutil.rmtree(folder)
    say(str(verdict))
    return int(not verdict.is_good)


def _number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal():
        raise RunRefusedError(f"{name}={text} is not a whole number.")
    return int(text)


def _broker() -> str:
    broker = os.environ.get("BROKER") or BROKERS[0]
    if broker not in BROKERS:
        raise RunRefusedError(f"BROKER={broker} is none of {', '.join(BROKERS)}.")
    if broker == "rabbitmq" and not RabbitMQ.is_installed():
        raise RunRefusedError("RabbitMQ is not installed (rabbitmq-server).")
    return broker


if __name__ == "__main__":
    sys.exit(main())
