from collections.abc import Iterable

import pytest

from services.doctor.findings import Finding


def told(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """Return verdict and text of each finding. Whatever is not ok has advice, and nothing else does."""
    findings = list(findings)
    assert [bool(finding.advice) for finding in findings] == [finding.verdict != "ok" for finding in findings]
    return [(str(finding.verdict), finding.what) for finding in findings]


@pytest.fixture(name="told")
def _told():
    return told
