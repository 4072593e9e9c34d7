import pytest

from services.doctor.findings import duration, number, reason


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (172_799, "48 h"), (172_800, "2 d")],
)
def test_lengths_of_time(seconds, said):
    assert duration(seconds) == said


def test_numbers():
    assert [number(count, "task") for count in (0, 1, 2, 12_345)] == ["0 tasks", "1 task", "2 tasks", "12,345 tasks"]


def test_a_reason_is_a_line():
    assert reason(ValueError("No.\n\tNever.")) == "No. Never"
    assert reason(ValueError()) == "ValueError"


def test_a_reason_has_no_secrets():
    assert reason(ValueError("Refused: redis://me:of-the-broker@localhost/0.")) == (
        "Refused: redis://[redacted]@localhost/0"
    )
