"""Answers before a judge: files of answers in, scores and the judge's words into the folders of an evaluation."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import combinations
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.files import write_text
from hornbook.core.table import print_table
from hornbook.corpus_progress import Bars
from hornbook.evaluate import answered, evaluation, people, verdicts
from hornbook.evaluate import judge as judges
from hornbook.evaluate.answered import Answered
from hornbook.evaluate.cache import Cache, fingerprint
from hornbook.evaluate.grade import Rubric, Score, grade
from hornbook.evaluate.heard import Ear, Heard, require_some
from hornbook.evaluate.pairwise import Pairwise, compare, tally
from hornbook.evaluate.preference import Preference, prefer, rates
from hornbook.evaluate.task import Outcome
from hornbook.evaluate.truth import Truth
from hornbook.generate import hub
from hornbook.generate.asked import Here, ModelFolder
from hornbook.generate.endpoint import Client, Endpoint
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.question import Respondent
from hornbook.judged_report import sentences
from hornbook.scored_report import page

Found = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who judges, and how patiently it is asked."""

    by: str
    """URL#model of an endpoint, or a model folder."""
    key: Path | None = None
    """A file that holds the endpoint's key."""
    parallel: int = 8
    seconds: float = 120.0
    attempts: int = 5

    @property
    def short(self) -> str:
        """The judge's name."""
        return self.by.partition("#")[2] or (Path(self.by).stem if self.by.endswith(".gguf") else Path(self.by).name)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked."""

    asking: Asking
    judge: str = "score"
    questions: Path | None = None
    references: Path | None = None
    ratings: Path | None = None
    limit: int | None = None


@dataclass
class Court:
    """A judge at work on the answers of some models."""

    wish: Wish
    out: Path
    bars: Bars
    on: str = ""
    """Of which benchmark the answers are, where that is known."""
    config: judges.Judge = field(init=False)

    def __post_init__(self) -> None:
        self.config = judges.load(self.wish.judge)
        self.title = f"{Path(self.wish.judge).stem} by {self.wish.asking.short}{self.on}"
        self.about = {"by": self.wish.asking.by, "judge": self.wish.judge}

    def alone(self, name: str, answers: Sequence[Answered]) -> list[Outcome]:
        """Each answer of a model by itself."""
        heard: list[Heard[float]] = []
        if isinstance(self.config, Truth):
            outcomes = self.config.verdicts(_classifier(self.wish.asking.by), answers)
            found: Found = {"scale": [0, 1]}
        else:
            assert isinstance(self.config, Rubric | Score)
            outcomes, heard = grade(self._ear(name), self.config, answers)
            found = {"scale": list(self.config.scale)}
        if self.wish.ratings is not None:
            found["people"] = people.agreement_on_scores(outcomes, people.scores(self.wish.ratings, name))
        self._write(name, self.title, outcomes, found | verdicts.summary(outcomes, heard))
        require_some(heard, self.title)
        return outcomes

    def side_by_side(self, names: tuple[str, str], ours: Sequence[Answered], theirs: Sequence[Answered]) -> None:
        """The answers of two models."""
        pairs, ear = answered.paired(ours, theirs, names), self._ear(" or ".join(names))
        outcomes: list[Outcome]
        heard: Sequence[Heard[Any]]
        if isinstance(self.config, Pairwise):
            outcomes, heard = compare(ear, self.config, pairs)
            found = tally(outcomes)
        else:
            assert isinstance(self.config, Preference)
            outcomes, heard = prefer(ear, self.config, pairs)
            found = rates(outcomes)
        found |= {"scale": [0, 1], "against": names[1]}
        if self.wish.ratings is not None:
            said = people.winners(self.wish.ratings, names)
            found["people"] = people.agreement_on_winners(outcomes, said)
        title = f"{self.title}, against {names[1]}"
        self._write(names[0], title, outcomes, found | verdicts.summary(outcomes, heard))
        require_some(heard, title)

    @cached_property
    def _judge(self) -> tuple[Respondent, Cache]:
        judge, known = respondent(self.wish.asking)
        return judge, Cache(self.out / "judges", known)

    def _ear(self, name: str) -> Ear:
        return Ear(*self._judge, told=partial(self.bars, f"{self.title}: {name}"))

    def _write(self, name: str, title: str, outcomes: Sequence[Outcome], found: Found) -> None:
        judge = self._judge[0] if "_judge" in vars(self) else None
        faults = {what: count for what, count in judge.counts.items() if what != "requests"} if judge else {}
        verdicts.write(self.out / name, title, outcomes, self.about | found | ({"faults": faults} if faults else {}))


def judge(files: Sequence[Path], wish: Wish, out: Path) -> Path:
    """Judge the answers of one model or several; the path of the report."""
    names = _names(files)
    read = partial(answered.read, questions=wish.questions, references=wish.references, limit=wish.limit)
    answers = {name: read(file) for name, file in zip(names, files, strict=True)}
    with Bars(unit=" asked") as bars:
        court = Court(wish, out, bars, _benchmarks(files))
        if isinstance(court.config, Pairwise | Preference):
            if len(names) < 2:
                raise UserError(
                    f"{wish.judge}: compares two models; name a second file of answers to the same questions"
                )
            for other in names[1:]:
                court.side_by_side((names[0], other), answers[names[0]], answers[other])
        else:
            _compare(court, {name: court.alone(name, some) for name, some in answers.items()})
    found = {name: evaluation.read(out / name) for name in names if (out / name / evaluation.RESULTS).is_file()}
    print_verdicts(found)
    write_text(out / "report.html", page(found, {name: out / name for name in found}))
    return out / "report.html"


def _compare(court: Court, outcomes: dict[str, list[Outcome]]) -> None:
    """Say of each two models whether their scores differ."""
    for one, other in combinations(outcomes, 2):
        found = evaluation.read(court.out / one)[verdicts.JUDGED][court.title]
        difference = verdicts.against(outcomes[one], outcomes[other], (one, other))
        found["differences"] = {**found.get("differences", {}), other: difference}
        verdicts.write(court.out / one, court.title, outcomes[one], found)


def respondent(asking: Asking) -> tuple[Respondent, str]:
    """Who is asked, and what its answers are remembered under."""
    if not asking.by.startswith(("http://", "https://")):
        path = hub.find(asking.by)
        here = Here(ModelFolder(path=str(path)))
        here.require_chat()
        return here, fingerprint(path, "judge")
    url, _, name = asking.by.partition("#")
    if not name:
        raise UserError(f"--by: {asking.by!r} names no model; write it like http://localhost:11434/v1#llama3.2")
    how: Any = {"parallel": asking.parallel, "seconds": asking.seconds, "attempts": asking.attempts}
    key = asking.key.read_text(encoding="utf-8").strip() if asking.key else None
    return Client(Endpoint(url=url, name=name, **how), key), hashlib.sha256(asking.by.encode()).hexdigest()


def _classifier(by: str) -> LanguageModel:
    if by.startswith(("http://", "https://")):
        raise UserError(f"--by: {by}: this judge is a classifier of your own; name its folder (stage `classify`)")
    return LanguageModel.load(hub.find(by))


def _names(files: Sequence[Path]) -> list[str]:
    """Of the models: what their files are called, no two alike."""
    places = [_called(file) for file in files]
    short = [place.name for place in places]
    full = [place.name if short.count(place.name) == 1 else f"{place.parent.name}-{place.name}" for place in places]
    if twice := next((name for name in full if full.count(name) > 1), None):
        raise UserError(f"{twice}: two files of answers have this name; call each like the model that answered")
    return full


def _called(file: Path) -> Path:
    """What is called like the model: its folder in an evaluation, else the file of answers.

    >>> _called(Path("evaluations/demo/items/mt_bench.jsonl")).name, _called(Path("answers/demo.jsonl.gz")).name
    ('demo', 'demo')
    """
    if _of_benchmark(file):
        return file.absolute().parent.parent
    return file.with_name(Path(file.name.removesuffix(".gz")).stem)


def _of_benchmark(file: Path) -> bool:
    return file.absolute().parent.name == evaluation.ITEMS


def _benchmarks(files: Sequence[Path]) -> str:
    """The benchmarks whose answers are judged: a model may have answers to several, and each has scores of its own."""
    names = sorted({file.stem for file in files if _of_benchmark(file)})
    return f" on {', '.join(names)}" if names else ""


def print_verdicts(found: dict[str, Found]) -> None:
    """A row for each model and judge, and a sentence for what a number alone would hide."""
    rows = []
    for name, results in found.items():
        for title, each in results.get(verdicts.JUDGED, {}).items():
            score = next((each[metric] for metric in ("score", "win", "yes") if metric in each), None)
            interval = "" if score is None else "{:.3g} to {:.3g}".format(*score["interval"])
            value, of = (None, 0) if score is None else (score["value"], score["of"])
            rows.append((title, name, value, interval, of, each.get("left_out", 0)))
    print_table(("judge", "model", "value", "95 % interval", "of", "left out"), rows)
    for name, results in found.items():
        for title, each in results.get(verdicts.JUDGED, {}).items():
            for sentence in sentences(each):
                print(f"{title}, {name}: {sentence}")
