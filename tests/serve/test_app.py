"""What stands beside OpenAI's routes: the page, its guards, health, CORS."""

import re
from importlib.resources import files

import pytest

from hornbook.serve.app import PAGE
from tests.serve.served import Server


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
    import urllib.request

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
