"""The demonstration of `make run`: what a client does and sees, through the public HTTP API alone."""

import json
import shlex
import time
from typing import Any

import httpx

from stack.terminal import say, styled

ACTION = "sync-invoices"
_CUSTOMER = "cus_ada"
_UNKNOWN_CUSTOMER = "cus_nobody"
_PATIENCE = 60.0  # seconds
_FINAL = frozenset({"ok", "failed", "cancelled"})


class DemoError(Exception):
    """The service did not do what it promises; the message says what was seen."""


def is_known(url: str, token: str) -> bool:
    """Tell whether the service knows the client that has this token."""
    if not token:
        return False
    answer = httpx.get(f"{url}/reports", headers=_authorization(token), timeout=10, trust_env=False)
    return answer.status_code != httpx.codes.UNAUTHORIZED


def curl(url: str, token_file: str) -> str:
    """Return a command that does what the demonstration does, with the token read from its file."""
    return (
        f'curl -i {url}/actions/{ACTION} -H "Authorization: Bearer $(cat {shlex.quote(token_file)})"'
        f" -H 'Content-Type: application/json' -d '{json.dumps({'customer_id': _CUSTOMER})}'"
    )


def show(url: str, token: str) -> None:
    """Run an action that works and one that fails at the third party, and show both as a client sees them.

    Raises:
        DemoError: one of them ended otherwise, or not at all.

    """
    with httpx.Client(base_url=url, headers=_authorization(token), timeout=10, trust_env=False) as client:
        report = _run(client, {"customer_id": _CUSTOMER})
        _require(report, "ok")
        say(f"    result  {_shown(report['result'])}")
        say()
        report = _run(client, {"customer_id": _UNKNOWN_CUSTOMER})
        _require(report, "failed")
        error = report["error"]
        say(f"    error   {styled(error['code'], 'bold')} in {error['task']}: {error['message']}")


def _run(client: httpx.Client, parameters: dict[str, Any]) -> dict[str, Any]:
    say(f"  {styled('POST', 'bold')} /actions/{ACTION} {json.dumps(parameters)}")
    asked = time.monotonic()
    answer = client.post(f"/actions/{ACTION}", json=parameters)
    if answer.status_code != httpx.codes.ACCEPTED:
        raise DemoError(f"POST /actions/{ACTION} was answered by {answer.status_code}: {answer.text}")
    report: dict[str, Any] = answer.json()
    statuses = [report["status"]]
    say(f"    {answer.status_code} {answer.reason_phrase}, report {answer.headers['Location']}")
    while report["status"] not in _FINAL:
        if time.monotonic() - asked > _PATIENCE:
            raise DemoError(f"The report is still {report['status']} after {_PATIENCE:g} seconds.")
        time.sleep(0.05)
        report = client.get(answer.headers["Location"]).raise_for_status().json()
        if report["status"] != statuses[-1]:
            statuses.append(report["status"])
    final = styled(statuses[-1], "good" if statuses[-1] == "ok" else "bad")
    say(f"    {' → '.join([*statuses[:-1], final])} after {time.monotonic() - asked:.2f} s")
    return report


def _authorization(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _require(report: dict[str, Any], status: str) -> None:
    if report["status"] != status:
        raise DemoError(f"The report should be {status} and is {json.dumps(report)}")


def _shown(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)
