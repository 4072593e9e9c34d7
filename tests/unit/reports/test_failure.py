import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reports.errors import DocumentTooLargeError
from reports.failure import UNEXPECTED, Failure
from tests.unit.reports import ledger


class OwnCodeError(Exception):
    code = "own_code"


class Outer:
    class InnerError(Exception):
        pass


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError


class WordlessError(Exception):
    __str__ = None


class SecretiveError(Exception):
    @property
    def code(self):
        raise RuntimeError


def of(error, **given):
    return Failure.of(error, task="a.task", **given)


def test_an_error_is_described_by_its_class_its_message_and_its_task():
    failure = of(OwnCodeError("No such customer."), traceback="Traceback ...")
    assert failure == Failure("own_code", "OwnCodeError", "No such customer.", "a.task", "Traceback ...")


def test_what_nobody_foresaw_is_told_to_operators_alone():
    traceback = 'Traceback ...\nValueError: no row in "clients" at 10.0.0.7'
    failure = of(ValueError('no row in "clients" at 10.0.0.7'), traceback=traceback)
    assert failure == Failure("task_failed", "ValueError", UNEXPECTED, "a.task", traceback)


@pytest.mark.parametrize("said", [True, False, None])
def test_whether_a_retry_makes_sense_is_the_error_s_to_say(said):
    error = OwnCodeError("x")
    error.retryable = said
    assert of(error).retryable is said


@pytest.mark.parametrize("said", ["yes", 1, 0.0, [True]], ids=repr)
def test_what_is_no_truth_value_says_nothing(said):
    error = OwnCodeError("x")
    error.retryable = said
    assert of(error).retryable is None


def test_of_the_engine_s_own_errors_it_is_known():
    assert of(DocumentTooLargeError("x")).retryable is False
    assert of(ValueError("x"), code="expired").retryable is True
    assert of(ValueError("x")).retryable is None


def test_no_secret_is_kept():
    error = OwnCodeError("GET https://ada:hunter2@host failed, password=hunter2")
    failure = of(error, traceback=f"Traceback ...\nOwnCodeError: {error}\n")
    assert "hunter2" not in failure.message + failure.traceback
    assert failure.message == "GET https://[redacted]@host failed, password=[redacted]"


def test_a_secret_is_not_kept_in_part(settings):
    settings.REPORT_MAX_MESSAGE_CHARACTERS = settings.REPORT_MAX_TRACEBACK_CHARACTERS = 30
    token = f"aat_{'0123456789abcdef' * 4}"
    for padding in range(60):
        failure = of(OwnCodeError(f"{'x' * padding} {token}"), traceback=f"{token} {'x' * padding}")
        assert "0123" not in failure.message
        assert "cdef" not in failure.traceback


def test_a_nested_class_is_named_in_full():
    assert of(Outer.InnerError("x")).type == "Outer.InnerError"


@pytest.mark.parametrize(
    ("code", "kept"),
    [("own", "own"), ("", "task_failed"), (None, "task_failed"), (404, "task_failed"), (["a"], "task_failed")],
)
def test_the_code_is_the_error_s_own_where_it_is_one(code, kept):
    error = OwnCodeError("x")
    error.code = code
    assert of(error).code == kept


def test_the_code_of_the_class_and_the_code_that_is_told():
    assert of(OwnCodeError("x")).code == "own_code"
    assert of(OwnCodeError("x"), code="told").code == "told"


def test_a_code_that_cannot_be_read_is_no_code():
    assert of(SecretiveError("x")).code == "task_failed"


@pytest.mark.parametrize("text", ["", "  \n", "\0", " \0\0 "], ids=repr)
def test_an_error_without_words_gets_some(text):
    assert of(OwnCodeError(text)).message == "OwnCodeError without a message"


@pytest.mark.parametrize("error", [ValueError(), UnspeakableError("x"), WordlessError("x"), Outer.InnerError()])
def test_an_error_that_cannot_be_put_into_words_gets_some(error):
    assert of(error, code="told").message == f"{type(error).__qualname__} without a message"


def test_an_exit_is_described_too():
    assert of(KeyboardInterrupt()).type == "KeyboardInterrupt"


@given(st.text(st.characters(), max_size=50), st.text(max_size=10))
@example("\ud800", "\0")
def test_whatever_it_says_a_database_can_keep_it_and_it_says_something(message, code):
    error = OwnCodeError(message)
    error.code = code
    failure = of(error, traceback=message)
    assert failure.message
    assert failure.code
    for text in (failure.message, failure.code, failure.type, failure.traceback):
        assert "\0" not in text
        text.encode()


def test_a_long_message_keeps_its_beginning(settings):
    settings.REPORT_MAX_MESSAGE_CHARACTERS = 10
    assert of(OwnCodeError("0123456789")).message == "0123456789"
    assert of(OwnCodeError("0123456789x")).message == "012345678…"


def test_a_long_traceback_keeps_its_end(settings):
    settings.REPORT_MAX_TRACEBACK_CHARACTERS = 10
    assert of(ValueError(), traceback="0123456789").traceback == "0123456789"
    assert of(ValueError(), traceback="x0123456789").traceback == "…123456789"


def test_codes_and_class_names_fit_their_columns():
    long = type("E" * 300, (Exception,), {"code": "c" * 200})("x")
    failure = of(long)
    assert (len(failure.code), len(failure.type)) == (100, 255)


@pytest.mark.django_db
def test_the_longest_failure_is_kept():
    long = type("E" * 300, (Exception,), {"code": "\U0001f600" * 200})("\U0001f600" * 9_000)
    failure = Failure.of(long, task="a", traceback="\U0001f600" * 90_000)
    ledger.accept("a")
    ledger.fail("a", failure)
    row = ledger.find("a")
    assert (row.error_code, row.error_type, row.error_message) == (failure.code, failure.type, failure.message)
    assert (row.error_traceback, row.error_task) == (failure.traceback, "a")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((5,), "a.task ran longer than its time limit of 5 s."),
        ((2.5,), "a.task ran longer than its time limit of 2.5 s."),
        ((), "a.task ran longer than its time limit."),
        (("SoftTimeLimitExceeded",), "a.task ran longer than its time limit."),
    ],
)
def test_a_time_limit_says_how_long_it_was(arguments, said):
    failure = Failure.timed_out(TimeoutError(*arguments), task="a.task", traceback="Traceback ...")
    assert failure == Failure("timed_out", "TimeoutError", said, "a.task", "Traceback ...")


def test_a_lost_worker_is_described():
    failure = Failure.worker_lost(task="a.task")
    assert (failure.code, failure.type, failure.task) == ("worker_lost", "WorkerLostError", "a.task")
    assert failure.message == "The worker was lost while it ran a.task; whether its work was done is not known."


def test_a_terminated_task_says_why():
    failure = Failure.terminated(task="a.task")
    assert (failure.code, failure.message) == ("cancelled", "a.task was stopped: its action had ended.")


def test_the_entry_of_an_attempt_has_all_of_it_and_when():
    entry = ledger.failure_of("a").as_attempt(3, started_at="2026-01-01T00:00:00Z", failed_at=None)
    assert entry == {
        "attempt": 3,
        "started_at": "2026-01-01T00:00:00Z",
        "failed_at": None,
        "code": "broken",
        "type": "BrokenError",
        "message": "It broke.",
        "task": "a",
        "traceback": "Traceback ...",
        "retryable": True,
    }
