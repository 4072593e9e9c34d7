"""openapi.yaml is clean under the two linters that clients' teams use."""

from pathlib import Path

import pytest
from django.conf import settings

from tests.node import installed, run

LINTERS = Path(__file__).parent / "linters"


@pytest.mark.timeout(300)  # installing them takes a while
def test_both_linters_are_satisfied():
    linters = installed(LINTERS) / ".bin"
    document = settings.BASE_DIR / "openapi.yaml"

    run(linters / "redocly", "lint", document, "--config", LINTERS / "redocly.yaml", cwd=LINTERS)
    run(
        *(linters / "spectral", "lint", document, "--ruleset", LINTERS / "spectral.yaml", "--fail-severity", "hint"),
        cwd=LINTERS,
    )
