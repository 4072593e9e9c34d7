import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.once
def test_every_statement_has_an_index_that_serves_it(tmp_path, monkeypatch):
    monkeypatch.setenv("FINISHED", "60000")
    monkeypatch.setenv("WAITING", "6000")
    monkeypatch.setenv("PAGE", str(tmp_path / "indexes.md"))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.explain"], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout.endswith("\n0 read the table without an index that serves them.\n"), done.stdout + done.stderr
    assert done.returncode == 0
    assert (tmp_path / "indexes.md").read_text().count("\n| ") == 1 + 70
