"""What stands beside OpenAI's routes: the page, its guards, health, CORS."""

import asyncio
import re
import urllib.request
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from hornbook.generate.serving import EngineSettings
from hornbook.serve.app import PAGE, Settings, build
from hornbook.serve.shelf import Opening, open_models
from tests.serve.served import ENDLESS, Server


def test_the_page_asks_for_nothing_from_elsewhere(server: Server) -> None:
    status, text = server.get("/")
    assert status == 200
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert all(source.startswith(("/page/", "data:")) for source in sources)
    for name in PAGE:
        status, part = server.get(f"/page/{name}")
        assert status == 200
        assert not re.search(r"https?://(?!\\)", re.sub(r"http://www\.w3\.org", "", part).replace("https?:", ""))


def test_every_file_of_the_page_is_served() -> None:
    there = {each.name for each in (files("hornbook.serve") / "page").iterdir()}
    assert there == {*PAGE, "index.html"}


def test_the_page_is_guarded(server: Server) -> None:
    with urllib.request.urlopen(f"{server.url}/") as answer:
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/page/nothing.js", "/page/..%2findex.html", "/docs"])
def test_what_is_not_there(server: Server, path: str) -> None:
    assert server.get(path)[0] == 404


def test_both_languages_of_the_page_say_the_same_things() -> None:
    words = (files("hornbook.serve") / "page" / "words.js").read_text(encoding="utf-8")
    english, chinese = (re.findall(r"^    (\w+): ", part, re.MULTILINE) for part in words.split("zh: {"))
    assert english == chinese


def test_health(server: Server) -> None:
    assert server.get("/health") == (200, {"status": "ok"})


def test_an_answer_that_takes_too_long_is_given_up(models: dict[str, Path]) -> None:
    """504 where nothing has been sent; in a stream, whose status has gone long ago, an event."""
    shelf = open_models([str(models["plain"])], Opening(engine=EngineSettings(slots=1)))
    app = build(shelf, Settings(seconds=0.05))
    body = {"prompt": "a", "max_tokens": 1000, **ENDLESS}

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            whole = await client.post("/v1/completions", json=body)
            return whole, await client.post("/v1/completions", json={**body, "stream": True})

    try:
        whole, stream = asyncio.run(ask())
        assert (whole.status_code, whole.json()["error"]["code"]) == (504, "timeout")
        last = [line for line in stream.text.split("\n\n") if line][-2:]
        assert "longer than 0.05 seconds" in last[0]
        assert last[1] == "data: [DONE]"
        assert stream.status_code == 200
    finally:
        shelf.close()
    assert all(engine.stats()["cancelled"] == 2 for engine in shelf.engines.values())
