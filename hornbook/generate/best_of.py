"""Several texts for one prompt, and which of them is taken: the likeliest, the best rewarded, or what most agree on.

Best of n by log-probability per token is LaMDA's predecessor's sample-and-rank (Adiwardana et al. 2020, Meena); by a
reward, Stiennon et al. 2020. Self-consistency (Wang et al. 2023) lets the model reason several times and takes the
answer that comes most often; the votes are counted as they are, which the paper found as good as weighing them
(section 3.1).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from hornbook.core.errors import UserError
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.sample import Sampling
from hornbook.generate.walk import Hypothesis, Walk

SEEDS = 2**63  # a generator's seed is below


@dataclass(frozen=True, kw_only=True)
class BestOf:
    """Texts that are drawn side by side, the likeliest first."""

    samples: int = 8
    length_penalty: float = 1.0  # ranked by log-probability / tokens ** this: 1 is per token, 0 as a whole

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise UserError(f"samples: {self.samples} writes nothing; give 1 or more")

    def run(self, model: Any, writing: Writing, sampling: Sampling, limits: Limits) -> list[Hypothesis]:
        """All texts, the best first; text i draws with the seed of `writing` + i.

        Ranked by the model's own probabilities, whatever temperature and limits they were drawn with.
        """
        seed = writing.generator.initial_seed()
        seeds = [(seed + number) % SEEDS for number in range(self.samples)]
        texts = [Writing(writing.prompt, torch.Generator().manual_seed(each), source=writing.source) for each in seeds]
        for _ in write(model, texts, sampling, limits):
            pass
        with torch.inference_mode():
            found = self._scored(Walk(model, writing, limits), texts)
        return sorted(found, key=lambda each: -each.score)

    def _scored(self, walk: Walk, texts: Sequence[Writing]) -> list[Hypothesis]:
        """The texts with their probabilities: the prompt is read once and each text behind it."""
        prompt = texts[0].prompt
        first = walk.logits(walk.read(torch.tensor([prompt]))[:, -1:])
        found = []
        for text in texts:
            tokens = text.new if text.end is None else [*text.new, text.end]
            logits = first
            if tokens[1:]:
                walk.mark()
                logits = torch.cat([first, walk.logits(walk.read(torch.tensor([tokens[:-1]])))], 1)
                walk.back(len(prompt))
            chances = logits[0, : len(tokens)].log_softmax(-1)
            total = float(chances[torch.arange(len(tokens)), torch.tensor(tokens, dtype=torch.long)].sum())
            found.append(Hypothesis(text.new, total, total / max(len(tokens), 1) ** self.length_penalty, text.end))
        return found


def best(texts: Sequence[str], reward: Callable[[str], float]) -> str:
    """The text that a reward function likes most; of several the first.

    >>> best(["a", "abc", "xyz"], len)
    'abc'
    """
    if not texts:
        raise UserError("best: there is no text to choose from; give at least one")
    return max(texts, key=reward)


@dataclass(frozen=True)
class Agreed:
    """What most texts say."""

    answer: str | None  # None: no text has an answer
    share: float  # of all texts, those without an answer too
    votes: dict[str, int]  # answer -> texts, the most frequent first


def majority(texts: Sequence[str], answer: Callable[[str], str | None]) -> Agreed:
    """The answer that most texts come to; of several the one that came first.

    answer: reads it off a text, None where there is none.

    >>> majority(["so 7", "that is 8", "7", "who knows"], lambda text: text[-1] if text[-1].isdigit() else None)
    Agreed(answer='7', share=0.5, votes={'7': 2, '8': 1})
    """
    found = [each for each in map(answer, texts) if each is not None]
    votes = dict(Counter(found).most_common())
    if not votes:
        return Agreed(None, 0.0, {})
    first = next(iter(votes))
    return Agreed(first, votes[first] / len(texts), votes)
