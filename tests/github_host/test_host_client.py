"""The client against a server that misbehaves."""

from __future__ import annotations

import ast
import gzip
import json
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from policy_engine.errors import ConfigError
from policy_engine_plugins.github_host import client as module
from policy_engine_plugins.github_host.client import Answer, Client, Limits, checked_api, checked_token
from pretend_github import TOKEN, Pretend, Reply, paged, pretending

QUICK = Limits(backoff_s=0.0, connect_s=2.0, answer_s=5.0, max_wait_s=0.0)


def ask(url: str, path: str = "/x", limits: Limits = QUICK, told: list[str] | None = None, **more: Any) -> Answer:
    return Client(url, TOKEN, (told if told is not None else []).append, limits).get(path, **more)


def in_turn(*replies: Any) -> Any:
    """A route that answers with one after the other, and with the last one from then on."""
    left = list(replies)

    def route(_query: Mapping[str, str]) -> Any:
        return left.pop(0) if len(left) > 1 else left[0]

    return route


@pytest.fixture
def server() -> Iterator[Pretend]:
    with pretending({}) as running:
        yield running


def test_the_pages_of_a_listing_are_joined(server: Pretend) -> None:
    server.routes["/x"] = paged(lambda: list(range(250)), f"{server.url}/x")
    answer = ask(server.url, query={"per_page": "100"}, listed="")
    assert (answer.status, answer.body, answer.truncated) == (200, list(range(250)), False)
    assert server.asked("/x") == 3


def test_relative_links_are_followed(server: Pretend) -> None:
    server.routes["/x"] = paged(lambda: list(range(5)), "/x")
    assert ask(server.url, query={"per_page": "2"}, listed="").body == [0, 1, 2, 3, 4]


def test_pages_are_bounded_and_the_rest_is_told(server: Pretend) -> None:
    server.routes["/x"] = paged(lambda: list(range(10_000)), f"{server.url}/x")
    answer = ask(server.url, query={"per_page": "10"}, listed="", pages=4)
    assert (len(answer.body), answer.truncated) == (40, True)


def test_a_listing_under_a_key_is_taken_out(server: Pretend) -> None:
    server.routes["/x"] = {"total_count": 1, "runners": [{"id": 1}]}
    assert ask(server.url, listed="runners").body == [{"id": 1}]


def test_what_is_no_list_is_not_taken_for_an_empty_one(server: Pretend) -> None:
    server.routes["/x"] = {"message": "odd"}
    answer = ask(server.url, listed="runners")
    assert (answer.status, answer.body, answer.message) == (0, None, "the answer is no list")


@pytest.mark.parametrize("how", ["link", "redirect"])
def test_the_token_goes_to_no_other_server(server: Pretend, how: str) -> None:
    with pretending({"/x": [1]}) as other:
        if how == "link":
            server.routes["/x"] = Reply(200, [1], {"Link": f'<{other.url}/x?page=2>; rel="next"'})
        else:
            server.routes["/x"] = Reply(302, None, {"Location": f"{other.url}/x"})
        answer = ask(server.url, listed="")
        assert answer.status == 0
        assert "it leads to another server" in answer.message
        assert other.seen == []


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/x", "//evil.example/x", "file:///etc/passwd", "http://[", ""])
def test_a_redirect_that_leads_away_is_refused(server: Pretend, location: str) -> None:
    server.routes["/x"] = Reply(307, None, {"Location": location} if location else {})
    answer = ask(server.url)
    assert answer.status == 0
    assert answer.message.startswith(("a redirect is refused", "the answer's headers are not valid"))


def test_a_renamed_repository_is_followed_on_the_same_server(server: Pretend) -> None:
    server.routes["/x"] = Reply(301, {"message": "Moved Permanently"}, {"Location": f"{server.url}/repositories/7"})
    server.routes["/repositories/7"] = {"id": 7}
    assert ask(server.url).body == {"id": 7}


def test_redirects_in_circles_end(server: Pretend) -> None:
    server.routes["/x"] = Reply(302, None, {"Location": "/x"})
    assert ask(server.url).message == "the server redirects in circles"


# -- rate limits


def test_the_primary_rate_limit_is_waited_for_by_the_servers_clock(server: Pretend) -> None:
    def limited(_query: Mapping[str, str]) -> Reply:
        if server.asked("/x") > 1:
            return Reply(200, {"ok": True})
        # A server whose clock is an hour ahead.
        ahead = time.time() + 3600
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(ahead))
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(ahead)), "Date": date}
        return Reply(403, {"message": "API rate limit exceeded"}, headers)

    server.routes["/x"] = limited
    told: list[str] = []
    began = time.monotonic()
    answer = ask(server.url, limits=Limits(max_wait_s=30), told=told)
    assert answer.body == {"ok": True}
    assert 0.5 < time.monotonic() - began < 10
    assert len(told) == 1
    assert told[0].startswith("the rate limit is reached; waiting")


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_rate_limit_is_waited_for(server: Pretend, status: int) -> None:
    server.routes["/x"] = in_turn(Reply(status, {"message": "slow down"}, {"Retry-After": "1"}), {"ok": True})
    assert ask(server.url, limits=Limits(max_wait_s=5)).body == {"ok": True}


