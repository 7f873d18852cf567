"""The app: OpenAI's routes, health, metrics and the chat page, behind the gate."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import PlainTextResponse

from hornbook.serve.errors import Refused, install
from hornbook.serve.gate import App, Gate, Rules
from hornbook.serve.metrics import Metrics
from hornbook.serve.routes import Desk, routes
from hornbook.serve.shelf import Shelf
from hornbook.serve.wire import Json

PAGE = {  # the files of the page and what they are
    "chat.js": "text/javascript",
    "markdown.js": "text/javascript",
    "words.js": "text/javascript",
    "chat.css": "text/css",
}
GUARDED = {  # the page runs its own script and speaks to its own server, whatever a model writes
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a server serves."""

    rules: Rules = field(default_factory=Rules)
    seconds: float = 600.0  # that an answer may take
    origins: tuple[str, ...] = ()  # of web pages elsewhere that may ask (CORS); none by default


def build(shelf: Shelf, settings: Settings) -> App:
    """The app that uvicorn runs; its end is the engines' end."""
    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(shelf.close)

    app = FastAPI(title="hornbook", lifespan=life, docs_url=None, redoc_url=None)
    install(app)
    app.include_router(routes(Desk(shelf, metrics, settings.seconds)))
    _watching(app, shelf, metrics)
    _page(app)
    gate = Gate(app, settings.rules, metrics)
    if not settings.origins:
        return gate
    return CORSMiddleware(gate, allow_origins=settings.origins, allow_methods=["*"], allow_headers=["*"])


def _watching(app: FastAPI, shelf: Shelf, metrics: Metrics) -> None:
    """What those who run the server ask."""

    @app.get("/health")
    async def health() -> Json:
        well = all(engine.alive for engine in shelf.engines.values())
        return Json({"status": "ok" if well else "an engine has stopped"}, 200 if well else 503)

    @app.get("/metrics")
    async def told() -> PlainTextResponse:
        stats: dict[str, Any] = {name: engine.stats() for name, engine in shelf.engines.items()}
        return PlainTextResponse(metrics.text(stats), media_type="text/plain; version=0.0.4")


def _page(app: FastAPI) -> None:
    """The chat page: files of this package, read once."""
    folder = files("hornbook.serve") / "page"
    index = folder.joinpath("index.html").read_bytes()
    parts = {name: folder.joinpath(name).read_bytes() for name in PAGE}

    @app.get("/")
    async def page() -> Response:
        return Response(index, media_type="text/html", headers=GUARDED)

    @app.get("/page/{name}")
    async def part(name: str, request: Request) -> Response:
        if name not in parts:
            raise Refused(f"{request.url.path}: there is nothing here", 404, code="not_found")
        return Response(parts[name], media_type=PAGE[name], headers=GUARDED)
