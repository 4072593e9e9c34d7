"""No secret gets into a log, whoever logs it; and each line says what it belongs to."""

import logging
from io import StringIO

import orjson
import pytest
import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from config.logs import FORMATS, shortened
from reports.redaction import redact

TOKEN = f"aat_{'0123456789abcdef' * 4}"


class Log:
    """A logger of the service's format, and what it has written."""

    def __init__(self, format_: str) -> None:
        self.written = StringIO()
        self.handler = logging.StreamHandler(self.written)
        self.handler.setFormatter(import_string(settings.LOGGING["formatters"]["line"]["()"])(format_))
        self.logger = logging.getLogger("tests.logs")
        self.logger.addHandler(self.handler)

    @property
    def text(self) -> str:
        return self.written.getvalue()

    def lines(self) -> list[dict]:
        return [orjson.loads(line) for line in self.text.splitlines()]


@pytest.fixture(params=FORMATS)
def log(request):
    log = Log(request.param)
    yield log
    log.logger.removeHandler(log.handler)


@pytest.fixture
def json_log():
    log = Log("json")
    yield log
    log.logger.removeHandler(log.handler)


def test_all_handlers_have_the_format():
    assert {handler["formatter"] for handler in settings.LOGGING["handlers"].values()} == {"line"}
    assert not any(logger.get("handlers") for logger in settings.LOGGING["loggers"].values())


def test_messages_and_their_arguments(log):
    log.logger.info("Token %s of %s", TOKEN, "billing")
    log.logger.info("GET https://ada:hunter2@host with %r", {"Authorization": "Bearer abc"})

    assert "GET https://[redacted]@host with {'Authorization': '[redacted]'}" in log.text
    assert "Token [redacted] of billing" in log.text
    assert TOKEN not in log.text


def test_tracebacks(log):
    try:
        {}[TOKEN]
    except KeyError:
        log.logger.exception("Failed")

    assert "KeyError: '[redacted]'" in log.text
    assert TOKEN not in log.text


def test_secrets_in_quotation_marks(log):
    log.logger.info('%s {"password": "hunter2-\\"and-more", "user": "ada"}', "body:")

    assert "hunter2" not in log.text
    assert "and-more" not in log.text
    assert "ada" in log.text


def test_what_is_bound(log):
    with structlog.contextvars.bound_contextvars(report="r1", note=["Bearer", {"token": TOKEN}]):
        log.logger.info("Hello")

    assert "r1" in log.text
    assert TOKEN not in log.text


def test_stacks(log):
    log.logger.info("Here", stack_info=True)

    assert "test_stacks" in log.text


def test_secrets_of_the_environment(log):
    log.logger.warning("It is %s.", settings.SECRET_KEY)

    assert "It is [redacted]." in log.text


def test_a_record_is_one_object_on_one_line(json_log):
    with structlog.contextvars.bound_contextvars(report="r1", attempt=2):
        json_log.logger.warning("One\ntwo %s", '"three"')
    json_log.logger.error("Four")

    one, four = json_log.lines()
    assert {name: one[name] for name in ("event", "level", "logger", "process", "report", "attempt")} == {
        "event": 'One\ntwo "three"',
        "level": "warning",
        "logger": "tests.logs",
        "process": "MainProcess",
        "report": "r1",
        "attempt": 2,
    }
    assert one["timestamp"].endswith("Z")
    assert "report" not in four


def test_a_long_record_is_written_without_its_middle(log, monkeypatch):
    redacted = []
    monkeypatch.setattr("config.logs.redact", lambda text: redacted.append(len(text)) or redact(text))

    # One of the tokens is where the record is cut, whichever way.
    log.logger.info("begin %s end", f"{TOKEN} " * 500)

    assert "begin [redacted]" in log.text
    assert "[redacted]  end" in log.text
    assert TOKEN[8:24] not in log.text
    assert len(log.text) < 10_300
    assert max(redacted) <= 10_000


def test_what_no_encoding_knows_is_not_written():
    # Not by a logger here: the tests' own processes could not tell each other of it.
    assert shortened("one \udc80 two") == "one ? two"


def test_arguments_that_do_not_fit_their_message_are_no_less_secret(log, capsys, monkeypatch):
    monkeypatch.setattr(log.logger, "propagate", False)  # the tests' own handlers would raise
    log.logger.info("Took %d items", f"of {TOKEN}")

    assert "Took %d items" in log.text
    assert TOKEN not in log.text
    assert capsys.readouterr().err == ""


def test_what_is_bound_by_a_secret_s_name(json_log):
    with structlog.contextvars.bound_contextvars(password="hunter2hunter2", report="r"):
        json_log.logger.info("Here")

    assert [(line["password"], line["report"]) for line in json_log.lines()] == [("[redacted]", "r")]


def test_a_stack_is_written_once(json_log):
    json_log.logger.info("Here", stack_info=True)

    assert json_log.text.count("test_a_stack_is_written_once") == 1
