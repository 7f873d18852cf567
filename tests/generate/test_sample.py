"""Sampling against transformers' processors on the same logits, and against the exact distribution."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.generate.past import Past
from hornbook.generate.processors import NOTHING, draw
from hornbook.generate.sample import Sampling, choose_each

LIKELY = 0.001  # draws less probable than this under the exact distribution are a fault; they are seeded


def some_logits(rows: int = 6, vocab: int = 50) -> Tensor:
    return torch.randn(rows, vocab, generator=torch.Generator().manual_seed(0)) * 3


def pasts(ids: Tensor) -> list[Past]:
    """Rows of ids, each half prompt and half text."""
    return [Past(row[: len(row) // 2], row[len(row) // 2 :]) for row in ids.tolist()]


def test_all_together_in_transformers_order() -> None:
    processors: Any = pytest.importorskip("transformers.generation.logits_process")
    ids = torch.randint(50, (6, 9), generator=torch.Generator().manual_seed(1))
    expected = some_logits()
    for processor in (
        processors.SequenceBiasLogitsProcessor([[[4], 1.5], [[9], -2.0]]),
        processors.RepetitionPenaltyLogitsProcessor(1.2),
        processors.NoRepeatNGramLogitsProcessor(1),
        processors.SuppressTokensLogitsProcessor([2, 30]),
        processors.TemperatureLogitsWarper(0.7),
        processors.TopKLogitsWarper(20),
        processors.TopPLogitsWarper(0.9),
        processors.MinPLogitsWarper(0.02),
        processors.TypicalLogitsWarper(0.8),
    ):
        expected = processor(ids, expected)
    sampling = Sampling(
        temperature=0.7,
        top_k=20,
        top_p=0.9,
        min_p=0.02,
        typical_p=0.8,
        repetition_penalty=1.2,
        no_repeat_ngram=1,
        bias={4: 1.5, 9: -2.0},
        banned=(2, 30),
    )
    assert torch.equal(sampling.filter(some_logits(), pasts(ids)), expected)


def test_the_first_and_the_last_token_equal_transformers() -> None:
    processors: Any = pytest.importorskip("transformers.generation.logits_process")
    first, last = processors.ForcedBOSTokenLogitsProcessor(7), processors.ForcedEOSTokenLogitsProcessor(4, 3)
    sampling = Sampling(first=(7,), last=3)
    for length in (1, 2, 3):  # of [start, ...]: three tokens are written at most
        ids = torch.zeros(6, length, dtype=torch.long)
        rows = [Past([0], [0] * (length - 1), room=3) for _ in range(6)]
        assert torch.equal(sampling.filter(some_logits(), rows), last(ids, first(ids, some_logits())))


def test_the_defaults_leave_the_logits_alone() -> None:
    assert torch.equal(Sampling().filter(some_logits()), some_logits())


SAMPLINGS = [
    Sampling(),
    Sampling(temperature=0.5),
    Sampling(temperature=1.7, top_k=10),
    Sampling(top_k=8),
    Sampling(top_p=0.8),
    Sampling(top_k=12, top_p=0.9),
    Sampling(min_p=0.04),
    Sampling(typical_p=0.7),
    Sampling(repetition_penalty=1.6),
    Sampling(presence_penalty=0.8),
    Sampling(frequency_penalty=0.5),
    Sampling(presence_penalty=-1.0, frequency_penalty=0.3, top_p=0.9),
    Sampling(no_repeat_ngram=1),
    Sampling(bias={3: 1.5, 7: -2.0, 11: -math.inf}),
    Sampling(banned=(0, 5, 19)),
    Sampling(top_k=9, top_p=0.9, min_p=0.02, typical_p=0.9, temperature=1.2, bias={2: 0.5}, banned=(1,)),
]
LOGITS = torch.linspace(-1.5, 1.5, 20)[torch.randperm(20, generator=torch.Generator().manual_seed(2))]
PAST = Past([1, 2, 3], [4, 2, 4, 6])


def exact(sampling: Sampling) -> list[float]:
    """The distribution in float64, by the papers' formulas, token by token."""
    seen, counts = {*PAST.prompt, *PAST.new}, [PAST.new.count(token) for token in range(20)]
    scores = []
    for token, logit in enumerate(LOGITS.double().tolist()):
        logit += sampling.bias.get(token, 0.0)
        if token in seen:
            logit = logit * sampling.repetition_penalty if logit < 0 else logit / sampling.repetition_penalty
        logit -= counts[token] * sampling.frequency_penalty + (counts[token] > 0) * sampling.presence_penalty
        out = token in sampling.banned or (sampling.no_repeat_ngram == 1 and token in seen)
        scores.append(-math.inf if out else logit / sampling.temperature)
    shares = normalized([math.exp(score) for score in scores])
    if sampling.top_k is not None:
        shares = nearest_first(shares, [-share for share in shares], sampling.top_k, 1.0)
    if sampling.top_p is not None:
        shares = nearest_first(shares, [-share for share in shares], 20, sampling.top_p)
    if sampling.min_p is not None:
        shares = normalized([share if share >= sampling.min_p * max(shares) else 0.0 for share in shares])
    if sampling.typical_p is not None:
        entropy = -sum(share * math.log(share) for share in shares if share)
        far = [abs(-math.log(share) - entropy) if share else math.inf for share in shares]
        shares = nearest_first(shares, far, 20, sampling.typical_p)
    return shares


