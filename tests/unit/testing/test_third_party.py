import httpx
import pytest

from testing.third_party import third_party

URL = "http://third.party.invalid/things"


def test_calls_are_answered_one_after_another():
    with third_party(503, {"id": 1}, httpx.Response(404, headers={"X-Why": "no"}, text="None.")) as calls:
        answers = [httpx.get(URL), httpx.post(URL, json={"name": "Ada"}), httpx.get(f"{URL}?page=2")]
    assert [answer.status_code for answer in answers] == [503, 200, 404]
    assert answers[1].json() == {"id": 1}
    assert (answers[2].headers["X-Why"], answers[2].text) == ("no", "None.")
    assert [(call.method, str(call.url)) for call in calls] == [("GET", URL), ("POST", URL), ("GET", f"{URL}?page=2")]
    assert calls[1].content == b'{"name":"Ada"}'


def test_an_answer_may_be_an_error_or_depend_on_the_call():
    with third_party(httpx.ConnectTimeout("No answer."), lambda call: {"asked": call.url.path}, lambda _: 500):
        with pytest.raises(httpx.ConnectTimeout):
            httpx.get(URL)
        assert httpx.get(URL).json() == {"asked": "/things"}
        assert httpx.get(URL).status_code == 500


def test_an_answer_may_be_read_piece_by_piece():
    with third_party([1, 2, 3]), httpx.stream("GET", URL) as answer:
        assert b"".join(answer.iter_raw()) == b"[1,2,3]"


def test_a_call_too_many_is_told():
    with third_party(200):
        httpx.get(URL)
        with pytest.raises(AssertionError, match=f"There is no answer for call 2, GET {URL}"):
            httpx.get(URL)
