"""Speculation writes what would have been written anyway: the same tokens greedily, the same distribution if drawn."""

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from hornbook.core.errors import UserError
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.past import Past
from hornbook.generate.sample import Sampling
from hornbook.generate.speculative import Draft, Guess, Helper, Looking, Lookup, accept, speculate
from tests.tiny_models import shaken, small

GREEDY = Sampling(temperature=0)
LIKELY = 0.001  # draws less probable than this are a fault; they are seeded


@dataclass(frozen=True)
class Small:
    """A model as a draft is given one."""

    module: Any
    tokenizer: Any = None


def plain(model: Any, writing: Writing, sampling: Sampling, limits: Limits) -> Writing:
    for _ in write(model, [writing], sampling, limits):
        pass
    return writing


def ahead(model: Any, writing: Writing, sampling: Sampling, limits: Limits, helper: Helper) -> tuple[Writing, int]:
    """The text, and how many passes it took."""
    steps = sum(1 for _ in speculate(model, writing, sampling, limits, helper))
    return writing, steps


HELPERS = [
    Lookup(),
    Lookup(tokens=3, match=1),
    Draft(Small(small(31, seed=5)), tokens=4),
    Draft(Small(shaken("mamba-tiny")), 3),
]
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6, 3, 1, 4]


@pytest.mark.parametrize("helper", HELPERS, ids=["lookup", "short", "draft", "recurrent draft"])
@pytest.mark.parametrize("sampling", [GREEDY, Sampling(temperature=0, repetition_penalty=1.5, no_repeat_ngram=3)])
def test_greedy_is_greedy(helper: Helper, sampling: Sampling) -> None:
    model = small(31, layers=2, length=64)
    for prompt in (PROMPT, [7], [2, 2]):
        for limits in (Limits(max_new_tokens=20, vocab=31), Limits(max_new_tokens=99, context=24, vocab=31)):
            limits = Limits(**{**vars(limits), "end": frozenset([11])})
            expected = plain(model, Writing(prompt), sampling, limits)
            found, _ = ahead(model, Writing(prompt), sampling, limits, helper)
            assert (found.new, found.reason, found.end) == (expected.new, expected.reason, expected.end)


@pytest.mark.parametrize("name", ["mamba-tiny", "rwkv-tiny", "hyena-tiny", "gru-tiny", "jamba-tiny"])
@pytest.mark.parametrize("kind", ["lookup", "draft", "itself"])
def test_states_without_columns_go_back_too(name: str, kind: str) -> None:
    model = shaken(name)
    helpers: dict[str, Helper] = {
        "lookup": Lookup(match=1),
        "draft": Draft(Small(shaken(name, seed=2))),
        "itself": Draft(Small(model)),
    }
    limits = Limits(max_new_tokens=30, context=64)
    for prompt in (PROMPT, [5]):
        expected = plain(model, Writing(prompt), GREEDY, limits)
        found, steps = ahead(model, Writing(prompt), GREEDY, limits, helpers[kind])
        assert found.new == expected.new
        if kind == "itself":
            assert steps == 30 // 5, "four guesses that are all right, and one token more, a pass"


@pytest.mark.parametrize("name", ["rnnsearch-tiny", "transformer-tiny"])
def test_answers_to_a_source(name: str) -> None:
    model, limits = shaken(name), Limits(max_new_tokens=12, context=64, start=0)
    for helper in (Lookup(match=1), Draft(Small(shaken(name, seed=2)))):
        expected = plain(model, Writing([0], source=PROMPT), GREEDY, limits)
        found, _ = ahead(model, Writing([0], source=PROMPT), GREEDY, limits, helper)
        assert found.new == expected.new


def test_a_text_that_repeats_itself_takes_few_passes() -> None:
    """... and its log-probabilities are those of the plain loop."""
    model = small(31, layers=2, length=64)
    limits = Limits(max_new_tokens=40, log_probabilities=True)
    expected = plain(model, Writing(PROMPT), GREEDY, limits)
    found, steps = ahead(model, Writing(PROMPT), GREEDY, limits, Draft(Small(model), tokens=7))
    assert (found.new, steps) == (expected.new, 5)
    sampling = Sampling(temperature=0.9, top_p=0.95)
    drawn, _ = ahead(model, Writing(PROMPT, torch.Generator().manual_seed(3)), sampling, limits, Lookup(match=1))
    logits = model(torch.tensor([PROMPT + drawn.new])).logits[0, len(PROMPT) - 1 : -1]
    shares = sampling.probabilities(logits)[torch.arange(40), torch.tensor(drawn.new)]
    assert drawn.log_probabilities == pytest.approx(shares.log().tolist(), abs=1e-4)


