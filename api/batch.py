"""POST /actions/<name>/batch: many requests for one action, each with an outcome of its own, or all of them or none."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpResponse
from django.urls import URLPattern, path
from rest_framework import serializers
from rest_framework.request import Request

from api.actions import ActionApi
from api.admission import find_overload
from api.idempotency import KEY, refuse_key
from api.outcomes import Outcome, outcomes_body, refusal_of, require_all
from api.parsing import require_plain
from api.problems import INTERNAL_ERROR, ProblemError
from api.queries import is_set, read_query
from api.rendering import respond
from api.schema.actions import describe_batch
from api.schema.submission import BIGGEST_BATCH
from api.strictness import make_strict
from api.submission import REFUSALS, VALIDATE_ONLY, Submission, timing_in
from api.throttling import charge_submitted
from api.timing import TIMING_PARAMETERS
from api.visibility import Reader
from reports import requests
from reports.acceptance import Accepted
from reports.errors import PlanTooLargeError, RequestsRefusedError
from reports.requests import Timing
from services import actions

logger = logging.getLogger(__name__)


class _Anything(serializers.Field):
    """A value that is looked at later."""

    def to_internal_value(self, data: Any) -> Any:
        return data


class _BatchSerializer(serializers.Serializer):
    requests = serializers.ListField(child=_Anything(allow_null=True), min_length=1, max_length=BIGGEST_BATCH)
    atomic = serializers.BooleanField(default=False)


class _RequestSerializer(serializers.Serializer):
    parameters = _Anything()
    idempotency_key = serializers.RegexField(KEY, required=False, allow_null=True)


_BATCH, _REQUEST = _BatchSerializer(), _RequestSerializer()
make_strict(_BATCH)
make_strict(_REQUEST)


class BatchApi(ActionApi, abstract=True):
    """Takes many requests at once; those that are accepted are committed together."""

    def post(self, request: Request) -> HttpResponse:
        """Accept what can be accepted: answer with the outcome of each request, in their order."""
        query = read_query(request, *TIMING_PARAMETERS, VALIDATE_ONLY)
        texts, is_trial = timing_in(query), is_set(query, VALIDATE_ONLY)
        require_plain(request)
        refuse_key(request)
        batch = _BATCH.run_validation(request.data)
        charge_submitted(self, request, len(batch["requests"]) - 1)
        submissions = [_read(item, at, texts) for at, item in enumerate(batch["requests"])]
        overload = None if is_trial else find_overload()
        if overload:
            known = self._known(submissions, overload, requested_by=request.user.pk, all_or_nothing=batch["atomic"])
            headers = overload.headers if overload in known else None
            return respond(outcomes_body(known, Reader.of(request.user)), headers=headers)
        timing = self._timing_or_problem(texts)
        outcomes = self._understood_all(submissions, timing)
        if not is_trial:
            outcomes = self._repeated(submissions, outcomes, requested_by=request.user.pk)
        if isinstance(timing, ProblemError) and timing in outcomes:
            raise timing
        if batch["atomic"]:
            require_all(outcomes)
        if not is_trial:
            outcomes = _accepted(outcomes, requested_by=request.user.pk, all_or_nothing=batch["atomic"])
        return respond(outcomes_body(outcomes, Reader.of(request.user)))

    def _timing_or_problem(self, texts: Mapping[str, str]) -> Timing | ProblemError:
        try:
            return self.timing_by(texts)
        except ProblemError as problem:
            return problem

    def _understood_all(
        self, submissions: Iterable[Submission | ProblemError], timing: Timing | ProblemError
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        tasks = 0
        for at, submission in enumerate(submissions):
            outcome = self._understood(submission, timing, at)
            tasks += outcome.tasks if isinstance(outcome, requests.Request) else 0
            if tasks > settings.REPORT_MAX_TASKS:
                limit = settings.REPORT_MAX_TASKS
                raise PlanTooLargeError(
                    f"The first {at + 1:,} requests have {tasks:,} tasks; a batch may have {limit:,}."
                )
            outcomes.append(outcome)
        return outcomes

    def _understood(
        self, submission: Submission | ProblemError, timing: Timing | ProblemError, at: int
    ) -> requests.Request | ProblemError:
        if isinstance(submission, ProblemError):
            return submission
        if isinstance(timing, ProblemError):
            return timing
        try:
            return self.understood(submission, timing)
        except PlanTooLargeError:
            raise  # at once: to plan a thousand such requests takes long, and no client needs to hear it of each
        except REFUSALS as error:
            return refusal_of(error, f"#/requests/{at}/parameters")
        except (DatabaseError, InterfaceError):
            raise  # nor could the others be accepted
        except Exception:
            logger.exception("Request %d of a batch for %s cannot be planned", at, self.name)
            return ProblemError(INTERNAL_ERROR, "The service failed to plan this request.")

    def _known(
        self,
        submissions: Sequence[Submission | ProblemError],
        overload: ProblemError,
        *,
        requested_by: int | None,
        all_or_nothing: bool,
    ) -> list[Outcome]:
        """Return the outcomes where there is no room: what was accepted before has its report, and needs none."""
        asked = [submission if isinstance(submission, Submission) else None for submission in submissions]
        if all_or_nothing:
            require_all(submissions)  # no room would help
        repeated = self.find_repeated(asked, requested_by=requested_by)
        if not any(repeated) or (all_or_nothing and not all(repeated)):
            raise overload
        return [
            accepted or (overload if isinstance(submission, Submission) else submission)
            for accepted, submission in zip(repeated, submissions, strict=True)
        ]

    def _repeated(
        self, submissions: Sequence[Submission | ProblemError], outcomes: Sequence[Outcome], *, requested_by: int | None
    ) -> list[Outcome]:
        """Return the outcomes, where what was accepted before is not refused now."""
        refused = [
            submission if isinstance(submission, Submission) and isinstance(outcome, ProblemError) else None
            for submission, outcome in zip(submissions, outcomes, strict=True)
        ]
        repeated = self.find_repeated(refused, requested_by=requested_by)
        return [accepted or outcome for accepted, outcome in zip(repeated, outcomes, strict=True)]


def routes_of(action: type[ActionApi]) -> list[URLPattern]:
    """Return the routes of an action: for one request, and for many."""
    url = f"actions/{action.name}"
    return [path(url, action.as_view()), path(f"{url}/batch", batch_of(action).as_view())]


def batch_of(action: type[ActionApi]) -> type[ActionApi]:
    """Return the endpoint that takes many requests for ``action``: with its permissions, and all that it declares."""
    batch = type(f"{action.__name__}Batch", (BatchApi, action), {"__module__": action.__module__}, abstract=True)
    describe_batch(batch)
    return batch


def _read(item: Any, at: int, timing: Mapping[str, str]) -> Submission | ProblemError:
    try:
        read = _REQUEST.run_validation(item)
    except REFUSALS as error:
        return refusal_of(error, f"#/requests/{at}")
    return Submission(read["parameters"], timing, read.get("idempotency_key"))


def _accepted(outcomes: Sequence[Outcome], *, requested_by: int | None, all_or_nothing: bool) -> list[Outcome]:
    """Return the outcomes once what is understood is accepted, but for those whose key is another request's."""
    wanted = {at: outcome for at, outcome in enumerate(outcomes) if isinstance(outcome, requests.Request)}
    try:
        made = actions.request_all([*wanted.values()], requested_by=requested_by, all_or_nothing=all_or_nothing)
    except RequestsRefusedError as error:
        made = error.outcomes
    decided = list(outcomes)
    for at, one in zip(wanted, made, strict=True):
        decided[at] = one if isinstance(one, Accepted) else refusal_of(one, f"#/requests/{at}")
    if all_or_nothing:
        require_all(decided)
    return decided
