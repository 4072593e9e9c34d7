import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from django.conf import settings

Document = dict[str, Any]
Generate = Callable[[str, Document], ModuleType]


@pytest.fixture(scope="session")
def generate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generate]:
    """Return a function that generates a Python SDK of that name from a document, as a client's developer would."""
    folder = tmp_path_factory.mktemp("sdk")
    sys.path.insert(0, str(folder))

    def make(name: str, document: Document) -> ModuleType:
        source = folder / f"{name}.yaml"
        source.write_text(yaml.safe_dump(document))
        scripts = Path(sys.executable).parent
        subprocess.run(
            [
                *(scripts / "openapi-python-client", "generate", "--fail-on-warning", "--meta", "none"),
                *("--path", source, "--output-path", folder / name),
            ],
            env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
            check=True,
            capture_output=True,
        )
        return import_module(name)

    yield make
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def document() -> Document:
    """Return the committed document."""
    document: Document = yaml.safe_load((settings.BASE_DIR / "openapi.yaml").read_text())
    return document


@pytest.fixture(scope="session")
def sdk(generate: Generate, document: Document) -> ModuleType:
    """Return the SDK that is generated from openapi.yaml."""
    return generate("async_actions_sdk", document)


ADDED_ACTION = '''
    from rest_framework import serializers

    from api.actions import ActionApi
    from tasks.invoices import sync_invoices

    class ImportInvoicesApi(ActionApi):
        """Fetch a customer's invoices under another name."""

        name = "import-invoices"
        canvas = sync_invoices

        class InputSerializer(serializers.Serializer):
            customer_id = serializers.CharField()

        class OutputSerializer(serializers.Serializer):
            stored = serializers.IntegerField()
            totals = serializers.DictField(child=serializers.CharField())
    '''


@pytest.fixture
def added_action(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a web server that has an action which openapi.yaml does not know.

    Its tasks are old ones, so that the live worker runs them.
    """
    (tmp_path / "added_action.py").write_text(textwrap.dedent(ADDED_ACTION))
    return {"PYTHONPATH": str(tmp_path), "ACTION_MODULES": "api.invoices,added_action"}
