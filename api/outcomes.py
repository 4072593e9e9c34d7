"""What becomes of the requests of a batch, as its answer tells."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from api.bodies import LISTED_PARAMETERS, Body, summary_body
from api.handlers import problem_of
from api.problems import BATCH_REFUSED, ProblemError, problem_body
from api.reports import unknown_report
from api.visibility import Reader
from reports import requests, selectors
from reports.acceptance import Accepted
from reports.selectors import Report

# Of one request, so that what is wrong with a thousand can still be read; and of all of them, in one problem.
_ERRORS_OF_ONE = 10
_ERRORS_OF_ALL = 100

# What has become of one request so far: it is understood, then accepted, or refused on the way.
Outcome = requests.Request | Accepted | ProblemError


def outcomes_body(outcomes: Sequence[Outcome], reader: Reader) -> Body:
    """Return the outcomes of a batch, with the reports of what is accepted. Costs a query or two."""
    ids = [outcome.report for outcome in outcomes if isinstance(outcome, Accepted)]
    reports = selectors.find_roots(ids, owner=reader.id, longest_parameters=LISTED_PARAMETERS)
    items = [_item_body(outcome, reports, reader) for outcome in outcomes]
    return {"refused": sum(item["problem"] is not None for item in items), "items": items}


def _item_body(outcome: Outcome, reports: Mapping[UUID, Report], reader: Reader) -> Body:
    if isinstance(outcome, requests.Request):
        return {"status": 200, "replayed": False, "report": None, "problem": None}
    if isinstance(outcome, ProblemError):
        return {"status": outcome.type.status, "replayed": False, "report": None, "problem": problem_body(outcome)}
    report = reports.get(outcome.report)
    if report is None:  # purged since
        return _item_body(unknown_report(outcome.report), reports, reader)
    return {"status": 202, "replayed": outcome.repeated, "report": summary_body(report, reader), "problem": None}


def require_all(outcomes: Iterable[object]) -> None:
    """Refuse the batch where what has become of one of its requests is a ProblemError. Raises ProblemError."""
    refused = {at: outcome for at, outcome in enumerate(outcomes) if isinstance(outcome, ProblemError)}
    if refused:
        errors = [error for at, problem in refused.items() for error in _errors_of(problem, at)]
        detail = f"{len(refused):,} of the requests cannot be accepted, and so none is."
        raise ProblemError(BATCH_REFUSED, detail, errors=errors[:_ERRORS_OF_ALL])


def _errors_of(problem: ProblemError, at: int) -> Sequence[Mapping[str, str]]:
    whole = {"pointer": f"#/requests/{at}", "code": problem.type.code, "detail": problem.detail}
    return problem.errors or [whole]


def refusal_of(error: Exception, pointer: str) -> ProblemError:
    """Return the problem of one request, which stands at ``pointer`` in the body."""
    problem = problem_of(error, {})
    assert problem is not None  # noqa: S101  it is one of REFUSALS
    errors = [{**error, "pointer": f"{pointer}{error['pointer'][1:]}"} for error in problem.errors[:_ERRORS_OF_ONE]]
    return ProblemError(problem.type, problem.detail, errors=errors)
