"""Asks GitHub's REST API. It can do nothing but GET, speaks to one server only, and never tells its token.

Everything that comes back is a stranger's: answers are bounded in bytes, in pages and in time; redirects and `Link`
headers are followed on the same server only, as the token would otherwise go with them.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from policy_engine import __version__
from policy_engine.errors import ConfigError
from policy_engine_plugins.github_host.endpoints import API_VERSION

if TYPE_CHECKING:
    import requests

    from policy_engine.host import Tell

MASK = "****"
_TRANSIENT = frozenset({500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PATIENCE = 3
"""How many questions in a row may fail with all their tries before the others get one try each."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Limits(Struct, frozen=True):
    """max_bytes    of one page
    answer_s     for one page to arrive in full
    connect_s    to be connected, and between two pieces of an answer
    tries        of one page, where it fails for a reason that may pass
    backoff_s    before the second try; twice that before the third
    max_wait_s   for rate limits, in all
    """

    max_bytes: int = 8 * 1024 * 1024
    answer_s: float = 30.0
    connect_s: float = 20.0
    tries: int = 3
    backoff_s: float = 0.5
    max_wait_s: float = 900.0


class Answer(Struct, frozen=True):
    """status     of the last page; 0 where no answer came
    body       of a 2xx answer, the pages of a listing joined; else None
    message    what GitHub says of it, or what stood in the way
    accepted   the permissions that GitHub asks for, as it lists them
    truncated  there is more than was read
    transient  another try might bring it
    """

    status: int
    body: Any = None
    message: str = ""
    accepted: str = ""
    truncated: bool = False
    transient: bool = False


class _Passing(Exception):
    """A try that failed for a reason that may pass."""


class _Lasting(Exception):
    """An answer that no further try would better."""


