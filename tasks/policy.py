"""What a task declares about its limits, its retries and its loss, in words."""

from typing import Any

from tasks.reach import AnyTask

NONE = "none"


def limits_of(task: AnyTask) -> str:
    """Return a task's time limits, such as ``soft 60 s, hard 90 s``."""
    limits = {"soft": task.soft_time_limit, "hard": task.time_limit}
    return ", ".join(f"{name} {limit:g} s" for name, limit in limits.items() if limit) or NONE


def retries_of(task: AnyTask) -> str:
    """Return when a task is tried again by itself: ``5 on OSError, after 1 s, 2 s, 4 s, … 60 s at most``."""
    errors = getattr(task, "autoretry_for", ())
    if not errors:
        return f"{NONE} by itself"
    options = getattr(task, "retry_kwargs", {})
    most = getattr(task, "override_max_retries", options.get("max_retries", task.max_retries))
    excepted = getattr(task, "dont_autoretry_for", ())
    but = f" but {_names(excepted)}" if excepted else ""
    return f"{'without end' if most is None else most} on {_names(errors)}{but}, after {_delay_of(task, options)}"


def loss_of(task: AnyTask) -> str:
    """Return what becomes of a task whose worker is lost."""
    return "runs again" if getattr(task, "retry_on_worker_lost", False) else "fails"


def _delay_of(task: AnyTask, options: dict[str, Any]) -> str:
    first = float(getattr(task, "retry_backoff", False))
    if not first:
        return f"{options.get('countdown', task.default_retry_delay):g} s"
    # As Celery reckons: whole seconds, one at least, doubled each time.
    factor, longest = int(max(1.0, first)), int(getattr(task, "retry_backoff_max", 600))
    delays = [min(factor * 2**times, longest) for times in range(3)]
    jitter = ", or less by chance" if getattr(task, "retry_jitter", True) else ""
    return f"{', '.join(f'{delay} s' for delay in delays)}, … {longest} s at most{jitter}"


def _names(errors: tuple[type[BaseException], ...]) -> str:
    return ", ".join(error.__name__ for error in errors)
