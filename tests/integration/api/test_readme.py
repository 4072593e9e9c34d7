"""What README.md shows a client is what it gets."""

import json
import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings

from reports.models import FINAL
from stack.process import wait_for
from tests.integration.docs.page import Page
from tests.live import LiveStack

PAGE = Page.read(settings.BASE_DIR / "README.md").section("A first action")


def test_a_first_action(stack: LiveStack, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "demo.token").write_text(stack.token())
    ask, read, ask_and_wait, fail = PAGE.blocks("sh")
    ok, failed = (json.loads(shown.replace(", …}", "}")) for shown in PAGE.blocks("json"))

    def pasted(command: str) -> dict[str, Any]:
        return _pasted(command.replace("http://127.0.0.1:8000", stack.url), tmp_path)

    first = pasted(ask)
    assert wait_for(lambda: pasted(read.replace("<id>", first["id"]))["status"] in FINAL, 20), stack.worker.log_tail()
    _require_shown(pasted(read.replace("<id>", first["id"])), ok)

    second = pasted(ask_and_wait)
    _require_shown(second, ok)
    assert pasted(ask_and_wait)["id"] == second["id"]
    _require_shown(pasted(fail), failed)


def _require_shown(report: dict[str, Any], shown: dict[str, Any]) -> None:
    assert {name: report[name] for name in shown} == {**shown, "id": report["id"]}


def _pasted(command: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        ["bash", "-c", f'set -euo pipefail\ncurl() {{ command curl --fail --noproxy "*" "$@"; }}\n{command}'],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
