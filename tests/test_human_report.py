"""The report of people's judgements: who is preferred, agreement, notes, and nothing a model wrote is markup."""

import re
from dataclasses import replace
from html import unescape

from hornbook.evaluate.judgements import Rating
from hornbook.evaluate.study import USUAL
from hornbook.human_report import page
from hornbook.human_summary import summary
from tests.people import NAMES, study, votes


def made(ratings: list[Rating], **more: object) -> str:
    some = study(**more)  # type: ignore[arg-type]
    return page(some, ratings, summary(some, ratings))


def text(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)))


def test_pairs() -> None:
    ratings = [*votes("aabtz", ("Ann",)), *votes("aabat", ("Bo",)), *votes("abbaa", ("Cy",))]
    ratings[0] = replace(ratings[0], note="one is <b>bold</b>")
    html = made(ratings)
    said = text(html)
    assert "no difference between zebra-7b and tiger-8b can be told" in said
    assert "Fleiss' kappa" in said
    assert "Strengths" in said
    assert "3: tiger-8b was better" in said
    assert "one is &lt;b&gt;bold" in html
    assert "<img" not in html
    assert html.count("<svg") == 2


def test_scales_and_an_empty_study() -> None:
    ratings = [
        Rating(id="1", rater="Ann", models=(name,), said=dict.fromkeys(("helpful", "correct", "harmless"), mark))
        for name, mark in zip(NAMES, (5, 2), strict=True)
    ]
    html = made(ratings, scales=USUAL)
    assert html.count("<figure>") == 3
    assert "rated one by one" in text(html)
    for scales in ((), USUAL):
        assert "compared two by two" in text(made([])) or "rated" in text(made([], scales=scales))
