"""`hornbook evaluate human`: models answer, people judge without knowing whose answers they see, numbers come of it.

The folder OUT/people_pairs (or OUT/people_scales) holds study.json, what is judged and how; answers/<model>.jsonl;
ratings.jsonl, a line for all that a rater does; summary.json and report.html. The scores also go to
OUT/<model>/results.json, beside the model's benchmarks.
"""

import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hornbook import human_answers, human_report, human_server
from hornbook.core.errors import UserError
from hornbook.core.files import read_json, sha256, write_json, write_text
from hornbook.core.run import Log, Run
from hornbook.corpus_progress import Bars
from hornbook.evaluate.judgements import Ratings
from hornbook.evaluate.sitting import Sitting
from hornbook.evaluate.study import USUAL, Scale, Study
from hornbook.generate import hub
from hornbook.human_answers import Prompt, Source, Writing
from hornbook.human_summary import print_summary, summary, write_scores

STUDY, RATINGS, ANSWERS, REPORT = "study.json", "ratings.jsonl", "answers", "report.html"
KINDS = ("people_pairs", "people_scales")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked."""

    prompts: Path | None = None
    """None: those of the first file of answers."""
    scales: tuple[Scale, ...] = ()
    rater: str = ""
    """Who judges; empty: the page asks."""
    guide: Path | None = None
    """A text that tells the raters how to judge."""
    port: int = 8100
    out: Path = Path("evaluations")
    browser: bool = False
    writing: Writing = field(default_factory=Writing)


Serve = Callable[[Any, Any], None]


def evaluate(models: Sequence[str], wish: Wish, serve: Serve = human_server.run) -> Path:
    """Have people judge; the path of the report."""
    sources = human_answers.sources(models)
    if len(sources) < (1 if wish.scales else 2):
        raise UserError("models: one alone can be compared with nothing; name two or more, or rate it with --likert")
    prompts = _prompts(wish, sources)
    guide = wish.guide.read_text(encoding="utf-8", errors="replace").strip() if wish.guide else ""
    folder = wish.out / KINDS[bool(wish.scales)]
    with Run(folder).lock():
        _describe(folder, sources, prompts, wish)
        _answer(folder, sources, prompts, wish.writing)
        study, sitting = _opened(folder)
        about = {"kind": study.kind, "scales": [asdict(each) for each in study.scales], "usual": study.scales == USUAL}
        about |= {"rater": wish.rater, "guide": guide}
        if not sitting.questions:
            raise UserError(f"{', '.join(study.answers)}: said the same to every prompt, so there is nothing to judge")
        listening = human_server.listen(wish.port)
        _announce(listening.getsockname()[1], wish, len(sitting.questions))
        serve(human_server.app(sitting, about, partial(_results, study, sitting)), listening)
        return _finish(folder, study, sitting)


def _prompts(wish: Wish, sources: Sequence[Source]) -> list[Prompt]:
    if wish.prompts is not None:
        return human_answers.read_prompts(wish.prompts)
    first = next((source.file for source in sources if source.file is not None), None)
    if first is None:
        raise UserError("--prompts: no file; name one with a prompt a line, or JSONL with a column prompt")
    return human_answers.prompts_of(first)


def _describe(folder: Path, sources: Sequence[Source], prompts: Sequence[Prompt], wish: Wish) -> None:
    """Write down what is judged; refuse a folder that holds another study. More models of the same may come."""
    files = {each.name: sha256(each.file) for each in sources if each.file is not None}
    study: dict[str, Any] = {
        "models": {each.name: each.place for each in sources},
        "files": files,
        "prompts": {prompt.id: prompt.text for prompt in prompts},
        "scales": [asdict(each) for each in wish.scales],
        "writing": asdict(wish.writing),
    }
    path = folder / STUDY
    before = read_json(path) if path.is_file() else study
    for what in ("prompts", "scales", "writing"):
        if before[what] != study[what]:
            raise UserError(f"{folder}: holds a study with other {what}; name another --out, or delete the folder")
    for what in ("models", "files"):
        if any(study[what].get(name) != value for name, value in before[what].items()):
            theirs, ours = " and ".join(before["models"]), " and ".join(study["models"])
            raise UserError(f"{folder}: holds judgements of {theirs}, not of {ours}; name another --out")
    write_json(path, study)


def _answer(folder: Path, sources: Sequence[Source], prompts: Sequence[Prompt], writing: Writing) -> None:
    """Every model's answers as a file of the folder; what is no model is told before any is asked."""
    for source in sources:
        if source.file is None and len(Log(folder / ANSWERS / f"{source.name}.jsonl").rows()) < len(prompts):
            hub.find(source.place)
    with Bars(unit=" answers") as bars:
        for source in sources:
            log = Log(folder / ANSWERS / f"{source.name}.jsonl")
            if source.file is None:
                log.rewind(0)  # forgets a line that a kill cut short
                human_answers.written(source, prompts, log, writing, bars)
            elif not log.rows():
                said = human_answers.stored(source.file, prompts)
                log.append(*({"id": each.id, "prompt": each.text, "answer": said[each.id]} for each in prompts))


