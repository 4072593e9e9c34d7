"""What a client asks for, as it came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework.exceptions import ValidationError

from api.fingerprint import fingerprint
from api.problems import ProblemError
from api.timing import TIMING_PARAMETERS
from reports.errors import PlanTooLargeError
from reports.requests import Identity

VALIDATE_ONLY = "validate_only"
# Why a submission is not accepted, where that is the client's to know.
REFUSALS = (ProblemError, ValidationError, PlanTooLargeError)


@dataclass(frozen=True, slots=True)
class Submission:
    """One request for an action: parameters as JSON values, query parameters of its timing, and its key if it has one.

    Nothing of it has been found to be valid.
    """

    parameters: Any
    timing: Mapping[str, str]
    key: str | None

    def identity(self, action: str) -> Identity | None:
        """Return what tells a repetition of it from another request, ``None`` without a key."""
        return Identity(self.key, fingerprint(action, self.parameters, self.timing)) if self.key else None


def timing_in(query: Mapping[str, str]) -> dict[str, str]:
    """Return the query parameters that say when to run."""
    return {name: query[name] for name in TIMING_PARAMETERS if name in query}
