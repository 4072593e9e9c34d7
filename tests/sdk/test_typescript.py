"""TypeScript SDKs, generated from openapi.yaml, pass the strict compiler and drive the live service."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from stack.web import Web
from tests.integration.docs.page import Page
from tests.node import installed, run

SOURCES = Path(__file__).parent / "typescript"
PAGE = Page.read(settings.BASE_DIR / "docs" / "http-api.md")

# Installing and compiling take a while on a busy machine.
pytestmark = [pytest.mark.once, pytest.mark.timeout(300)]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the compiled project of a client's developer: both SDKs, the page's own code, and the scenarios."""
    modules = installed(SOURCES)
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(modules)
    for file in (*SOURCES.glob("*.ts"), SOURCES / "tsconfig.json"):
        shutil.copy(file, folder)
    wait_for, example = PAGE.section("Wait in TypeScript").blocks("ts")
    (folder / "wait_for.ts").write_text(wait_for)
    (folder / "example.ts").write_text(example)
    tools, document = modules / ".bin", settings.BASE_DIR / "openapi.yaml"
    run(
        *(tools / "openapi-ts", "--input", document, "--output", "async-actions", "--client", "@hey-api/client-fetch"),
        cwd=folder,
    )
    run(
        *(tools / "openapi-typescript", document, "--default-non-nullable=false"),
        *("--output", "async-actions/schema.d.ts"),
        cwd=folder,
    )
    run(tools / "tsc", "--project", ".", cwd=folder)
    return folder / "built"


def node(project: Path, *arguments: str, url: str, token: str) -> str:
    return run("node", *arguments, cwd=project, SERVICE_URL=url, SERVICE_TOKEN=token, URL=url, TOKEN=token)


def test_the_scenarios_of_both_sdks(project: Path, stack: Any) -> None:
    printed = node(
        project,
        *("--test", "--test-reporter=tap", "openapi_ts.test.js", "openapi_fetch.test.js"),
        url=stack.url,
        token=stack.token(),
    )

    written = sum(file.read_text().count('\ntest("') for file in SOURCES.glob("*.test.ts"))
    assert f"# pass {written}\n" in printed


def test_the_page_s_example(project: Path, stack: Any) -> None:
    assert node(project, "example.js", url=stack.url, token=stack.token()) == "3.03\n"


def test_an_sdk_from_before_an_action_existed_reads_its_reports(
    project: Path, stack: Any, added_action: dict[str, str], tmp_path: Path
) -> None:
    with Web({**stack.environment, **added_action}, log=tmp_path / "web.log") as web:
        printed = node(project, "older_sdk.js", url=web.url, token=stack.token())

    assert printed == "import-invoices ok 3\n"


def test_without_npm_it_is_skipped_on_a_laptop_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="npm is not installed"):
        installed(SOURCES)
    monkeypatch.setitem(os.environ, "CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"npm is not installed: Node\.js 20 or newer is needed"):
        installed(SOURCES)
