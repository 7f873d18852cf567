"""Asks a model what benchmarks want to know, in the order that costs least, and gives answers in the order asked.

A decoder scores a continuation after its context (likelihood.py), an encoder-decoder scores it as the answer to its
source, a masked model by pseudo-likelihood (Salazar et al. 2020): each token of the continuation hidden in turn and
guessed from all others. Contexts that are too long lose their beginning, which is counted.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from hornbook.core.errors import UserError
from hornbook.evaluate import answer_likelihood, likelihood, pseudo_likelihood
from hornbook.evaluate.cache import Cache, key
from hornbook.evaluate.likelihood import Likelihood
from hornbook.evaluate.pairs import Pair, encode, fit, windows
from hornbook.evaluate.request import AsRead, Continuation, Rolling, Scored, Stretch, Until
from hornbook.generate.language_model import LanguageModel
from hornbook.model.decoder import DecoderModel
from hornbook.model.encoder_decoder import EncoderDecoderModel

Q = TypeVar("Q")
Progress = Callable[[int, int], object]  # questions answered, of how many
AT_ONCE = 1024  # questions between two writings to the cache: more are of like length, or share their examples
WRITTEN_AT_ONCE = 32  # a kill costs no more; as many as the model writes side by side
STRETCHES_AT_ONCE = 16  # whole windows of the model, most of them


@dataclass
class Told:
    """Tells how far the questions are while some of them are being answered."""

    progress: Progress
    done: int
    of: int

    def __call__(self, more: int) -> None:
        self.done = min(self.done + more, self.of)
        self.progress(self.done, self.of)


class Scorer:
    """One model and its answers."""

    def __init__(self, lm: LanguageModel, *, cache: Cache | None = None, progress: Progress = lambda *_: None) -> None:
        self.lm, self.cache, self.progress = lm, cache, progress
        self.module: Any = lm.module
        self.module.eval()
        self.length: int = self.module.config.length
        self.begin = lm.begin
        self._told = Told(progress, 0, 0)

    def continuations(self, asked: Sequence[Continuation]) -> list[Scored]:
        """How likely each continuation is; raises UserError for one without a token."""
        return [Scored(**each) for each in self._through(asked, self._continuations, AT_ONCE)]

    def rolling(self, asked: Sequence[Rolling]) -> list[Scored]:
        """How likely each text is as a whole."""
        return [Scored(**each) for each in self._through(asked, self._rolling, AT_ONCE)]

    def stretches(self, asked: Sequence[Stretch]) -> list[Likelihood]:
        """How likely each stretch of ids is; the caller sees to it that it fits the model."""
        return [Likelihood(**each) for each in self._through(asked, self._stretches, STRETCHES_AT_ONCE)]

    def until(self, asked: Sequence[Until]) -> list[str]:
        """What the model writes; the text that stops it is left out."""
        return self._through(asked, self._until, WRITTEN_AT_ONCE)

    def _through(self, asked: Sequence[Q], answer: Callable[[list[Q]], list[Any]], at_once: int) -> list[Any]:
        """Answers from the cache where they are there; the others in order of what they begin with, some at a time."""
        found = {question: self.cache.find(question) for question in asked} if self.cache else {}
        new = sorted({question for question in asked if found.get(question) is None}, key=_place)
        done = len(set(asked)) - len(new)
        for start in range(0, len(new), at_once):
            some = new[start : start + at_once]
            self._told = Told(self.progress, done, done + len(new) - start)
            answers = list(zip(some, answer(some), strict=True))
            found |= dict(answers)
            if self.cache:
                self.cache.keep(answers)
            done += len(some)
            self.progress(done, done + len(new) - start - len(some))
        return [found[question] for question in asked]

    def _continuations(self, asked: list[Continuation]) -> list[dict[str, Any]]:
        pairs = [self._pair(each) for each in asked]
        likely = self._likelihoods(pairs)
        return [
            _scored([one], [pair], len(each.continuation.encode()))
            for each, pair, one in zip(asked, pairs, likely, strict=True)
        ]

    def _rolling(self, asked: list[Rolling]) -> list[dict[str, Any]]:
        cut = [list(windows(self.lm.plain_ids(each.text), begin=self.begin, length=self.length)) for each in asked]
        likely = iter(self._likelihoods([pair for pairs in cut for pair in pairs]))
        return [
            _scored([next(likely) for _ in pairs], pairs, len(each.text.encode()))
            for each, pairs in zip(asked, cut, strict=True)
        ]

    def _stretches(self, asked: list[Stretch]) -> list[dict[str, Any]]:
        return [asdict(one) for one in self._likelihoods([Pair(each.context, each.continuation) for each in asked])]

    def _until(self, asked: list[Until]) -> list[str]:
        written = [""] * len(asked)
        kinds: dict[tuple[Any, ...], list[int]] = {}
        for number, each in enumerate(asked):
            seed = _seed(each) if each.temperature else 0  # the same draws in whatever company it is written
            kinds.setdefault((each.stop, each.max_new_tokens, each.temperature, seed), []).append(number)
        for (stop, most, temperature, seed), numbers in kinds.items():
            prompts = [self._fitting(self._prompt(asked[number]), most) for number in numbers]
            how = {"max_new_tokens": most, "stop": stop, "temperature": temperature, "seed": seed}
            for number, text in zip(numbers, self.lm.write(prompts, **how), strict=True):
                written[number] = self._plain(text)
        return written

    def as_read(self, asked: Until) -> AsRead:
        """What the model reads of a question: through its template, and without the beginning where it is too long."""
        ids = self._prompt(asked)
        fits = self._fitting(ids, asked.max_new_tokens)
        if len(fits) == len(ids) and not (asked.talk and self.lm.chats):
            return AsRead(asked.context)
        assert self.lm.tokenizer is not None, "it has made the ids"
        return AsRead(self.lm.tokenizer.decode(fits), len(fits) < len(ids))

    def _fitting(self, ids: list[int], most: int) -> list[int]:
        """The end of a prompt, so that `most` tokens can follow, as the reference harness cuts it; half the window of
        an answer that would leave less.
        """
        return ids[-max(self.length - most, self.length // 2) :]

    def _plain(self, text: str) -> str:
        """An answer without special tokens, which are no part of what is said."""
        for mark in self.lm.tokenizer.special if self.lm.tokenizer else ():
            text = text.replace(mark, "")
        return text

    def _prompt(self, asked: Until) -> list[int]:
        if asked.talk and self.lm.renderer is not None:
            return self.lm.renderer.prompt([{"role": role, "content": said} for role, said in asked.talk])
        return self.lm.ids(asked.context)

    def _pair(self, asked: Continuation) -> Pair:
        pair = self._encoded(asked)
        if not pair.continuation:
            raise UserError(
                f"continuation {asked.continuation!r} after ...{asked.context[-40:]!r}: has no token to be judged; "
                "give a text that is not empty"
            )
        if len(pair.continuation) > self.length:
            raise UserError(
                f"continuation {asked.continuation[:40]!r}...: has {len(pair.continuation)} tokens and the model reads "
                f"{self.length}; give a shorter one, or score it as a whole text"
            )
        return fit(pair, self.length)

    def _encoded(self, asked: Continuation) -> Pair:
        if isinstance(self.module, DecoderModel):
            return encode(self.lm.plain_ids, asked.context, asked.continuation, begin=self.begin)
        assert self.lm.tokenizer is not None, "what has none is refused before it is asked"
        bare = self.lm.tokenizer.encode
        if isinstance(self.module, EncoderDecoderModel):  # two texts, each by itself
            return Pair(tuple(self.lm.ids(asked.context)), tuple(bare(asked.continuation.strip())))
        return encode(bare, asked.context or " ", asked.continuation, begin=self.begin)

    def _likelihoods(self, pairs: list[Pair]) -> list[Likelihood]:
        if isinstance(self.module, DecoderModel):
            return likelihood.likelihoods(self.module, pairs, told=self._told)
        if isinstance(self.module, EncoderDecoderModel):
            return answer_likelihood.likelihoods(self.module, pairs, start=self.lm.start or 0)
        assert self.lm.tokenizer is not None, "it has made the pairs"
        return pseudo_likelihood.likelihoods(self.module, self.lm.tokenizer, pairs)


def _scored(likely: Iterable[Likelihood], pairs: Sequence[Pair], size: int) -> dict[str, Any]:
    some = list(likely)
    return asdict(
        Scored(
            log_likelihood=sum(each.nats for each in some),
            greedy=all(each.greedy for each in some),
            tokens=sum(len(pair.continuation) for pair in pairs),
            bytes=size,
            truncated=any(pair.truncated for pair in pairs),
        )
    )


def _seed(asked: Until) -> int:
    return int(key(asked)[:8], 16)


def _place(question: Any) -> tuple[str, ...]:
    """Questions that begin alike are asked together; written ones with those of like length: little padding is read."""
    said = tuple(str(value) for value in asdict(question).values())
    return (f"{len(question.context):09}", *said) if isinstance(question, Until) else said
