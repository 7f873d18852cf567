"""The page on a real server, in a real browser, by keyboard: rated, undone, closed in the middle and gone on with."""

import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from hornbook import human_server
from hornbook.core.errors import UserError
from hornbook.evaluate.judgements import Ratings
from hornbook.evaluate.study import USUAL, Scale
from tests.browser import Browser, browser
from tests.people import ASKED, NAMES, serving


def get(address: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def post(address: str, body: Any, kind: str = "application/json") -> tuple[int, Any]:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_no_response_names_a_model_before_the_end(tmp_path: Path) -> None:
    with serving(tmp_path) as home:
        said = [get(f"{home}/{page}")[1] for page in ("", "page.js", "words.js", "text.js", "page.css", "api/study")]
        for number in range(5):
            said.append(get(f"{home}/api/question?rater=Ann")[1])
            said += [get(f"{home}/{late}?rater=Ann")[1] for late in ("api/results", "report")]
            body = {"rater": "Ann", "question": number, "said": "left", "seconds": 1.5}
            said.append(json.dumps(post(f"{home}/api/rating", body)[1]))
        assert not any(name in text for name in NAMES for text in said)
        assert get(f"{home}/api/results?rater=Bo")[0] == 403
        code, results = get(f"{home}/api/results?rater=Ann")
        assert code == 200
        assert {each["name"] for each in json.loads(results)["models"]} == {*NAMES}
        assert "What people say" in get(f"{home}/report?rater=Ann")[1]


def test_a_mistake_is_one_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    with serving(tmp_path) as home:
        body = {"rater": "Ann", "question": 0, "said": "best"}
        code, told = post(f"{home}/api/rating", body)
        assert (code, told["detail"]) == (400, "said: 'best' is no judgement; give left, right, tie, bad or skip")
        assert post(f"{home}/api/rating", {**body, "rater": " "})[0] == 400
        assert post(f"{home}/api/rating", {"rater": "Ann"})[0] == 422
        assert get(f"{home}/../../etc/passwd")[0] == get(f"{home}/none.html")[0] == 404
        assert not (tmp_path / "ratings.jsonl").exists()


def test_other_pages_cannot_talk_to_it(tmp_path: Path) -> None:
    """A form of another page can only send text; a name that leads here by another DNS entry is refused."""
    with serving(tmp_path) as home:
        assert post(f"{home}/api/rating", {"rater": "Ann", "question": 0, "said": "left"}, "text/plain")[0] == 422
        assert get(home, Host="evil.example")[0] == 400
        assert get(home.replace("127.0.0.1", "localhost"))[0] == 200
        assert not (tmp_path / "ratings.jsonl").exists()


def test_a_port_in_use_gives_the_next_free_one() -> None:
    with human_server.listen(0) as taken:
        port = taken.getsockname()[1]
        with human_server.listen(port) as found:
            assert port < found.getsockname()[1] < port + human_server.PORTS
            assert found.getsockname()[0] == "127.0.0.1"


def test_no_port_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with human_server.listen(0) as taken:
        monkeypatch.setattr(human_server, "PORTS", 1)
        with pytest.raises(UserError, match=r"--port: none of \d+ to \d+ is free"):
            human_server.listen(taken.getsockname()[1])
    assert socket.gethostbyname("localhost") == "127.0.0.1"


# ---- in a browser


def said(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "ratings.jsonl").read_text(encoding="utf-8").splitlines()]


def until(tab: Browser, done: int) -> None:
    tab.wait(f"document.getElementById('count').textContent.startsWith('{done} of ') && !busy")


def begin(tab: Browser, home: str, name: str = "") -> None:
    tab.open(home)
    tab.wait("document.getElementById('name') && !busy")
    if name:
        tab.type(name)
    tab.press("Enter")


@pytest.mark.slow  # a browser starts twice
def test_by_keyboard_with_undo_and_a_close_in_the_middle(tmp_path: Path) -> None:
    with serving(tmp_path) as home:
        with browser(tmp_path / "profile") as tab:
            begin(tab, home, "Ann")
            for number, key in enumerate(["1", "ArrowRight", "0"]):
                until(tab, number)
                tab.press(key)
            until(tab, 3)
            tab.press("Backspace")
            until(tab, 2)
            tab.press("n")
            tab.type("both know it 9")
            tab.press("Enter")
            tab.press("ArrowDown")
            until(tab, 3)
            assert not any(name in tab.run("document.documentElement.outerHTML") for name in NAMES)
        with browser(tmp_path / "profile") as tab:  # the name is remembered, the place too
            begin(tab, home)
            until(tab, 3)
            tab.press("s")
            tab.wait("document.getElementById('count').textContent.includes('1 skipped') && !busy")
            tab.press("2")
            tab.wait("document.getElementById('end') && !busy")
            assert all(name in tab.run("document.body.innerText") for name in NAMES)
            tab.run("document.getElementById('again').click()")
            tab.wait("document.getElementById('answer0') && !busy")
            tab.press("1")
            tab.wait("document.getElementById('end') && !busy")
    rows = said(tmp_path)
    sides = [row["side"] for row in rows]
    assert [row["winner"] for row in rows] == [
        sides[0],
        "ba"[sides[1] == "b"],
        "tie",
        None,
        "bad",
        "skip",
        "ba"[sides[6] == "b"],
        sides[7],
    ]
    assert [row["note"] for row in rows if row["note"]] == ["both know it 9"]
    assert all(0 <= row["seconds"] < 60 for row in rows)
    assert len(Ratings(tmp_path / "ratings.jsonl").judgements()) == 5


