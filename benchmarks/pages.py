"""Start a PostgreSQL of its own, and have ``benchmarks.browsing`` fill it and time the operators' pages."""

import sys

from benchmarks.database import run_on_own_database

if __name__ == "__main__":
    sys.exit(run_on_own_database("benchmarks.browsing"))
