"""Which processes count for coverage: the tests' own, and those that they start with COUNTED in their environment.

To be counted makes Python half as slow again. It would be for nothing in a process that is killed, and the hundreds
that are started to see them start, refuse or die run the same lines as those of the live stack.
"""

import os

# Set by coverage's patch "subprocess", for all that a counted process starts.
_VARIABLE = "COVERAGE_PROCESS_CONFIG"

COUNTED: dict[str, str] = {}


def count_only_who_is_told() -> None:
    """Keep what has a process counted from those that this one starts from now on, and in COUNTED."""
    if _VARIABLE in os.environ:
        COUNTED[_VARIABLE] = os.environ.pop(_VARIABLE)