def test_waiting_ends_where_the_option_says(server: Pretend) -> None:
    server.routes["/x"] = Reply(429, {"message": "x"}, {"Retry-After": "3600"})
    server.routes["/y"] = {"ok": True}
    client = Client(server.url, TOKEN, lambda _: None, Limits(max_wait_s=10))
    began = time.monotonic()
    answer = client.get("/x")
    assert time.monotonic() - began < 2
    assert answer.status == 0
    assert "--github-max-wait allows 10 s in all" in answer.message
    # No other question is asked meanwhile: it would only make it worse.
    assert client.get("/y").status == 0
    assert server.asked("/y") == 0


@pytest.mark.parametrize(
    "reply",
    [
        Reply(403, {"message": "You have exceeded a secondary rate limit."}),
        Reply(429),
        Reply(429, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}),
        Reply(403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, body={"message": "rate limit"}),
    ],
)
def test_a_limit_without_a_time_is_a_minute(server: Pretend, reply: Reply) -> None:
    server.routes["/x"] = reply
    assert "asks for 60 s more" in ask(server.url, limits=Limits(max_wait_s=10)).message


def test_a_server_that_puts_off_for_no_time_at_all_does_not_keep_us(server: Pretend) -> None:
    server.routes["/x"] = Reply(429, {"message": "x"}, {"Retry-After": "0"})
    began = time.monotonic()
    assert ask(server.url, limits=Limits(max_wait_s=3.5)).status == 0
    assert time.monotonic() - began < 8
    assert server.asked("/x") <= 4


