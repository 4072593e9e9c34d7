import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[3]


def start(*options, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def url_of(process):
    line = process.stdout.readline()
    assert line.startswith("InvoicesPlus sandbox ready on http://127.0.0.1:")
    return line.split()[-1]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_it_is_ended(end):
    with start("--port", "0", INVOICES_PLUS_API_KEY="my-key") as process:
        answer = httpx.get(f"{url_of(process)}/customers", headers={"Authorization": "Bearer my-key"})
        process.send_signal(end)
        assert process.communicate(timeout=10) == ("", "")
    assert answer.status_code == 200
    assert process.returncode == 0


def test_a_port_that_is_taken_is_one_line(sandbox):
    port = sandbox.url.rpartition(":")[2]
    with start("--port", port) as process:
        out, problem = process.communicate(timeout=10)
    assert process.returncode == 1
    assert out == ""
    assert problem.count("\n") == 1
    assert port in problem
