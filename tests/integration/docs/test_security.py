"""docs/security.md names a test for each of its lines, and each is there."""

import re

import pytest
from django.conf import settings

from tests.integration.docs.named_tests import require_named_tests
from tests.integration.docs.page import Page

PAGE = Page.read(settings.BASE_DIR / "docs" / "security.md")
ROWS = PAGE.section("OWASP API Security Top 10 (2023)").rows()


def test_all_ten_are_there() -> None:
    assert [re.match(r"API\d+", risk)[0] for risk, _, _ in ROWS] == [f"API{number}" for number in range(1, 11)]


@pytest.mark.parametrize(("what", "shown"), [(risk, shown) for risk, _, shown in ROWS])
def test_each_line_names_tests_that_are_there(what: str, shown: str) -> None:
    require_named_tests(shown, of=what)
