"""Starting to send spans, in processes that do the work. Where no collector is configured, nothing is imported."""

from importlib import import_module

from django.conf import settings


def start(**_: object) -> None:
    """Send spans from this process, after it was forked."""
    if settings.TRACES:
        import_module("services.telemetry").start()


def flush(**_: object) -> None:
    """Send what has not been sent."""
    if settings.TRACES:
        import_module("services.telemetry").flush()
