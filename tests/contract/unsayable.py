"""What schemathesis reports that is no mistake: rules that OpenAPI cannot state, each with its reason.

A hook of schemathesis: ``schemathesis.toml`` names this module. All else that it reports fails the test.
"""

from typing import Any

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

# The code of the problem, or of an entry in its errors, by which a request that fits the document is refused.
UNSAYABLE = {
    "contradictory": "OpenAPI cannot say that two query parameters exclude each other: run_at and delay, for example.",
    "in_the_past": "A schema does not know what time it is.",
    "too_late": "A schema does not know what time it is.",
    "too_early": "A schema cannot compare two query parameters.",
    "idempotency_key_reused": "Whether a key is taken depends on the requests before.",
}
# Query parameters whose values nobody can make up.
UNGUESSABLE = {
    "cursor": "Only the service itself knows what one looks like.",
    "parameter": "It takes the parameter action, and a field that this action lets reports be found by.",
}


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Return whether a failure counts."""
    del context
    if isinstance(failure, RejectedPositiveData):
        problem = response.json()
        return not (
            codes_of(problem) & UNSAYABLE.keys()
            or parameters_of(problem) & UNGUESSABLE.keys()
            or is_of_another_age(problem)
        )
    if isinstance(failure, AcceptedNegativeData) and case.operation.path.endswith("/batch"):
        # Of a batch, what is wrong with one request is in that one's outcome: the batch itself is answered by 200.
        return not (response.status_code == 200 and response.json()["refused"])
    return True


def codes_of(problem: Any) -> set[str]:
    """Return the codes of a problem and of its errors."""
    return {problem["code"], *(error["code"] for error in problem.get("errors", ()))}


def parameters_of(problem: Any) -> set[str]:
    """Return the query parameters that a problem is about."""
    return {error["parameter"] for error in problem.get("errors", ()) if "parameter" in error}


def is_of_another_age(problem: Any) -> bool:
    """Return whether a time is before or after what databases keep: date-time has no bounds in a schema."""
    return any(error["detail"] == "Use a year from 1970 to 8999." for error in problem.get("errors", ()))
