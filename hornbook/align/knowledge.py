"""What a base model knows already: questions are known, maybe known, weakly known or unknown, by its own answers.

Gekhman et al. 2024 (arXiv 2405.05904), section 3, "SliCK": each question is asked behind several different sets of
worked examples, once greedily for each set and some more times with a temperature. Fine-tuning on what is unknown is
learnt slowly and, once it is learnt, teaches a model to make things up (sections 4 and 5), so one wants to see it
before. Answers are compared as SQuAD does (Rajpurkar et al. 2016): case, punctuation and articles do not count.

Leaves out: samples of what is greedily right at least once, since they would not change what it is called.
"""

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Unpack

from hornbook.core.errors import UserError
from hornbook.data.messages import renamed, text_of
from hornbook.data.rows import Row, kind_name
from hornbook.data.split import Source
from hornbook.generate.stream import Options

Kind = Literal["highly known", "maybe known", "weakly known", "unknown"]
KINDS: tuple[Kind, ...] = ("highly known", "maybe known", "weakly known", "unknown")
MEANS = {
    "highly known": "always right, greedily",
    "maybe known": "sometimes right, greedily",
    "weakly known": "right only when sampled",
    "unknown": "never right",
}
ARTICLES = re.compile(r"\b(a|an|the)\b")


class Writes(Protocol):
    """Goes on with texts, as `LanguageModel` does."""

    def generate(self, prompt: list[str], **options: Unpack[Options]) -> list[str]: ...


@dataclass(frozen=True)
class Fact:
    """A question and what answers it."""

    id: str
    question: str
    answers: tuple[str, ...]
    """The first one stands in worked examples; any of them is right."""
    relation: str | None = None
    """What it is about: examples are of the same relation where there are enough."""


def facts(row: Row, *, columns: Mapping[str, str] | None = None) -> Fact:
    """A row {"question", "answer": a text or a list of accepted ones, "relation"?} as a fact.

    >>> facts({"id": "a.csv:2", "question": "1 + 1?", "answer": ["2", "two"]}).answers
    ('2', 'two')
    """
    row = renamed(row, columns)
    given = row.get("answer")
    answers = given if isinstance(given, list) else [text_of(row, "answer")]
    if not answers or not all(isinstance(each, str) and plain(each) for each in answers):
        raise UserError(f"{row['id']}: answer is {kind_name(given)} without a word to compare; give a text or texts")
    relation = row.get("relation")
    return Fact(row["id"], text_of(row, "question"), tuple(answers), None if relation is None else str(relation))


@dataclass(frozen=True, kw_only=True)
class Facts(Source):
    """Questions and answers in the files of a recipe."""

    columns: dict[str, str] | None = None
    """The file's own names: {question: prompt, answer: completion}."""

    def row(self, raw: Row) -> Row:
        """{"question", "answers", "relation", "id"}, checked as `facts` does."""
        return vars(facts(raw, columns=self.columns))

    def key(self, row: Row) -> Any:
        """A question is on one side only."""
        return row["question"]


@dataclass(frozen=True, kw_only=True)
class Exam:
    """How often a model is asked; the numbers are the paper's (section 3, appendix C)."""

    sets: int = 10
    """Different sets of worked examples before a question."""
    examples: int = 4
    """Worked examples in a set."""
    samples: int = 16
    """Sampled answers for each set."""
    temperature: float = 0.5
    top_k: int = 40
    max_new_tokens: int = 32
    """Tokens of an answer; it ends with its line."""

    def __post_init__(self) -> None:
        if min(self.sets, self.examples, self.samples, self.max_new_tokens, self.top_k) < 1:
            raise ValueError(
                "sets, examples, samples, top_k, max_new_tokens: each counts something; give 1 or more of each"
            )
        if self.temperature <= 0:
            raise ValueError(f"temperature: {self.temperature} draws nothing; the paper has 0.5")


@dataclass(frozen=True)
class Known:
    """How often a model was right about a fact."""

    id: str
    greedy: float
    """Share of the sets with which the greedy answer is right."""
    sampled: float | None
    """Share of the sampled answers that are right; None where nobody had to ask."""

    @property
    def kind(self) -> Kind:
        """The four categories of the paper's table 1.

        >>> [Known("a", *shares).kind for shares in ((1.0, None), (0.1, None), (0.0, 0.01), (0.0, 0.0))]
        ['highly known', 'maybe known', 'weakly known', 'unknown']
        """
        if self.greedy > 0:
            return "highly known" if self.greedy == 1 else "maybe known"
        return "weakly known" if self.sampled else "unknown"


