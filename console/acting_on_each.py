"""Cancelling or retrying reports one after another, and telling whoever did it how far that went."""

import logging
from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from structlog.contextvars import bound_contextvars

from reports.errors import RoomLackingError
from reports.journal import Operator
from reports.models import Verb
from services.interventions import intervene_in_each

logger = logging.getLogger(__name__)

_MOST_REFUSALS = 5


def act_on_each(request: HttpRequest, verb: Verb, ids: Sequence[UUID], operator: Operator) -> None:
    """Do it to each, as far as that goes. What became of it is told on the page that comes next."""
    tried, refusals, end = 0, list[str](), ""
    try:
        for id_, refusal in zip(ids, intervene_in_each(verb, ids, operator), strict=True):
            tried += 1
            if refusal:
                refusals.append(f"{id_}: {refusal}" if len(ids) > 1 else str(refusal))
    except RoomLackingError as lack:
        end = str(lack)
    except (OperationalError, InterfaceError) as error:
        with bound_contextvars(report=str(ids[tried])):
            logger.error("The database failed while %s was to %s %s: %s", operator.name, verb, ids[tried], error)  # noqa: TRY400
        end = _told_of_failure(ids, tried)
    if tried > len(refusals):
        messages.success(request, f"To {verb}: {tried - len(refusals)} done.")
    _tell_refusals(request, refusals)
    if end:
        messages.error(request, end)


def _told_of_failure(ids: Sequence[UUID], at: int) -> str:
    # Its commit may have gone through, and the answer been lost.
    said = f"{ids[at]}: the database failed. Whether it is done, the journal tells."
    left = len(ids) - at - 1
    return f"{said} The {left} after it were not begun: tick them again." if left else said


def _tell_refusals(request: HttpRequest, refusals: Sequence[str]) -> None:
    told = len(refusals) if len(refusals) <= _MOST_REFUSALS + 1 else _MOST_REFUSALS  # the last takes no more room
    for refusal in refusals[:told]:
        messages.error(request, refusal)
    if told < len(refusals):
        messages.error(request, f"{len(refusals) - told} more were refused; the journal has them all.")
