import pytest
from celery import current_app

from tasks import policy
from tasks.base import BaseTask
from tasks.invoices import InvoicesPlusBaseTask


@pytest.fixture
def declare():
    def declare(base=BaseTask, **options):
        def run():
            """Do nothing."""

        return current_app.task(name="policy.task", base=base, shared=False, lazy=False, **options)(run)

    yield declare
    current_app.tasks.pop("policy.task", None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "none"),
        ({"soft_time_limit": 60}, "soft 60 s"),
        ({"time_limit": 1.5}, "hard 1.5 s"),
        ({"time_limit": 90, "soft_time_limit": 60}, "soft 60 s, hard 90 s"),
    ],
)
def test_limits(declare, options, said):
    assert policy.limits_of(declare(**options)) == said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "none by itself"),
        ({"autoretry_for": (OSError,)}, "3 on OSError, after 180 s"),
        (
            {"autoretry_for": (OSError,), "max_retries": None, "default_retry_delay": 5},
            "without end on OSError, after 5 s",
        ),
        ({"autoretry_for": (OSError,), "retry_kwargs": {"max_retries": 7, "countdown": 9}}, "7 on OSError, after 9 s"),
        (
            {"autoretry_for": (OSError, KeyError), "dont_autoretry_for": (FileNotFoundError,), "retry_backoff": 3},
            "3 on OSError, KeyError but FileNotFoundError, after 3 s, 6 s, 12 s, … 600 s at most, or less by chance",
        ),
        (
            {"base": InvoicesPlusBaseTask, "retry_backoff_max": 2, "retry_jitter": False},
            "5 on InvoicesPlusUnavailableError, OperationalError, IntegrityError, after 1 s, 2 s, 2 s, … 2 s at most",
        ),
    ],
)
def test_retries(declare, options, said):
    assert policy.retries_of(declare(**options)) == said


@pytest.mark.parametrize(("again", "said"), [(True, "runs again"), (False, "fails")])
def test_loss(declare, again, said):
    assert policy.loss_of(declare(retry_on_worker_lost=again)) == said