def test_a_draft_that_sees_less_leaves_off_guessing() -> None:
    model, draft = small(31, layers=2, length=64), small(31, seed=5, length=16)
    limits = Limits(max_new_tokens=30, context=64)
    expected = plain(model, Writing(PROMPT), GREEDY, limits)
    assert ahead(model, Writing(PROMPT), GREEDY, limits, Draft(Small(draft)))[0].new == expected.new


def exact(model: Any, prompt: list[int], sampling: Sampling, tokens: int) -> dict[tuple[int, ...], float]:
    """Every text of so many tokens, with its probability."""
    vocab, texts = 5, {(): 1.0}
    for _ in range(tokens):
        with torch.no_grad():
            rows = torch.tensor([[*prompt, *text] for text in texts])
            logits = model(rows).logits[:, -1]
        shares = sampling.probabilities(logits, [Past(prompt, list(text)) for text in texts]).tolist()
        texts = {
            (*text, token): chance * share[token]
            for (text, chance), share in zip(texts.items(), shares, strict=True)
            for token in range(vocab)
        }
    return texts


def fits(counts: Counter[tuple[int, ...]], expected: dict[tuple[int, ...], float]) -> float:
    """The p value of a chi-square test; texts that are expected less than five times are one."""
    total = sum(counts.values())
    assert all(expected[text] > 0 for text in counts), "what cannot be was written"
    often = [text for text in expected if expected[text] * total >= 5]
    seen = [counts[text] for text in often]
    wanted = [expected[text] * total for text in often]
    rest = total - sum(wanted)
    if rest > 1e-6 * total:
        seen.append(total - sum(seen))
        wanted.append(rest)
    return float(chisquare(seen, [each * sum(seen) / sum(wanted) for each in wanted]).pvalue)


def draws(model: Any, prompt: list[int], sampling: Sampling, helper: Helper, count: int) -> Counter[tuple[int, ...]]:
    limits = Limits(max_new_tokens=3)
    return Counter(
        tuple(ahead(model, Writing(prompt, torch.Generator().manual_seed(seed)), sampling, limits, helper)[0].new)
        for seed in range(count)
    )


SAMPLINGS = [Sampling(), Sampling(temperature=1.4, top_p=0.85), Sampling(repetition_penalty=1.8, top_k=4)]


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=["plain", "top-p", "penalty"])
@pytest.mark.parametrize("kind", ["lookup", "draft", "mamba"])
def test_texts_are_distributed_as_if_drawn_one_by_one(kind: str, sampling: Sampling) -> None:
    _distributed(kind, sampling, 250 if kind == "mamba" else 500)


@pytest.mark.slow
@pytest.mark.parametrize("sampling", SAMPLINGS, ids=["plain", "top-p", "penalty"])
@pytest.mark.parametrize("kind", ["lookup", "draft"])
def test_many_texts_are_distributed_as_if_drawn_one_by_one(kind: str, sampling: Sampling) -> None:
    _distributed(kind, sampling, 4_000)


def _distributed(kind: str, sampling: Sampling, count: int) -> None:
    model, prompt = small(5), [1, 2, 3, 1, 2]
    helper: Helper = Lookup(tokens=3) if kind == "lookup" else Draft(Small(small(5, seed=9)), tokens=2)
    if kind == "mamba":
        narrow = Limits(max_new_tokens=3, vocab=5)
        wide = shaken("mamba-tiny")
        counts = Counter(
            tuple(ahead(wide, Writing(prompt, torch.Generator().manual_seed(seed)), sampling, narrow, Lookup())[0].new)
            for seed in range(count)
        )
        assert fits(counts, exact(_Narrow(wide), prompt, sampling, 3)) > LIKELY
        return
    assert fits(draws(model, prompt, sampling, helper, count), exact(model, prompt, sampling, 3)) > LIKELY


@dataclass(frozen=True)
class _Narrow:
    """A model of which only the first five tokens are written."""

    model: Any

    def __call__(self, ids: torch.Tensor) -> Any:
        return type("Output", (), {"logits": self.model(ids).logits[..., :5]})