def checked_api(url: str) -> str:
    """The API's address without a slash at its end. Raises ConfigError unless it is https, or a server on this very
    machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigError("the API's address is none; write it as https://api.github.com or https://HOST/api/v3")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ConfigError(f"the API at {host} is asked over https only: a token does not travel in the open")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def checked_token(environment: Mapping[str, str]) -> str:
    """The token of the environment. Raises ConfigError where there is none, or no token; never shows it."""
    name = next((name for name in ("GH_TOKEN", "GITHUB_TOKEN") if environment.get(name, "").strip()), None)
    if name is None:
        raise ConfigError("settings are read with a token: set GH_TOKEN or GITHUB_TOKEN in the environment")
    token = environment[name].strip()
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise ConfigError(f"{name} holds characters that no token has")
    return token


class Client:
    def __init__(
        self,
        api: str,
        token: str,
        tell: Tell,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.api = checked_api(api)
        self.limits = limits or Limits()
        self._token = token
        self._tell = tell
        self._clock = clock
        parts = urlsplit(self.api)
        self._origin = (parts.scheme, parts.netloc.lower())
        self._loopback = parts.hostname in _LOOPBACK
        self._local = threading.local()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._not_before = 0.0
        self._waited_s = 0.0
        self._told_until = 0.0
        self._refused = ""
        self._failed = 0

    def get(
        self, path: str, query: Mapping[str, str] | None = None, listed: str | None = None, pages: int = 10
    ) -> Answer:
        """One endpoint's answer; with `listed` the items of all its pages. Never raises for what the server does."""
        url: str | None = self.api + path
        items: list[Any] = []
        for _ in range(pages):
            assert url is not None
            answer, next_url = self._page(url, query)
            if listed is None or answer.status // 100 != 2:
                return answer
            found = answer.body.get(listed) if listed and isinstance(answer.body, dict) else answer.body
            if not isinstance(found, list):
                return replace(answer, status=0, body=None, message="the answer is no list")
            items += found
            if next_url is None:
                return replace(answer, body=items)
            problem = self._elsewhere(next_url)
            if problem:
                return Answer(0, None, f"the next page is refused: {problem}")
            url, query = next_url, None
        return replace(answer, body=items, truncated=True)

    def stop(self) -> None:
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    # -- one page

    def _page(self, url: str, query: Mapping[str, str] | None) -> tuple[Answer, str | None]:
        # A server that fails at everything is not asked everything three times.
        tries = self.limits.tries if self._failed < _PATIENCE else 1
        for attempt in range(tries):
            if attempt:
                self._stopped.wait(self.limits.backoff_s * 2 ** (attempt - 1))
            if self._stopped.is_set():
                return Answer(0, None, "interrupted", transient=True), None
            try:
                found = self._answer(url, query)
            except _Passing as error:
                failed = Answer(0, None, f"{error}, {tries} times" if tries > 1 else str(error), transient=True)
            except _Lasting as error:
                return Answer(0, None, str(error)), None
            else:
                self._failed = 0
                return found
        self._failed += 1
        return failed, None

    def _answer(self, url: str, query: Mapping[str, str] | None) -> tuple[Answer, str | None]:
        """One page, once every rate limit has been waited for. Raises _Passing and _Lasting."""
        hops = rounds = 0
        while True:
            refusal = self._wait_for_limit()
            if refusal:
                return Answer(0, None, refusal, transient=True), None
            status, headers, data = self._get(url, query)
            if status in _REDIRECTS:
                hops += 1
                url, query = self._redirected(url, headers.get("Location"), hops), None
                continue
            body = self._parsed(data, status)
            message = self._clean(body.get("message", "") if isinstance(body, dict) else "")
            if status in (403, 429) and self._limited(status, headers, message, rounds):
                rounds += 1
                continue
            if status in _TRANSIENT:
                raise _Passing(f"HTTP {status}")
            accepted = self._clean(headers.get("X-Accepted-GitHub-Permissions", ""))
            if status // 100 != 2:
                return Answer(status, None, message, accepted), None
            link = headers.get("Link", "")
            return Answer(status, body), self._next(link, url)

    def _get(self, url: str, query: Mapping[str, str] | None) -> tuple[int, Mapping[str, str], bytes]:
        """The only function that speaks to the server, and it says nothing but GET."""
        import requests

        from policy_engine_plugins.github_host.bounded import ended_after

        limits = self.limits
        data = bytearray()
        with ended_after(limits.answer_s) as late:
            try:
                with self._session().request(
                    "GET", url, params=query, timeout=limits.connect_s, allow_redirects=False, stream=True
                ) as response:
                    for piece in response.iter_content(64 * 1024):
                        data += piece
                        if len(data) > limits.max_bytes:
                            raise _Lasting(f"the answer is larger than {limits.max_bytes} bytes")
                        if self._stopped.is_set():
                            raise _Lasting("interrupted")
                    if late.is_set():
                        raise _Passing(f"the answer took longer than {limits.answer_s:g} s")
                    return response.status_code, response.headers, bytes(data)
            except (requests.RequestException, OSError) as error:
                if late.is_set():
                    raise _Passing(f"the answer took longer than {limits.answer_s:g} s") from None
                if isinstance(error, requests.Timeout):
                    raise _Passing("no answer in time") from None
                if isinstance(error, requests.exceptions.SSLError):
                    raise _Lasting("the server's certificate is not valid") from None
                # Only the kind of it: the text of such an error may quote what was sent.
                raise _Passing(f"the connection failed ({type(error).__name__})") from None
            except ValueError:
                raise _Lasting("the answer's headers are not valid") from None

    def _session(self) -> requests.Session:
        """One for each thread, as a session is not made to be shared."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            from requests.auth import AuthBase

            from policy_engine_plugins.github_host import bounded

            token = self._token

            class Bearer(AuthBase):
                # As an `auth`, so that no .netrc puts another in its place.
                def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
                    request.headers["Authorization"] = f"Bearer {token}"
                    return request

            session = bounded.session()
            session.auth = Bearer()
            session.trust_env = not self._loopback  # no proxy lies between this machine and itself
            session.headers.update(
                {
                    "Accept": "application/vnd.github+json",
                    "X-GitHub-Api-Version": API_VERSION,
                    "User-Agent": f"policy-engine/{__version__}",
                }
            )
            self._local.session = session
        return session

    def _parsed(self, data: bytes, status: int) -> Any:
        if not data and status // 100 == 2 and status != 204:
            raise _Passing("the answer is empty")
        if not data:
            return None
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            if status // 100 == 2:
                raise _Passing("the answer is no valid JSON") from None
            return None

    # -- where to

    def _elsewhere(self, url: str) -> str:
        """Why an address is not asked; empty for one on the server that the token is for."""
        try:
            parts = urlsplit(url)
            origin = (parts.scheme, parts.netloc.lower())
        except ValueError:
            return "it is no address"
        return "" if origin == self._origin else "it leads to another server"

    def _redirected(self, url: str, location: str | None, hops: int) -> str:
        if hops > 3:
            raise _Lasting("the server redirects in circles")
        target = _joined(url, location or "")
        problem = self._elsewhere(target) if location else "it leads nowhere"
        if problem:
            raise _Lasting(f"a redirect is refused: {problem}")
        return target

    def _next(self, link: str, url: str) -> str | None:
        from requests.utils import parse_header_links

        if not link or len(link) > 8192:
            return None
        for one in parse_header_links(link):
            if one.get("rel") == "next" and one.get("url"):
                return _joined(url, one["url"])
        return None

    # -- rate limits

    def _limited(self, status: int, headers: Mapping[str, str], message: str, rounds: int) -> bool:
        """Whether an answer says to come back later; then the wait is set for all threads. Each time that the same
        question is put off, the least wait doubles, whatever the server says."""
        wait_s: float | None = _seconds(headers.get("Retry-After"))
        if wait_s is None and headers.get("X-RateLimit-Remaining") == "0":
            reset = _seconds(headers.get("X-RateLimit-Reset"))
            if reset is not None:
                # By the server's own clock, which need not be ours.
                wait_s = reset - _server_time(headers) + 1
        if wait_s is None and (status == 429 or "rate limit" in message.lower()):
            wait_s = 60.0
        if wait_s is None:
            return False
        wait_s = max(wait_s, 2.0 ** min(rounds, 12))
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + wait_s)
        return True

    def _wait_for_limit(self) -> str:
        """Waits as long as a rate limit asks for; why not, where that is longer than allowed."""
        while True:
            with self._lock:
                if self._refused:
                    return self._refused
                left = self._not_before - self._clock()
                if left <= 0:
                    return ""
                # All threads wait for one and the same moment: it is counted and told once.
                if self._told_until < self._not_before:
                    new_s = self._not_before - max(self._told_until, self._clock())
                    if self._waited_s + new_s > self.limits.max_wait_s:
                        self._refused = (
                            f"the rate limit is reached and asks for {left:.0f} s more; --github-max-wait allows "
                            f"{self.limits.max_wait_s:g} s in all"
                        )
                        return self._refused
                    self._waited_s += new_s
                    self._told_until = self._not_before
                    if new_s > 0.5:  # not for the moments by which threads hear of it one after the other
                        self._tell(f"the rate limit is reached; waiting {left:.0f} s")
            if self._stopped.wait(min(left, 1.0)):
                return "interrupted"

    def _clean(self, text: object) -> str:
        """One short line of what the server says, which must not hand the token back to us."""
        if not isinstance(text, str):
            return ""
        return " ".join(text.replace(self._token, MASK).split())[:200]


def _joined(url: str, other: str) -> str:
    try:
        return urljoin(url, other)
    except ValueError:
        return other  # no address; it is refused as leading elsewhere


def _seconds(text: str | None) -> float | None:
    if text is None or not text.strip().isdigit() or len(text.strip()) > 12:
        return None
    return float(text)


def _server_time(headers: Mapping[str, str]) -> float:
    try:
        return parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return time.time()
