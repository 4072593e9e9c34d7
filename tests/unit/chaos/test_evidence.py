from pathlib import Path
from uuid import uuid4

import pytest

from chaos import witness
from chaos.evidence import evidence
from tests.unit.reports.ledger import accept, find

pytestmark = pytest.mark.django_db


def test_it_shows_the_ledger_the_testimony_and_the_logs(tmp_path: Path, settings) -> None:
    settings.VAR_DIR = tmp_path
    accept("first")
    id_ = find("first").id
    witness.testify(str(id_), 1, "begins", "1.2.3")
    witness.testify(str(uuid4()), 1, "begins", "9.9.9")
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "worker0.log").write_text(f"something\nfirst[{id_}] was lost\nsomething\n")
    text = "\n".join(evidence([f"unfinished: task first {id_} is pending"], logs))
    assert f"unfinished: task first {id_} is pending" in text
    assert "status=pending" in text
    assert "path='1.2.3'" in text
    assert f"worker0.log: first[{id_}] was lost" in text
    assert "9.9.9" not in text
    assert "something" not in text


def test_it_does_not_go_on_for_ever(tmp_path: Path, settings) -> None:
    settings.VAR_DIR = tmp_path
    (tmp_path / "logs").mkdir()
    lines = list(evidence([f"lost: {uuid4()}" for _ in range(1_000)], tmp_path / "logs"))
    assert len(lines) < 20
    assert lines[-1] == "\n… and 990 more."
