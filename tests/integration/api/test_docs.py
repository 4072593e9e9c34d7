"""docs/http-api.md shows what works, and all that there is."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from api.problems import PROBLEM_TYPES
from reports.codes import ENGINE_CODES

PAGE = (settings.BASE_DIR / "docs" / "http-api.md").read_text()
COMMANDS = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


def test_every_problem_is_in_the_table():
    rows = set(re.findall(r"^\| `(\w+)` \| (\d{3}) \| (.+) \|$", PAGE, re.MULTILINE))

    assert rows == {(type_.code, str(type_.status), type_.advice) for type_ in PROBLEM_TYPES.values()}


def test_every_error_code_of_the_engine_is_in_the_table():
    rows = set(re.findall(r"^\| `(\w+)` \| (true|false|null) \| (.+) \|$", PAGE, re.MULTILINE))

    assert rows == {(code.code, json.dumps(code.retryable), code.description) for code in ENGINE_CODES.values()}


def test_the_quotas_are_the_defaults():
    source = (settings.BASE_DIR / "config" / "settings.py").read_text()
    documented = dict(re.findall(r'env\.quota\("(THROTTLE_\w+)", "(\S+)"\)', source))

    assert len(documented) == 4
    [(limit, window)] = re.findall(r'^RateLimit-Policy: "submit";q=(\d+);w=(\d+)$', PAGE, re.MULTILINE)
    assert (documented["THROTTLE_SUBMIT"], window) == (f"{limit}/minute", "60")


def test_every_operation_has_its_command():
    document = yaml.safe_load((settings.BASE_DIR / "openapi.yaml").read_text())

    for url in document["paths"]:
        shown = "/actions/sync-invoices" if url.startswith("/actions/") else url.replace("{report_id}", "$REPORT")
        assert re.search(rf"{re.escape('$URL' + shown)}\W", COMMANDS), url


@pytest.mark.timeout(60)
def test_the_commands_work(stack, tmp_path: Path):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "demo.token").write_text(stack.token())
    # As pasted, but for the address; and an answer that is an error fails.
    script = COMMANDS.replace("URL=http://localhost:8000", f"URL={stack.url}")
    script = 'set -euo pipefail\ncurl() { command curl --fail-with-body --noproxy "*" "$@"; }\n' + script

    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "HTTP/1.1 202" in done.stdout
    assert (tmp_path / "async_actions_sdk" / "client.py").exists()
