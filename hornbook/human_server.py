"""The page on which people judge, served to this machine alone.

No model's name leaves the server before the rater who asks has judged everything. The page may talk to nobody else
(its Content-Security-Policy), and other pages in the same browser cannot talk to the server: requests under another
host's name are refused, and only JSON is read.
"""

import contextlib
import errno
import socket
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import HTMLResponse, JSONResponse

from hornbook.core.errors import UserError
from hornbook.evaluate.sitting import Answer, Sitting

HOST = "127.0.0.1"
PORTS = 20  # that are tried, one after the other
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
STYLED = "default-src 'none'; style-src 'unsafe-inline'"  # of the report, which is one file
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Said:
    """A judgement, as the page sends it; see evaluate/sitting.py."""

    rater: str
    question: int
    said: str | dict[str, int]
    seconds: float = 0.0
    note: str = ""
    again: bool = False


@dataclass(frozen=True)
class Who:
    """Whose newest judgement is taken back."""

    rater: str


def app(sitting: Sitting, about: dict[str, Any], results: Callable[[], tuple[dict[str, Any], str]]) -> FastAPI:
    """The page and what it asks for; `results` gives the numbers and the report, which only those who are done see."""
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    api.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    api.middleware("http")(_headers)
    api.add_exception_handler(UserError, _one_sentence)
    _questions(api, sitting, about)
    _ends(api, sitting, results)
    _pages(api)
    return api


def _questions(api: FastAPI, sitting: Sitting, about: dict[str, Any]) -> None:
    @api.get("/api/study")
    def study() -> dict[str, Any]:
        return {**about, "raters": sitting.raters(), "of": len(sitting.questions)}

    @api.get("/api/question")
    def question(rater: str, again: bool = False) -> dict[str, Any]:
        return sitting.state(rater, again=again)

    @api.post("/api/rating")
    def rating(given: Said) -> dict[str, Any]:
        fields = asdict(given)
        return sitting.rate(fields.pop("rater"), Answer(**fields))

    @api.post("/api/undo")
    def undo(given: Who) -> dict[str, Any]:
        return sitting.undo(given.rater)


def _ends(api: FastAPI, sitting: Sitting, results: Callable[[], tuple[dict[str, Any], str]]) -> None:
    def at_the_end(rater: str) -> tuple[dict[str, Any], str]:
        if not sitting.finished(rater):
            raise HTTPException(403, "who is who is told when everything is judged")
        with sitting.lock:
            return results()

    @api.get("/api/results")
    def numbers(rater: str) -> dict[str, Any]:
        return at_the_end(rater)[0]

    @api.get("/report")
    def report(rater: str) -> HTMLResponse:
        return HTMLResponse(at_the_end(rater)[1], headers={"Content-Security-Policy": STYLED})


def _pages(api: FastAPI) -> None:
    folder = files("hornbook.evaluate") / "page"

    @api.get("/{name:path}")
    def page(name: str) -> Response:
        known = {each.name: each for each in folder.iterdir()}
        file = known.get(name or "index.html")
        if file is None:
            raise HTTPException(404, "no such page")
        return Response(file.read_bytes(), media_type=KINDS[Path(file.name).suffix])


async def _headers(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def _one_sentence(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 400)


def listen(port: int) -> socket.socket:
    """A port of this machine, the next free one where it is in use; 0: any."""
    for number in range(port, min(port + PORTS, 65536)) if port else [0]:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, number))
            listening.listen()  # two programs may bind one port, only one may listen
            return listening
        except OSError as error:
            listening.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise UserError(f"--port: none of {port} to {port + PORTS - 1} is free; name another, or 0 for any")


def run(api: FastAPI, listening: socket.socket) -> None:
    """Serve until somebody presses Ctrl-C."""
    server = uvicorn.Server(uvicorn.Config(api, log_level="warning", timeout_graceful_shutdown=1))
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
