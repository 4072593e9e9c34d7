"""G7: a repeated Idempotency-Key gives the same report; with another body it is refused."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from uuid import UUID

import httpx
import pytest

from reports.models import AsyncActionReport
from stack.web import Web
from tests.guarantees.ground import ProvingGround
from tests.guarantees.refusal import refusing

CANVAS = ["sequence", ["work"], ["work"]]
RESULT = 2
_ROUNDS = 5


@pytest.fixture
def client(ground: ProvingGround) -> Iterator[httpx.Client]:
    with ground.stack.client() as client:
        yield client


@pytest.fixture
def clients(ground: ProvingGround) -> Iterator[list[httpx.Client]]:
    """Clients of two web processes by turns."""
    with ExitStack() as open_:
        other = open_.enter_context(Web(ground.stack.environment, log=ground.stack.logs / "web2.log"))
        yield [open_.enter_context(ground.client_of(web)) for web in [ground.stack.web, other] * 4]


def ask(client: httpx.Client, ground: ProvingGround, key: str, *, path: str = "0") -> httpx.Response:
    """Ask for an action with a key, as often as one likes: what its body says is the path that one gives it."""
    body = {"canvas": CANVAS, "path": f"{ground.key}.{path}"}
    answer = client.post("/actions/trial", json=body, headers={"Idempotency-Key": key})
    if answer.status_code == httpx.codes.ACCEPTED:
        ground.seen.accepted.add(UUID(answer.json()["id"]))
    return answer


def require_replay(answer: httpx.Response, root: UUID) -> None:
    assert (answer.status_code, answer.json()["id"]) == (httpx.codes.ACCEPTED, str(root))
    assert answer.headers["Location"] == f"/reports/{root}"
    assert answer.headers["Idempotent-Replayed"] == "true"


def require_ran_once(ground: ProvingGround, root: UUID) -> None:
    ground.assert_four_zeros()
    ground.assert_ok(root, RESULT)
    assert [row.id for row in AsyncActionReport.objects.filter(parent=None)] == [root]
    assert ground.count("begins") == RESULT


def test_a_repeated_request_runs_once(ground: ProvingGround, client: httpx.Client) -> None:
    root = UUID(ask(client, ground, "k").json()["id"])
    require_replay(ask(client, ground, "k"), root)
    ground.settle([root])
    require_replay(ask(client, ground, "k"), root)
    refused = ask(client, ground, "k", path="1")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    require_ran_once(ground, root)


def test_twins_at_the_same_moment_have_one_report(ground: ProvingGround, clients: list[httpx.Client]) -> None:
    for number in range(_ROUNDS):
        answers = _ask_at_once(clients, ground, f"k{number}", path=str(number))
        assert [answer.status_code for answer in answers] == [httpx.codes.ACCEPTED] * len(clients)
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    ground.assert_four_zeros()
    assert AsyncActionReport.objects.filter(parent=None).count() == _ROUNDS
    assert ground.count("begins") == _ROUNDS * RESULT


def _ask_at_once(clients: list[httpx.Client], ground: ProvingGround, key: str, *, path: str) -> list[httpx.Response]:
    start = threading.Barrier(len(clients))

    def ask_with_others(client: httpx.Client) -> httpx.Response:
        start.wait()
        return ask(client, ground, key, path=path)

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(ask_with_others, clients))


def test_the_web_process_dies_between_commit_and_answer(ground: ProvingGround, client: httpx.Client) -> None:
    ground.stack.valkey.pause()
    asking = threading.Thread(target=_ask_in_vain, args=(client, ground))
    asking.start()
    ground.wait_until(AsyncActionReport.objects.filter(parent=None).exists)
    time.sleep(0.3)  # the commit is over, the publishing hangs for longer
    ground.stack.web.kill()
    asking.join()
    # What the web process has sent already is still in a buffer, and goes with the broker.
    ground.stack.valkey.kill()
    ground.stack.start()
    root = AsyncActionReport.objects.get(parent=None).id
    require_replay(ask(client, ground, "k"), root)
    require_ran_once(ground, root)


def _ask_in_vain(client: httpx.Client, ground: ProvingGround) -> None:
    with suppress(httpx.HTTPError):
        ask(client, ground, "k")
        raise AssertionError("There was an answer.")


def test_what_is_not_committed_leaves_its_key_free(ground: ProvingGround, client: httpx.Client) -> None:
    with refusing("INSERT", at_commit=True):
        assert ask(client, ground, "k").status_code == httpx.codes.INTERNAL_SERVER_ERROR
    answer = ask(client, ground, "k")
    assert "Idempotent-Replayed" not in answer.headers
    require_ran_once(ground, UUID(answer.json()["id"]))