class Examiner:
    """Asks a model; `pool` are the facts that examples are drawn from, never the one that is asked."""

    def __init__(self, model: Writes, pool: Sequence[Fact], exam: Exam, *, seed: int) -> None:
        self.model, self.pool, self.exam, self.seed = model, pool, exam, seed
        if len({fact.question for fact in pool}) <= exam.examples:
            raise UserError(
                f"knowledge: {exam.examples} worked examples before each question want more than {len(pool)} rows; "
                "give more rows or fewer `examples`"
            )

    def examine(self, some: Sequence[Fact], first: int = 0) -> list[Known]:
        """What the model knows of some facts, of which the first has this number (its draws depend on it)."""
        exam, prompts = self.exam, [self.prompts(fact) for fact in some]
        greedy = self._right(some, prompts, temperature=0.0)
        asked = [number for number, hits in enumerate(greedy) if hits == 0]
        again = [prompts[number] * exam.samples for number in asked]
        how: Options = {
            "temperature": exam.temperature,
            "top_k": exam.top_k,
            "seed": (self.seed << 32) + first * exam.sets * exam.samples,
        }
        hits = self._right([some[i] for i in asked], again, **how)
        drawn = dict(zip(asked, hits, strict=True))
        sampled = [drawn[i] / (exam.sets * exam.samples) if i in drawn else None for i in range(len(some))]
        return [Known(f.id, g / exam.sets, s) for f, g, s in zip(some, greedy, sampled, strict=True)]

    def prompts(self, fact: Fact) -> list[str]:
        """The question behind each set of worked examples."""
        others = [each for each in self.pool if each.question != fact.question]
        near = [each for each in others if each.relation == fact.relation]
        pool = near if len(near) >= self.exam.examples else others
        found = []
        for number in range(self.exam.sets):
            shown = random.Random(f"{self.seed} {number} {fact.question}").sample(pool, self.exam.examples)
            told = "".join(f"Q: {each.question}\nA: {each.answers[0]}\n\n" for each in shown)
            found.append(f"{told}Q: {fact.question}\nA:")
        return found

    def _right(self, some: Sequence[Fact], prompts: Sequence[list[str]], **options: Unpack[Options]) -> list[int]:
        """How many of the answers to each fact's prompts are right."""
        flat = [prompt for each in prompts for prompt in each]
        how: Options = {**options, "max_new_tokens": self.exam.max_new_tokens, "stop": ["\n"]}
        told = iter(self.model.generate(flat, **how) if flat else [])
        return [sum(right(next(told), fact) for _ in each) for fact, each in zip(some, prompts, strict=True)]


def right(answer: str, fact: Fact) -> bool:
    """Whether an answer is one of those accepted.

    >>> right(" The Rhine.", Fact("a", "Which river?", ("Rhine",))), right("Rhine or Elbe", Fact("a", "?", ("Rhine",)))
    (True, False)
    """
    return plain(answer) in {plain(each) for each in fact.answers}


def plain(text: str) -> str:
    """A text without case, punctuation, articles and spare space.

    >>> plain(" The  Old-Man's hat!"), plain("《論語》"), plain("A")
    ('old man s hat', '論語', 'a')
    """
    signs = unicodedata.normalize("NFKC", text).casefold()
    words = "".join(" " if unicodedata.category(sign)[0] == "P" else sign for sign in signs)
    return " ".join(ARTICLES.sub(" ", words).split() or words.split())


def report(known: Sequence[Known]) -> str:
    """A small table: how many of each kind.

    >>> print(report([Known("a", 1.0, None), Known("b", 0.0, 0.0)]))
    highly known       1   50.0 %  always right, greedily
    maybe known        0    0.0 %  sometimes right, greedily
    weakly known       0    0.0 %  right only when sampled
    unknown            1   50.0 %  never right
    """
    counts = Counter(each.kind for each in known)
    return "\n".join(
        f"{kind:12}{counts[kind]:8,}{100 * counts[kind] / max(len(known), 1):7.1f} %  {MEANS[kind]}" for kind in KINDS
    )