def test_the_test_would_see_a_draft_that_is_believed() -> None:
    """The same test fails for texts of the draft itself."""
    model, draft, prompt = small(5), small(5, seed=9), [1, 2, 3, 1, 2]
    counts = draws(draft, prompt, Sampling(), Lookup(), 500)
    assert fits(counts, exact(model, prompt, Sampling(), 3)) < LIKELY


@given(
    p=st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any),
    q=st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any),
)
def test_the_first_token_is_exactly_the_models(p: list[int], q: list[int]) -> None:
    """Algorithm 1 summed up over everything that can be drawn: q(x) kept(x) + P(none is kept) rest(x) is p(x)."""
    theirs, ours = torch.tensor(q) / sum(q), torch.tensor(p) / sum(p)
    shares, total = torch.stack([ours, ours]), [0.0] * 3
    rest = (ours - theirs).clamp(min=0)
    for token, drawn in itertools.product(range(3), range(3)):
        if theirs[token] == 0:
            continue
        guess = Guess([token], theirs[None])
        kept = min(1.0, float(ours[token] / theirs[token]))
        if drawn == token:
            total[token] += float(theirs[token]) * kept
        if kept < 1 and rest.sum() > 0:
            total[drawn] += float(theirs[token]) * (1 - kept) * float(rest[drawn] / rest.sum())
        found = accept(guess, shares, Sampling(), torch.Generator().manual_seed(drawn))
        assert (found[0] == token and len(found) == 2) or (len(found) == 1 and rest[found[0]] > 0)
    assert total == pytest.approx(ours.tolist(), abs=1e-6)


@given(ids=st.lists(st.integers(0, 3), min_size=1, max_size=30), match=st.integers(1, 3), tokens=st.integers(1, 5))
def test_lookup_by_brute_force(ids: list[int], match: int, tokens: int) -> None:
    """However many tokens came since it last looked."""

    def expected(known: list[int]) -> list[int]:
        for n in range(min(match, len(known) - 1), 0, -1):
            for first in range(len(known) - n - 1, -1, -1):
                if known[first : first + n] == known[-n:]:
                    return known[first + n : first + n + tokens]
        return []

    looking = Looking(Lookup(tokens=tokens, match=match))
    for length in [*range(1, len(ids), 3), len(ids)]:
        found, wanted = looking.guess(ids[:length], 99).tokens, expected(ids[:length])
        assert found == wanted[: len(found)]
        assert bool(found) == bool(wanted)
    assert Looking(Lookup(tokens=tokens, match=match)).guess(ids, 99).tokens == expected(ids)
    assert len(Looking(Lookup(tokens=tokens, match=match)).guess(ids, 2).tokens) <= 2


def test_lookup_guesses_less_after_it_was_wrong_and_more_after_it_was_right() -> None:
    ids = [*range(10, 40), 10, 11]
    looking, sizes = Looking(Lookup(tokens=8, match=2)), []
    for follows in ([5, 10, 11], [6, 10, 11], [7, 10, 11], [8, 10, 11], [8], [10, 11], [8]):
        sizes.append(len(looking.guess(ids, 99).tokens))
        ids = [*ids, *follows]
    assert sizes == [8, 3, 2, 1, 1, 2, 3]


def test_what_cannot_be_is_refused() -> None:
    for bad in (lambda: Lookup(tokens=0), lambda: Lookup(match=0), lambda: Draft(Small(None), 0)):
        with pytest.raises(UserError, match=": 0"):
            bad()
    two = [type("Tokenizer", (), {"fingerprint": letter})() for letter in "ab"]
    Draft(Small(None, two[0])).check(two[0])
    for tokenizer in (two[0], None):
        with pytest.raises(UserError, match="draft: the model has another tokenizer"):
            Draft(Small(None, tokenizer)).check(two[1])
    for sampling in (Sampling(banned=(0, 1, 2, 3, 4)), Sampling(banned=(0, 1, 2, 3, 4), temperature=0)):
        with pytest.raises(UserError, match="no token can be drawn"):
            ahead(small(5), Writing([1]), sampling, Limits(), Lookup())


def test_no_room_writes_nothing_and_modes_come_back() -> None:
    model = small(5).train()
    writing, steps = ahead(model, Writing([1]), Sampling(), Limits(max_new_tokens=0), Lookup())
    assert (writing.new, writing.reason, steps) == ([], "length", 0)
    assert model.training
    for _ in speculate(model, Writing([1]), Sampling(), Limits(max_new_tokens=3), Lookup()):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
    assert model(torch.tensor([[1]])).logits.requires_grad
