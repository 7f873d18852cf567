"""Which of two answers keeps a rule better, and does an answer break it: a model's opinion as a probability.

Bai et al. 2022 (arXiv 2212.08073), section 4.1: the judge reads the conversation, a rule and both answers as options
(A) and (B), and its probabilities of writing A or B are the label. Here each pair is asked in both orders and the mean
is taken, since models like one letter better. A judge that thinks first (chain of thought) ends up too sure, so its
probabilities are clamped to 40-60 %. The yes/no form rates one answer by one rule, as Sparrow's rule model does
(Glaese et al. 2022) and as LaMDA rates qualities (Thoppilan et al. 2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hornbook.align.rules import Rule
from hornbook.align.speaker import Speaker, Talk
from hornbook.align.transcript import Message, transcript
from hornbook.align.words import Words, fill
from hornbook.corpus.synthetic import Sampling

CLAMP = (0.4, 0.6)  # section 4.1: "clamp the CoT probabilities to lie within the 40-60 percent range"


@dataclass(frozen=True)
class Pair:
    """Two answers to compare by a rule."""

    prompt: Talk
    a: str
    b: str
    rule: Rule


@dataclass(frozen=True)
class Thought:
    """How a judge that thinks first writes its thoughts, and how sure it may be."""

    sampling: Sampling
    clamp: tuple[float, float] = CLAMP


def compare(
    judge: Speaker, pairs: Sequence[Pair], words: Words, *, thought: Thought | None = None
) -> list[float | None]:
    """The probability that the first answer of each pair is the better one, both orders averaged; None: not said."""
    turned = [Pair(pair.prompt, pair.b, pair.a, pair.rule) for pair in pairs]
    talks = [_choice(pair, words) for pair in [*pairs, *turned]]
    begun = _think(judge, talks, words, thought) if thought else [words.verdict] * len(talks)
    found = judge.weigh(talks, begun, ["A", "B"])
    one, other = found[: len(pairs)], found[len(pairs) :]
    both = [None if p is None or q is None else (p[0] + q[1]) / 2 for p, q in zip(one, other, strict=True)]
    return both if thought is None else [None if p is None else _clamp(p, thought.clamp) for p in both]


def broken(judge: Speaker, answered: Sequence[tuple[Talk, str]], rule: Rule, words: Words) -> list[float | None]:
    """The probability that each answer breaks a rule, by the rule's question."""
    assert rule.question is not None
    return yes(judge, answered, rule.question, words)


def yes(judge: Speaker, answered: Sequence[tuple[Talk, str]], question: str, words: Words) -> list[float | None]:
    """The probability of yes to a question about each (conversation, answer)."""
    talks = []
    for talk, answer in answered:
        said = transcript([*talk, {"role": "assistant", "content": answer}], words).strip()
        talks.append(_user(fill(words.ask, conversation=said, question=question)))
    found = judge.weigh(talks, [words.answer] * len(talks), [words.yes, words.no])
    return [None if shares is None else shares[0] for shares in found]


def _choice(pair: Pair, words: Words) -> list[Message]:
    assert pair.rule.choose is not None
    talk = transcript(pair.prompt, words).strip()
    return _user(fill(words.compare, conversation=talk, choose=pair.rule.choose, a=pair.a, b=pair.b))


def _user(text: str) -> list[Message]:
    return [{"role": "user", "content": text}]


def _think(judge: Speaker, talks: Sequence[Talk], words: Words, thought: Thought) -> list[str]:
    """What the judge thinks about each question, up to its verdict."""
    asked = [_user(f"{talk[0]['content']}\n\n{words.think}") for talk in talks]
    thoughts = judge.answers(asked, thought.sampling)
    return [f"{words.think} {said or ''}\n\n{words.verdict}" for said in thoughts]


def _clamp(share: float, limits: tuple[float, float]) -> float:
    return min(max(share, limits[0]), limits[1])
