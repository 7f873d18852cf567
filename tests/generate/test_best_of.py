"""The best of several: which texts are drawn, how they are ranked, and what most of them say."""

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.generate.best_of import Agreed, BestOf, best, majority
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.sample import Sampling
from tests.tiny_models import shaken, small

PROMPT, LIMITS = [1, 3, 2], Limits(max_new_tokens=6, end=frozenset([0]))


@pytest.mark.parametrize("name", ["llama", "mamba-tiny"])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_the_likeliest_first_by_the_models_own_probabilities(name: str, length_penalty: float) -> None:
    model = small(vocab=7, layers=2) if name == "llama" else shaken(name)
    sampling = Sampling(temperature=1.5, top_k=5)
    writing = Writing(PROMPT, torch.Generator().manual_seed(10))
    found = BestOf(samples=6, length_penalty=length_penalty).run(model, writing, sampling, LIMITS)
    drawn = [Writing(PROMPT, torch.Generator().manual_seed(10 + number)) for number in range(6)]
    for _ in write(model, drawn, sampling, LIMITS):
        pass
    assert sorted((one.ids, one.end) for one in found) == sorted((one.new, one.end) for one in drawn)
    for one in found:
        tokens = one.ids if one.end is None else [*one.ids, one.end]
        with torch.no_grad():
            logits = model(torch.tensor([PROMPT + tokens])).logits[0, len(PROMPT) - 1 : -1]
        total = float(logits.log_softmax(-1)[torch.arange(len(tokens)), torch.tensor(tokens)].sum())
        assert one.log_probability == pytest.approx(total, abs=1e-4)
        assert one.score == pytest.approx(total / len(tokens) ** length_penalty, abs=1e-4)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) > 1


def test_no_room_is_empty_texts() -> None:
    found = BestOf(samples=2).run(small(), Writing([1]), Sampling(), Limits(max_new_tokens=0))
    assert [(one.ids, one.log_probability) for one in found] == [([], 0.0)] * 2


def test_the_best_rewarded() -> None:
    assert best(["one", "three", "seven"], lambda text: text.count("e")) == "three"
    with pytest.raises(UserError, match="no text to choose from"):
        best([], len)


def last_word(text: str) -> str | None:
    return text.split()[-1] if text.split() else None


def test_most_agree() -> None:
    texts = ["it is 5", "3 + 4 is 7", "so 7", "", "five", "= 5", "that makes 7"]
    assert majority(texts, last_word) == Agreed("7", 3 / 7, {"7": 3, "5": 2, "five": 1})
    assert majority(["b", "a", "a", "b"], last_word).answer == "b", "of several the first"
    assert majority(["", " "], last_word) == Agreed(None, 0.0, {})
    assert majority([], last_word) == Agreed(None, 0.0, {})


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match="samples: 0"):
        BestOf(samples=0)
