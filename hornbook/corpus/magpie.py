"""Magpie: a chat model whose template is left open where the user speaks writes what a user would say; then it answers.

Xu et al. 2024, "Magpie: Alignment Data Synthesis from Scratch by Prompting Aligned LLMs with Nothing". No seed and no
prompt are needed. Leaves out the paper's tagging of difficulty and quality by further models, and conversations of
several turns; alike instructions are told by ROUGE-L instead of embeddings.
"""

import random
from dataclasses import dataclass

from hornbook.corpus.rouge import Novelty, words
from hornbook.corpus.synthetic import Model, Round, Row, Sampling

NO_ANSWER = "no answer"


@dataclass(frozen=True, kw_only=True)
class Magpie:
    """What a chat model says when nobody asks."""

    threshold: float = 0.7
    """ROUGE-L from which on two instructions are alike."""
    requests: int = 16
    """User turns in a round."""
    temperature: float = 1.0
    """Of the user's turns; answers are written at 0 (the paper's settings)."""
    most_words: int = 300
    """Of an instruction; longer ones are mostly the model talking on."""

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold: {self.threshold} is not between 0 and 1; try 0.7")
        for name in ("requests", "most_words"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} leaves nothing; give 1 or more")

    def build(self) -> "Listener":
        """The method, with nothing heard yet."""
        return Listener(self)


class Listener:
    """Writes down what the model says in the user's place, and has it answered."""

    def __init__(self, config: Magpie) -> None:
        self.config, self.novelty = config, Novelty(config.threshold)

    def learn(self, done: Round) -> None:
        """Know the instructions of a round."""
        unanswered = [drop["text"] for drop in done.dropped if drop["reason"] == NO_ANSWER]
        for turn in [*(row.instruction for row in done.rows), *unanswered]:
            if self.novelty.like(turn) is None:
                self.novelty.add(turn)

    def ask(self, done: Round, model: Model, draw: random.Random) -> None:
        """User turns, and the answers to those that are new."""
        sampling = Sampling(temperature=self.config.temperature, seed=draw.getrandbits(31))
        turns = model.user_turns(self.config.requests, sampling)
        kept = [turn.strip() for turn in turns if self._keep(turn, done) and turn]
        about = {"method": "magpie", "model": model.name, "round": done.number}
        for turn, answer in zip(
            kept, model.answers(kept, Sampling(temperature=0.0, seed=0)) if kept else [], strict=True
        ):
            if answer is not None and answer.strip():
                done.rows.append(Row(turn, "", answer.strip(), about))
            else:
                done.drop(turn, NO_ANSWER)

    def _keep(self, turn: str | None, done: Round) -> bool:
        count = len(words(turn or ""))
        reason = None
        if count == 0:
            reason = "nothing said"
        elif count > self.config.most_words:
            reason = "too long"
        elif self.novelty.like(turn or ""):
            reason = "like an earlier instruction"
        if reason is not None:
            done.drop(turn or "", reason)
            return False
        self.novelty.add(turn or "")
        return True
