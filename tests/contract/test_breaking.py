"""A change of openapi.yaml that breaks clients needs a line in the change log."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.contract.breaking import broken, declared

RELEASED = Path(__file__).parent / "released.yaml"

pytestmark = [pytest.mark.once, pytest.mark.timeout(300)]  # the first one installs what compares

Document = dict[str, Any]


def test_what_breaks_clients_is_declared() -> None:
    change_log = (settings.BASE_DIR / "CHANGELOG.md").read_text()

    undeclared = broken(RELEASED, settings.BASE_DIR / "openapi.yaml") - declared(change_log)

    assert not undeclared, (
        'Name these under "## Unreleased" in CHANGELOG.md, in a line such as'
        " - **Breaking:** `GET /reports` answers without totals. Or do not break them."
    )


DOCUMENT: Document = {
    "openapi": "3.1.0",
    "info": {"title": "A service", "version": "1"},
    "paths": {
        "/reports": {
            "get": {
                "operationId": "list_reports",
                "parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer"}}],
                "responses": {
                    "200": {
                        "description": "Reports.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Report"}}},
                    }
                },
            },
            "post": {"operationId": "make_report", "responses": {"202": {"description": "Made."}}},
        }
    },
    "components": {
        "schemas": {
            "Report": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
            "Spare": {"type": "string"},
        }
    },
}


def add_what_nobody_has_to_know(document: Document) -> None:
    document["components"]["schemas"]["Report"]["properties"]["more"] = {"type": "string"}
    document["paths"]["/reports"]["get"]["parameters"].append(
        {"in": "query", "name": "status", "schema": {"type": "string"}}
    )
    document["paths"]["/actions"] = {"get": {"operationId": "list_actions", "responses": {"200": {"description": "x"}}}}


def take_a_property_away(document: Document) -> None:
    document["components"]["schemas"]["Report"] = {"type": "object", "properties": {}}


def demand_a_parameter(document: Document) -> None:
    document["paths"]["/reports"]["get"]["parameters"][0]["required"] = True


def rename_a_method(document: Document) -> None:
    document["paths"]["/reports"]["post"]["operationId"] = "create_report"


def rename_a_class(document: Document) -> None:
    document["components"]["schemas"]["Rest"] = document["components"]["schemas"].pop("Spare")


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        (add_what_nobody_has_to_know, set()),
        (take_a_property_away, {"GET /reports"}),
        (demand_a_parameter, {"GET /reports"}),
        (rename_a_method, {"POST /reports"}),
        (rename_a_class, {"Spare"}),
    ],
)
def test_what_breaks_clients(change: Callable[[Document], None], breaks: set[str], tmp_path: Path) -> None:
    after = deepcopy(DOCUMENT)
    change(after)
    files = tmp_path / "before.yaml", tmp_path / "after.yaml"
    for file, document in zip(files, (DOCUMENT, after), strict=True):
        file.write_text(yaml.safe_dump(document))

    assert broken(*files) == breaks


def test_a_declaration_counts_until_it_is_released() -> None:
    told = (
        "# Changelog\n\n## Unreleased\n\n- `GET /tasks`\n- **Breaking:** `GET /reports` has no\n  `Totals`.\n\n## 0.1\n"
    )

    assert declared(told) == {"GET /reports", "Totals"}
    assert declared(told.replace("\n- **Breaking", "\n## 0.2\n\n- **Breaking")) == set()
    assert declared("# Changelog\n\n## 0.2\n") == set()
