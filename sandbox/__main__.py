import argparse
import os
import signal
import sys
from pathlib import Path

from sandbox.server import API_KEY, Sandbox


def main() -> int:
    parser = argparse.ArgumentParser("python -m sandbox", description="Serve an InvoicesPlus to try things with.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8001, help="port to listen on; 0 takes a free one (default: 8001)")
    parser.add_argument(
        "--api-key",
        default=os.environ.get("INVOICES_PLUS_API_KEY") or API_KEY,
        help=f"key that clients must have (default: $INVOICES_PLUS_API_KEY, or {API_KEY})",
    )
    parser.add_argument("--journal", type=Path, help="file that keeps what clients create (default: it is forgotten)")
    options = parser.parse_args()
    try:
        sandbox = Sandbox(options.host, options.port, api_key=options.api_key, journal=options.journal)
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"The sandbox cannot start on {options.host}:{options.port}: {error}. Check its options.\n")
        return 1
    # Both ways to end it are the same, also where whoever started it in the background has it ignore Ctrl-C.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        sys.stdout.write(f"InvoicesPlus sandbox ready on {sandbox.url}\n")
        sys.stdout.flush()
        sandbox.serve()
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
