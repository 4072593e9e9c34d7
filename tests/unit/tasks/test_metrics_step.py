import socket
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured

from stack.ports import LOCALHOST
from tasks.metrics_step import MetricsStep


def test_no_worker_listens_without_an_address(settings):
    settings.METRICS_WORKER_ADDRESS = None
    assert not MetricsStep(SimpleNamespace()).include_if(SimpleNamespace())


def test_an_address_that_is_taken_ends_the_worker_with_a_line_that_says_so(settings):
    with socket.create_server((LOCALHOST, 0)) as taken:
        settings.METRICS_WORKER_ADDRESS = taken.getsockname()
        with pytest.raises(ImproperlyConfigured, match="METRICS_WORKER_ADDRESS cannot be listened at"):
            MetricsStep(SimpleNamespace()).start(SimpleNamespace())
