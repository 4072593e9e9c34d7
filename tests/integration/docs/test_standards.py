"""docs/http-api.md names a test for each clause of a standard that it relies on, and each is there."""

import pytest
from django.conf import settings

from tests.integration.docs.named_tests import require_named_tests
from tests.integration.docs.page import Page

PAGE = Page.read(settings.BASE_DIR / "docs" / "http-api.md")
ROWS = PAGE.section("Standards").rows()


@pytest.mark.parametrize(
    "standard", ["RFC 9110", "RFC 9457", "RFC 7240", "RFC 6750", "idempotency-key", "ratelimit", "WHATWG"]
)
def test_every_standard_is_there(standard: str) -> None:
    assert any(standard in clause for clause, _, _ in ROWS)


@pytest.mark.parametrize(("clause", "shown"), [(f"{clause}: {what}", shown) for clause, what, shown in ROWS])
def test_each_clause_names_tests_that_are_there(clause: str, shown: str) -> None:
    require_named_tests(shown, of=clause)
