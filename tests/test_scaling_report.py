"""The page says what the files say, and its curves are the law's."""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from hornbook.core.files import write_json
from hornbook.core.run import Log
from hornbook.plan.fit import Trained, fit
from hornbook.plan.laws import Law
from hornbook.scaling import said
from hornbook.scaling_report import _curve, newest, write_scaling_report

LAW = Law(E=2.0, A=40.0, B=300.0, alpha=0.35, beta=0.45)


def ladder(folder: Path) -> list[Trained]:
    """A folder as `hornbook scale` leaves it, its runs made up."""
    random = np.random.default_rng(0)
    grid = [(n, d) for n in (5e4, 1e5, 2e5, 4e5) for d in (2e5, 4e5, 8e5)]
    runs = [Trained(n, d, LAW.loss(n, d) * float(np.exp(0.002 * random.normal()))) for n, d in grid]
    write_json(folder / "fit.json", {**said(fit(runs, draws=20)), "fingerprint": "x"})
    row = {"dim": 32, "layers": 1, "passes": 0.5, "processor_seconds": 3.0, "key": "k"}
    Log(folder / "ladder.jsonl").append(*({**vars(run), **row} for run in runs))
    promised = {"parameters": 900_000, "tokens": 1_600_000, "loss": 2.9, "interval": [2.8, 3.0]}
    Log(folder / "predictions.jsonl").append(promised, {**promised, "measured": 3.0, "error": 2.9 / 3.0 - 1})
    return runs


def test_the_page_of_a_ladder(tmp_path: Path) -> None:
    runs = ladder(tmp_path)
    page = write_scaling_report(tmp_path).read_text()
    assert "with an error of 3.3%" in page
    assert "-3.33%" in page
    assert "predictions.jsonl" in page
    assert page.count('class="dot"') >= 2 * (len(runs) + 1), "every run, on the wide page and the narrow one"
    assert "held-out loss, nats per token" in page
    assert page.count("FLOPs</text>") == 8
    drawings = page.split("<svg")[1:]
    assert len(drawings) == 4
    for drawing in drawings:
        ET.fromstring("<svg" + drawing.partition("</svg>")[0] + "</svg>")


def test_the_last_word_on_a_prediction_counts() -> None:
    rows = [{"parameters": 1, "tokens": 2, "loss": 3.0}, {"parameters": 1, "tokens": 2, "loss": 4.0}]
    assert newest([*rows, {"parameters": 5, "tokens": 2}]) == [rows[1], {"parameters": 5, "tokens": 2}]


def test_a_curve_is_the_law_at_so_many_tokens_or_operations() -> None:
    first, *_, last = _curve(LAW, 1e4, 1e6, tokens=5e5)
    assert first == (1e4, LAW.loss(1e4, 5e5))
    assert abs(last[0] - 1e6) < 1
    size, loss = _curve(LAW, 1e4, 1e6, flops=6e11)[10]
    assert loss == LAW.loss(size, 1e11 / size)