def _opened(folder: Path) -> tuple[Study, Sitting]:
    """The study of a folder, and where its raters are."""
    if not (folder / STUDY).is_file():
        raise UserError(f"{folder}: holds no {STUDY}; name the --out of a `hornbook evaluate human`")
    kept = read_json(folder / STUDY)
    rows = {name: Log(folder / ANSWERS / f"{name}.jsonl").rows() for name in kept["models"]}
    answers = {name: {row["id"]: row["answer"] for row in each} for name, each in rows.items()}
    missing = [name for name, each in answers.items() if kept["prompts"].keys() - each.keys()]
    if missing:
        raise UserError(
            f"{folder}: {missing[0]} has not answered every prompt; run the command again without --results"
        )
    scales, seed = tuple(Scale(**each) for each in kept["scales"]), kept["writing"]["seed"]
    study = Study(prompts=kept["prompts"], answers=answers, scales=scales, seed=seed)
    ratings = Ratings(folder / RATINGS)
    if ratings.broken:
        lines = ", ".join(map(str, ratings.broken))
        print(f"{ratings.path}: line {lines} is no whole judgement and is passed over; the others count")
    return study, Sitting(study, ratings)


def _announce(port: int, wish: Wish, questions: int) -> None:
    if wish.port and port != wish.port:
        print(f"--port: {wish.port} is in use; this is the next free one")
    address = f"http://{human_server.HOST}:{port}"
    print(f"{questions:,} questions wait at {address}\nCtrl-C ends it; the same command goes on", flush=True)
    if wish.browser:
        webbrowser.open(address)


def _results(study: Study, sitting: Sitting) -> tuple[dict[str, Any], str]:
    ratings = sitting.ratings.judgements()
    found = summary(study, ratings)
    return found, human_report.page(study, ratings, found)


def _finish(folder: Path, study: Study, sitting: Sitting) -> Path:
    """Print what came of it, and write the report and the scores."""
    ratings = sitting.ratings.judgements()
    found, report = _results(study, sitting)
    print_summary(found)
    write_json(folder / "summary.json", found)
    write_text(folder / REPORT, report)
    write_scores(study, ratings, folder.parent, read_json(folder / STUDY)["models"])
    return folder / REPORT


def results(out: Path) -> list[Path]:
    """The reports of what people said so far, made anew; `out` is that of the command, or a folder in it."""
    folders = [folder for folder in (out, *(out / kind for kind in KINDS)) if (folder / STUDY).is_file()]
    if not folders:
        raise UserError(f"{out}: nobody was asked anything here; name the --out of a `hornbook evaluate human`")
    return [_finish(folder, *_opened(folder)) for folder in folders]