def nearest_first(shares: list[float], far: list[float], most: int, p: float) -> list[float]:
    """The tokens that come first by `far`, at most so many, until they hold p."""
    kept = [0.0] * len(shares)
    for token in sorted(range(len(shares)), key=lambda token: far[token])[:most]:
        if sum(kept) >= p - 1e-12:
            break
        kept[token] = shares[token]
    return normalized(kept)


def normalized(shares: list[float]) -> list[float]:
    return [share / sum(shares) for share in shares]


@pytest.mark.parametrize("padding", [0, 4000], ids=["small", "large"])
@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_draws_follow_the_exact_distribution(sampling: Sampling, padding: int) -> None:
    """Of a small vocabulary, and of a large one, where a shortlist is drawn from."""
    logits = torch.cat([LOGITS, torch.full((padding,), -60.0)])
    generator, rows = torch.Generator().manual_seed(3), 20_000 if padding == 0 else 4_000
    drawn = sampling.choose(logits.expand(rows, -1), [PAST] * rows, [generator] * rows)
    counts, shares = torch.bincount(drawn, minlength=20).tolist(), exact(sampling)
    live = [token for token in range(20) if shares[token] > 0]
    assert sum(counts[token] for token in live) == rows, "a token that was ruled out was drawn"
    if len(live) > 1:
        expected = [shares[token] * rows for token in live]
        assert chisquare([counts[token] for token in live], expected).pvalue > LIKELY


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_the_filtered_logits_are_the_exact_distribution(sampling: Sampling) -> None:
    found = sampling.probabilities(LOGITS[None], [PAST])[0]
    assert found.tolist() == pytest.approx(exact(sampling), abs=1e-6)


def test_the_test_would_see_a_wrong_distribution() -> None:
    """A temperature of 1.1 for 1.0 is seen in as many draws."""
    generator = torch.Generator().manual_seed(3)
    drawn = Sampling(temperature=1.1).choose(LOGITS.expand(20_000, -1), [], [generator] * 20_000)
    expected = [share * 20_000 for share in exact(Sampling())]
    assert chisquare(torch.bincount(drawn, minlength=20).tolist(), expected).pvalue < LIKELY


def test_the_books_draws(shared_data: Path) -> None:
    """Chapter 5: top-3 probabilities, and how often each of nine words comes up at three temperatures."""
    chapter = json.loads((shared_data / "vectors/rasbt_published.json").read_text())["ch05"]
    logits = torch.tensor([chapter["sampling_logits"]])
    top3 = Sampling(top_k=3).filter(logits).softmax(-1)[0]
    assert top3.tolist() == pytest.approx(chapter["top_k3_probs"], abs=5e-5)
    for temperature, key in ((1.0, "counts_of_1000_seed123_T1"), (0.1, "counts_T0.1"), (5.0, "counts_T5")):
        published = torch.tensor(chapter[key])
        exact = (logits[0] / temperature).softmax(-1)
        generator = torch.Generator().manual_seed(0)
        ours = torch.bincount(
            Sampling(temperature=temperature).choose(logits.expand(1000, -1), [], [generator] * 1000), minlength=9
        )
        for counts in (published, ours):  # both are 1,000 draws from the same distribution: five sigma
            assert ((counts - 1000 * exact).abs() <= 5 * (1000 * exact * (1 - exact)).sqrt() + 1).all()


def test_greedy_is_the_most_likely_token() -> None:
    logits = some_logits()
    for sampling in (Sampling(temperature=0), Sampling(top_k=1)):
        assert torch.equal(sampling.choose(logits, [], []), logits.argmax(-1))


