"""Two made-up models' answers, a study of them, and a real server of its page in a thread."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import uvicorn

from hornbook import human_report, human_server
from hornbook.evaluate.judgements import Rating, Ratings
from hornbook.evaluate.sitting import Sitting
from hornbook.evaluate.study import USUAL, Scale, Study
from hornbook.human_summary import summary

NAMES = ("zebra-7b", "tiger-8b")
ASKED = [
    "How do I keep bread fresh?",
    "用一句话说明什么是光合作用。",
    "Reverse a list.",
    "Why is the sky blue?",
    "Name a river.",
]
LONG = "\n\n".join(f"Paragraph {number} of a long answer, which goes on for some lines. " * 6 for number in range(20))
MARKED = """# Bread

In a **paper bag**:

1. not in the fridge
2. `frozen` in slices

```python
keep(bread)
```
<img src=x>"""


def study(*, scales: tuple[Scale, ...] = (), prompts: int = 5) -> Study:
    asked = {str(number): ASKED[number % 5] + " " * (number // 5) for number in range(1, prompts + 1)}
    first = {id: MARKED if number == 0 else f"Stripes say {id}. {LONG}" for number, id in enumerate(asked)}
    second = {id: f"Claws say {id}." for id in asked}
    return Study(prompts=asked, answers=dict(zip(NAMES, (first, second), strict=True)), scales=scales)


def files(folder: Path) -> list[Path]:
    """The answers as two files of rows."""
    some, paths = study(), []
    for name, answers in some.answers.items():
        paths.append(folder / f"{name}.jsonl")
        rows = [{"id": id, "prompt": some.prompts[id], "answer": text} for id, text in answers.items()]
        paths[-1].write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return paths


def votes(said: str = "aaab", raters: tuple[str, ...] = ("Ann",)) -> list[Rating]:
    """One judgement a prompt and rater."""
    return [
        Rating(
            id=str(n), rater=rater, models=NAMES, said={"t": "tie", "z": "bad"}.get(each, each), side="a", seconds=4.0
        )
        for rater in raters
        for n, each in enumerate(said, 1)
    ]


@contextmanager
def serving(folder: Path, *, scales: tuple[Scale, ...] = (), prompts: int = 5) -> Iterator[str]:
    """The address of a server on a free port."""
    sitting = Sitting(study(scales=scales, prompts=prompts), Ratings(folder / "ratings.jsonl"))
    about = {"kind": sitting.study.kind, "scales": [asdict(each) for each in scales], "usual": scales == USUAL}
    api = human_server.app(sitting, {**about, "rater": "", "guide": "Be fair."}, partial(_results, sitting))
    listening = human_server.listen(0)
    server = uvicorn.Server(uvicorn.Config(api, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def _results(sitting: Sitting) -> tuple[dict[str, object], str]:
    ratings = sitting.ratings.judgements()
    found = summary(sitting.study, ratings)
    return found, human_report.page(sitting.study, ratings, found)