@pytest.mark.slow
def test_text_is_set_and_no_markup_of_a_model_is_run(tmp_path: Path) -> None:
    with serving(tmp_path) as home, browser(tmp_path / "profile") as tab:
        begin(tab, home, "Ann")
        until(tab, 0)
        number = next(n for n in range(5) if _asked(tab, n) == ASKED[1])
        assert number >= 0
        assert tab.run("document.querySelectorAll('.text img').length") == 0
        assert tab.run("[...document.querySelectorAll('.text strong')].map(e => e.textContent).join()") == "paper bag"
        assert tab.run("document.querySelector('.text pre').textContent") == "keep(bread)"
        assert "<img src=x>" in tab.run("document.querySelector('main').innerText")
        tab.press("m")
        tab.wait("document.querySelector('.text.raw') && !busy")
        assert "**paper bag**" in tab.run("document.querySelector('main').innerText")


def _asked(tab: Browser, number: int) -> str:
    """Go on to the next question unless this one is the one with marks."""
    shown: str = tab.run("document.querySelector('.prompt p').textContent")
    if shown != ASKED[1]:
        tab.press("0")
        until(tab, number + 1)
    return shown


@pytest.mark.slow
def test_it_fits_wide_and_narrow_screens_and_both_scroll(tmp_path: Path) -> None:
    with serving(tmp_path) as home, browser(tmp_path / "profile") as tab:
        begin(tab, home, "Ann")
        until(tab, 0)
        _asked(tab, 0)
        tab.wait("!busy")
        for width, height in ((1200, 700), (1920, 1000), (390, 700), (320, 600)):
            tab.size(width, height)
            assert tab.run("document.documentElement.scrollWidth <= innerWidth")
            bottoms = "[...document.querySelectorAll('footer button')].map(each => each.getBoundingClientRect().bottom)"
            assert max(tab.run(bottoms)) <= height
        tab.size(1200, 700)
        assert tab.run("document.documentElement.scrollHeight") <= 700  # the buttons stay where they are
        tab.press(" ")
        tab.wait("[...document.querySelectorAll('.text')].some(e => e.scrollTop > 100)")
        tab.run("document.getElementById('language').click()")
        tab.wait("document.documentElement.lang === 'zh-CN'")
        assert "左边更好" in tab.run("document.getElementById('choices').innerText")


@pytest.mark.slow
@pytest.mark.parametrize("scales", [USUAL, (Scale("fluent", "reads well"), Scale("true"))])
def test_marks_by_keyboard(tmp_path: Path, scales: tuple[Scale, ...]) -> None:
    with serving(tmp_path, scales=scales, prompts=2) as home, browser(tmp_path / "profile") as tab:
        begin(tab, home, "Bo")
        for number in range(4):
            until(tab, number)
            for mark in "543"[: len(scales)]:
                tab.press(mark)
        tab.wait("document.getElementById('end') && !busy")
        tab.press("u")
        until(tab, 3)
        tab.press("ArrowUp")
        for mark in "321"[: len(scales)]:
            tab.press(mark)
        tab.wait("document.getElementById('end') && !busy")
    names = [each.name for each in scales]
    kept = Ratings(tmp_path / "ratings.jsonl").judgements()
    assert [dict(each.said) for each in kept[:3]] == [dict(zip(names, (5, 4, 3), strict=False))] * 3
    turned = [names[-1], *names[:-1]]  # it began with the last scale, and went on with the first
    assert kept[3].said == dict(zip(turned, (3, 2, 1), strict=False))


@pytest.mark.slow
def test_a_server_that_is_gone_is_told_and_tried_again(tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as tab:
        with serving(tmp_path) as home:
            begin(tab, home, "Ann")
            until(tab, 0)
        tab.press("1")
        tab.wait("!document.getElementById('trouble').hidden")
        assert "does not answer" in tab.run("document.getElementById('trouble').innerText")
    assert not (tmp_path / "ratings.jsonl").exists()