def test_greedy_still_minds_the_penalty() -> None:
    sampling = Sampling(temperature=0, repetition_penalty=2.0)
    assert sampling.choose(torch.tensor([[1.0, 1.5]]), [Past([1], [])], []).tolist() == [0]
    assert sampling.probabilities(torch.tensor([[1.0, 1.5]]), [Past([1], [])]).tolist() == [[1.0, 0.0]]


def test_a_row_draws_the_same_alone_and_in_a_batch() -> None:
    logits, sampling = some_logits(), Sampling(temperature=0.9, top_p=0.95)
    together = sampling.choose(logits, [], [torch.Generator().manual_seed(row) for row in range(6)])
    alone = [sampling.choose(logits[r : r + 1], [], [torch.Generator().manual_seed(r)]).item() for r in range(6)]
    assert together.tolist() == alone


def test_bfloat16_logits_are_drawn_from_in_fp32() -> None:
    chosen = Sampling(top_k=4).choose(some_logits().bfloat16(), [], [torch.Generator().manual_seed(0)] * 6)
    assert chosen.dtype == torch.int64


def test_values_that_do_not_fit_are_refused() -> None:
    for name, bad in [("temperature", -1), ("top_k", 0), ("top_p", 0), ("top_p", 1.5), ("min_p", 2)]:
        with pytest.raises(UserError, match=f"{name}: "):
            Sampling(**{name: bad})
    with pytest.raises(UserError, match="repetition_penalty: 0"):
        Sampling(repetition_penalty=0)
    with pytest.raises(UserError, match="typical_p: 0"):
        Sampling(typical_p=0.0)
    with pytest.raises(UserError, match="no_repeat_ngram: 0"):
        Sampling(no_repeat_ngram=0)
    with pytest.raises(UserError, match="presence_penalty: nan"):
        Sampling(presence_penalty=math.nan)
    with pytest.raises(UserError, match="bias: inf for token 3"):
        Sampling(bias={3: math.inf})
    for name, bad in [("bias", {-1: 1.0}), ("banned", (-1,)), ("first", (-1,)), ("last", -1)]:
        with pytest.raises(UserError, match=f"{name}: -1 is no token"):
            Sampling(**{name: bad})


def test_rows_of_different_samplings_are_chosen_as_each_alone() -> None:
    samplings = [SAMPLINGS[number % len(SAMPLINGS)] for number in range(40)] + [Sampling(temperature=0)] * 3
    logits = torch.randn(len(samplings), 3000, generator=torch.Generator().manual_seed(0)) * 4
    rows = [Past([number % 7, 3], [number, number % 3]) for number in range(len(samplings))]
    seeds = range(len(samplings))
    together = choose_each(logits, samplings, rows, [torch.Generator().manual_seed(seed) for seed in seeds])
    alone = [
        samplings[r].choose(logits[r : r + 1], [rows[r]], [torch.Generator().manual_seed(r)]).item() for r in seeds
    ]
    assert together.tolist() == alone
    alike = [Sampling(top_p=0.9)] * 4
    generators = [torch.Generator().manual_seed(seed) for seed in range(4)]
    again = [torch.Generator().manual_seed(seed) for seed in range(4)]
    assert torch.equal(choose_each(logits[:4], alike, [], generators), alike[0].choose(logits[:4], [], again))


def test_a_large_vocabulary_is_drawn_from_as_a_sort_would() -> None:
    """The shortlist's token is that of the filtered whole, point by point."""
    logits = torch.randn(300, 5000, generator=torch.Generator().manual_seed(5)) * 4
    for sampling in (Sampling(top_p=0.9), Sampling(top_k=40), Sampling(top_k=40, top_p=0.8, min_p=0.01)):
        short = sampling.choose(logits, [], [torch.Generator().manual_seed(row) for row in range(300)])
        points = torch.stack(
            [torch.rand((), generator=torch.Generator().manual_seed(row), dtype=torch.float64) for row in range(300)]
        )
        assert torch.equal(short, draw(sampling.filter(logits), points))


def test_where_nothing_is_left_it_is_said_of_that_row() -> None:
    everything = Past([], [0, 1, 2])
    for sampling in (Sampling(no_repeat_ngram=1), Sampling(no_repeat_ngram=1, temperature=0)):
        generators = [torch.Generator().manual_seed(0)] * 2
        found = sampling.choose(torch.zeros(2, 3), [everything, Past([], [0, 2])], generators)
        assert found.tolist() == [NOTHING, 1]
