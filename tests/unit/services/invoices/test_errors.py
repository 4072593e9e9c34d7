import pickle
import re

import pytest

from services.invoices import errors
from services.invoices.errors import InvoicesPlusError, InvoicesPlusRateLimitedError, InvoicesPlusUnavailableError

CLASSES = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, InvoicesPlusError)]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_has_a_code_and_a_message_of_its_own(error):
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", vars(error)["code"])
    assert str(error()) == vars(error)["__doc__"]
    assert str(error("")) == str(error())
    assert str(error("This.")) == "This."


def test_no_two_errors_share_a_code():
    assert len({error.code for error in CLASSES}) == len(CLASSES) > 5


@pytest.mark.parametrize("error", CLASSES)
def test_what_is_unavailable_may_be_tried_again_and_nothing_else(error):
    assert error.retryable is issubclass(error, InvoicesPlusUnavailableError)


@pytest.mark.parametrize("error", CLASSES)
def test_errors_travel_between_processes(error):
    copy = pickle.loads(pickle.dumps(error("This.")))  # noqa: S301  our own
    assert type(copy) is error
    assert str(copy) == "This."


def test_the_delay_travels_too():
    copy = pickle.loads(pickle.dumps(InvoicesPlusRateLimitedError(retry_after=7)))  # noqa: S301  our own
    assert copy.retry_after == 7
