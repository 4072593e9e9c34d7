"""No secret gets into a log, whoever logs it."""

import logging
from io import StringIO

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from reports.redaction import redact

TOKEN = f"aat_{'0123456789abcdef' * 4}"


@pytest.fixture
def log():
    """Yield a logger of the service's format, and what it has written."""
    format_ = settings.LOGGING["formatters"]["line"]
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(import_string(format_["()"])(format_["format"]))
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    yield logger, written
    logger.removeHandler(handler)


def test_all_handlers_have_the_format():
    assert {handler["formatter"] for handler in settings.LOGGING["handlers"].values()} == {"line"}
    assert not any(logger.get("handlers") for logger in settings.LOGGING["loggers"].values())


def test_messages_and_their_arguments(log):
    logger, written = log

    logger.info("Token %s of %s", TOKEN, "billing")
    logger.info("GET https://ada:hunter2@host with %r", {"Authorization": "Bearer abc"})

    assert written.getvalue().endswith(
        " INFO MainProcess tests.logs: GET https://[redacted]@host with {'Authorization': '[redacted]'}\n"
    )
    assert "Token [redacted] of billing" in written.getvalue()
    assert TOKEN not in written.getvalue()


def test_tracebacks(log):
    logger, written = log

    try:
        {}[TOKEN]
    except KeyError:
        logger.exception("Failed")

    assert written.getvalue().endswith("KeyError: '[redacted]'\n")


def test_secrets_of_the_environment(log):
    logger, written = log

    logger.warning("It is %s.", settings.SECRET_KEY)

    assert "It is [redacted]." in written.getvalue()


def test_a_long_record_is_written_without_its_middle(log, monkeypatch):
    redacted = []
    monkeypatch.setattr("config.logs.redact", lambda text: redacted.append(len(text)) or redact(text))
    logger, written = log

    # One of the tokens is where the record is cut, whichever way.
    logger.info("begin %s end", f"{TOKEN} " * 500)

    text = written.getvalue()
    assert "begin [redacted]" in text
    assert text.endswith("[redacted]  end\n")
    assert TOKEN[8:24] not in text
    assert len(text) < 10_100
    assert max(redacted) <= 10_000
