"""Who is let in, with how much, how often: the layer between the network and the app.

In this order: the name by which the server was called, the key, the rate, the size of the body and the time in which it
must have come. A server that listens to this machine alone answers only when it is called by this machine's names, so
that no web page can speak to it through a name of its own (DNS rebinding).
"""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from hornbook.serve.errors import Refused
from hornbook.serve.metrics import Metrics

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

OPEN = {"/", "/health"}  # and what stands under /page/: no key is asked for
OURS = {"localhost", "127.0.0.1", "::1"}
HEARD_OUT = 32_000_000  # bytes too many that are read and forgotten: who is cut off does not see why
MOST_CLIENTS = 10_000  # whose rate is remembered


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Who is let in."""

    keys: tuple[str, ...] = ()  # any of them; none: everybody
    body_bytes: int = 4_000_000
    body_seconds: float = 30.0  # in which the whole body must have come
    per_minute: int = 0  # requests of one key or address; 0: no bound
    here_only: bool = True  # called by this machine's names only


class Gate:
    """An ASGI app around another."""

    def __init__(self, app: App, rules: Rules, metrics: Metrics) -> None:
        self.app, self.rules, self.metrics = app, rules, metrics
        self.rate = Rate(rules.per_minute)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request, or the server's beginning and end, which pass."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self.metrics.open += 1
        try:
            whole = await self._let_in(scope, receive)
        except Refused as error:
            await error.response(scope, receive, sending)
        else:
            await self.app(scope, whole, sending)
        finally:
            self.metrics.open -= 1
            route = known(scope["path"])
            self.metrics.count("hornbook_requests_total", route=route, status=str(status))
            self.metrics.time("hornbook_request_seconds", time.monotonic() - began, route=route)

    async def _let_in(self, scope: Message, receive: Receive) -> Receive:
        """The request's messages, its body read; Refused where it may not pass."""
        headers = dict(scope["headers"])
        if self.rules.here_only and host_of(headers.get(b"host", b"")) not in OURS:
            raise Refused("this server answers to localhost only; start it with --host to let others in", 403)
        if scope["path"] not in OPEN and not scope["path"].startswith("/page/"):
            key = self._key(headers.get(b"authorization", b""))
            wait = self.rate.wait(key or (scope.get("client") or ("", 0))[0])
            if wait > 0:
                sentence = f"more than {self.rules.per_minute} requests in a minute; ask again later"
                raise Refused(sentence, 429, code="rate_limit_exceeded", retry=wait)
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.rules.body_bytes + HEARD_OUT:
            raise self._too_large()
        try:
            async with asyncio.timeout(self.rules.body_seconds):
                return await self._body(receive)
        except TimeoutError:
            raise Refused("the body did not come in time; send it faster", 408, code="timeout") from None

    def _key(self, authorization: bytes) -> str:
        """The key that a client has, where one is asked for."""
        given = authorization.removeprefix(b"Bearer ").strip()
        right = [key for key in self.rules.keys if hmac.compare_digest(key.encode(), given)]
        if self.rules.keys and not right:
            why = "wrong API key" if given else "no API key; send it as `Authorization: Bearer KEY`"
            raise Refused(why, 401, code="invalid_api_key")
        return right[0] if right else ""

    async def _body(self, receive: Receive) -> Receive:
        """Reads the whole body; what is returned gives it once more and then what comes after it."""
        parts, size, more = bytearray(), 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            size += len(message.get("body", b""))
            if size > self.rules.body_bytes + HEARD_OUT:
                raise self._too_large()
            if size <= self.rules.body_bytes:
                parts += message.get("body", b"")
            more = message.get("more_body", False)
        if size > self.rules.body_bytes:
            raise self._too_large()
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": bytes(parts), "more_body": False}

        return again

    def _too_large(self) -> Refused:
        return Refused(
            f"the body is larger than {self.rules.body_bytes:,} bytes; send less", 413, code="body_too_large"
        )


class Rate:
    """So many requests a minute for each client, of which a whole minute's may come at once (a leaky bucket)."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.full: dict[str, float] = {}  # when each client's bucket will be empty again

    def wait(self, client: str) -> float:
        """Seconds until this client may ask; 0: now, and it is counted."""
        if not self.per_minute:
            return 0.0
        now, cost = time.monotonic(), 60.0 / self.per_minute
        if len(self.full) > MOST_CLIENTS:
            self.full = {name: until for name, until in self.full.items() if until > now}
        until = max(self.full.get(client, now), now)
        if until + cost - now > 60.0 + 1e-9:
            return until + cost - now - 60.0
        self.full[client] = until + cost
        return 0.0


def host_of(header: bytes) -> str:
    """The name in a Host header, without the port.

    >>> host_of(b"localhost:8000"), host_of(b"[::1]:8000"), host_of(b"Evil.example")
    ('localhost', '::1', 'evil.example')
    """
    name = header.decode("latin-1").lower()
    return name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]


ROUTES = (
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/models",
    "/health",
    "/metrics",
    "/page",
    "/",
)


def known(path: str) -> str:
    """The route of a path, for counting: what a client makes up is `other`.

    >>> known("/v1/models/demo"), known("/"), known("/wp-login.php")
    ('/v1/models', '/', 'other')
    """
    return next(
        (route for route in ROUTES if path == route or (route != "/" and path.startswith(route + "/"))), "other"
    )
