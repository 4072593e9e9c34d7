import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured


@contextmanager
def refusing_wrong_configuration() -> Iterator[None]:
    """End the process with one line when the configuration is wrong: a traceback would only hide that line."""
    try:
        yield
    except ImproperlyConfigured as error:
        sys.exit(f"async-actions cannot start: {' '.join(str(error).split())}")