def test_threads_wait_together_and_it_is_told_once(server: Pretend) -> None:
    until = time.monotonic() + 1.5
    server.routes["/x"] = lambda _query: (
        Reply(429, {"message": "x"}, {"Retry-After": "2"}) if time.monotonic() < until else {"ok": True}
    )
    told: list[str] = []
    client = Client(server.url, TOKEN, told.append, Limits(max_wait_s=4))
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(client.get("/x"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Six that wait two seconds each at the same time have waited for two, not for twelve.
    assert [answer.body for answer in answers] == [{"ok": True}] * 6
    assert len(told) <= 2


def test_who_waits_can_be_stopped(server: Pretend) -> None:
    server.routes["/x"] = Reply(429, {"message": "x"}, {"Retry-After": "600"})
    client = Client(server.url, TOKEN, lambda _: None, Limits(max_wait_s=900))
    threading.Timer(0.3, client.stop).start()
    began = time.monotonic()
    answer = client.get("/x")
    assert (answer.status, answer.transient) == (0, True)
    assert time.monotonic() - began < 3


# -- what fails


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_fault_of_the_server_is_tried_again(server: Pretend, status: int) -> None:
    server.routes["/x"] = in_turn(Reply(status, raw=b"<html>oops"), {"ok": True})
    assert ask(server.url).body == {"ok": True}


FAULTS = {
    "a fault that stays": (Reply(502, {"message": "x"}), "HTTP 502, 3 times"),
    "cut": (Reply(200, {"a": "b" * 1000}, cut=100), "the connection failed"),
    "cut before its body": (Reply(200, {"a": 1}, cut=0), "the connection failed"),
    "nothing": (Reply(200, raw=b""), "the answer is empty, 3 times"),
    "cut before anything": (Reply(200, {"a": 1}, cut=-10_000), "the connection failed"),
    "no JSON": (Reply(200, raw=b"<!doctype html>"), "the answer is no valid JSON, 3 times"),
    "half JSON": (Reply(200, raw=b'{"a": '), "the answer is no valid JSON, 3 times"),
    "deep JSON": (Reply(200, raw=b"[" * 200_000), "the answer is no valid JSON, 3 times"),
    "drop by drop": (Reply(200, {"a": 1}, pace_s=0.2), "the answer took longer than 0.5 s, 3 times"),
    "a body drop by drop": (Reply(200, {"a": "b" * 500}, pace_s=0.003), "the answer took longer than 0.5 s, 3 times"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_tries_are_bounded_and_the_reason_is_told(server: Pretend, name: str) -> None:
    reply, reason = FAULTS[name]
    server.routes["/x"] = reply
    limits = Limits(backoff_s=0.0, connect_s=1.0, answer_s=0.5)
    answer = ask(server.url, limits=limits)
    assert (answer.status, answer.body, answer.transient) == (0, None, True)
    assert reason in answer.message
    assert server.asked("/x") == limits.tries


def test_a_server_that_fails_at_everything_is_asked_less(server: Pretend) -> None:
    server.routes.update({f"/{number}": Reply(503) for number in range(6)})
    client = Client(server.url, TOKEN, lambda _: None, QUICK)
    for number in range(6):
        assert client.get(f"/{number}").transient
    assert [server.asked(f"/{number}") for number in range(6)] == [3, 3, 3, 1, 1, 1]
    server.routes["/5"] = {}
    assert client.get("/5").status == 200
    client.get("/4")
    assert server.asked("/4") == 4


def test_an_answer_that_never_comes_is_not_waited_for(server: Pretend) -> None:
    held = threading.Event()
    server.routes["/x"] = lambda _query: held.wait(20) and {}
    answer = ask(server.url, limits=Limits(backoff_s=0, connect_s=0.3, tries=2))
    held.set()
    assert answer.message == "no answer in time, 2 times"


def test_no_server_at_all() -> None:
    assert "the connection failed (ConnectionError), 3 times" in ask("http://127.0.0.1:9").message


def test_a_huge_answer_is_given_up(server: Pretend) -> None:
    server.routes["/x"] = Reply(200, raw=b'["' + b"x" * 300_000 + b'"]')
    answer = ask(server.url, limits=Limits(max_bytes=100_000))
    assert answer.message == "the answer is larger than 100000 bytes"
    assert server.asked("/x") == 1


def test_an_answer_that_unpacks_into_a_huge_one_is_given_up(server: Pretend) -> None:
    server.routes["/x"] = Reply(200, raw=gzip.compress(b"0" * 50_000_000), headers={"Content-Encoding": "gzip"})
    assert "larger than 100000 bytes" in ask(server.url, limits=Limits(max_bytes=100_000)).message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 451])
def test_a_refusal_is_asked_once_and_keeps_its_message(server: Pretend, status: int) -> None:
    headers = {"X-Accepted-GitHub-Permissions": "administration=read"}
    server.routes["/x"] = Reply(status, {"message": "Resource not accessible"}, headers)
    answer = ask(server.url)
    assert (answer.status, answer.message, answer.accepted) == (
        status,
        "Resource not accessible",
        "administration=read",
    )
    assert server.asked("/x") == 1


# -- the token


def test_a_server_that_hands_the_token_back_does_not_get_it_told(server: Pretend) -> None:
    message = f"bad token {TOKEN}\n\x1b[31m" + "x" * 1000
    server.routes["/x"] = Reply(403, {"message": message}, {"X-Accepted-GitHub-Permissions": TOKEN})
    answer = ask(server.url)
    assert TOKEN not in repr(answer)
    assert answer.message.startswith("bad token ****")
    assert len(answer.message) <= 200


def test_no_error_quotes_the_token(server: Pretend) -> None:
    for reply, _ in FAULTS.values():
        if reply.pace_s:
            continue
        server.routes["/x"] = reply
        assert TOKEN not in repr(ask(server.url))


def test_no_log_quotes_the_token(server: Pretend, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    server.routes["/x"] = in_turn(Reply(503), Reply(302, None, {"Location": "/y"}))
    server.routes["/y"] = {}
    assert ask(server.url).status == 200
    assert caplog.records
    assert TOKEN not in caplog.text


def test_another_password_file_does_not_replace_the_token(
    server: Pretend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.routes["/x"] = {}
    assert ask(server.url).status == 200
    assert server.tokens == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "café", "nul\0"])
def test_what_is_no_token_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_token({"GH_TOKEN": value})
    assert str(caught.value) == "GH_TOKEN holds characters that no token has"


def test_the_token_is_that_of_the_environment() -> None:
    assert checked_token({"GH_TOKEN": " a \n", "GITHUB_TOKEN": "b"}) == "a"
    assert checked_token({"GH_TOKEN": "", "GITHUB_TOKEN": "b"}) == "b"
    with pytest.raises(ConfigError, match="set GH_TOKEN or GITHUB_TOKEN"):
        checked_token({})


@pytest.mark.parametrize(
    "url",
    [
        *("http://api.github.com", "ftp://api.github.com", "api.github.com", "https://", "https://user:pw@h.example"),
        *(
            "https://h.example/?a=b",
            "http://127.0.0.1.evil.example",
            "https://h.example:port",
            "http://[::1",
            "//h.example",
        ),
    ],
)
def test_only_https_is_asked(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_api(url)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.github.com",
        "https://ghe.example/api/v3/",
        "http://localhost:1",
        "http://127.0.0.1:1",
        "http://[::1]:1",
    ],
)
def test_https_and_this_machine_are_asked(url: str) -> None:
    assert checked_api(url) == url.rstrip("/")


def test_the_one_call_that_leaves_the_machine_is_a_get() -> None:
    """There is no way to write: of all calls of a session there is one, and its method is a constant."""
    calls = [
        node
        for path in Path(module.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("request", "send", "post", "put", "patch", "delete", "head", "options", "urlopen")
    ]
    assert [ast.unparse(call.func) for call in calls] == ["self._session().request"]
    assert json.loads(ast.unparse(calls[0].args[0]).replace("'", '"')) == "GET"
