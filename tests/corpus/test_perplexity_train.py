"""The n-gram model against the formulas written out with dictionaries, and against what must hold of any model."""

import itertools
import math
import random
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.errors import UserError
from hornbook.corpus.perplexity_model import UNKNOWN, NGrams, read
from hornbook.corpus.perplexity_train import discounts, fit, train

Gram = tuple[str, ...]
TOY = ["a rose is a rose is a rose", "a rose by any other name", "is it a rose or is it not a name", "it is a rose"]


class ByHand:
    """Interpolated Kneser-Ney of words, one n-gram at a time."""

    def __init__(self, texts: list[str], orders: int, *, prune: bool) -> None:
        often = Counter(word for text in texts for word in text.split())
        self.known = {word for word, count in often.items() if count >= 2}
        self.raw: dict[int, Counter[Gram]] = defaultdict(Counter)
        for text in texts:
            words = ["<s>"] * (orders - 1) + self.read(text)
            for order, end in itertools.product(range(1, orders + 1), range(orders, len(words) + 1)):
                self.raw[order][tuple(words[end - order : end])] += 1
        self.orders, self.prune = orders, prune
        self.counts = {order: self.adjusted(order) for order in self.raw}
        self.counts[1].setdefault(("<unk>",), 0)

    def read(self, text: str) -> list[str]:
        return [word if word in self.known else "<unk>" for word in text.split()]

    def adjusted(self, order: int) -> dict[Gram, int]:
        raw = self.raw[order]
        if order == self.orders:
            return dict(raw)
        after = Counter(longer[1:] for longer in self.raw[order + 1])
        return {gram: count if gram[0] == "<s>" else after[gram] for gram, count in raw.items()}

    def probability(self, gram: Gram) -> float:
        order = len(gram)
        if order == 0:
            return 1 / len(self.counts[1])
        counts = self.counts[order]
        less = (0, *discounts(np.array(list(counts.values()))))
        least = 2 if self.prune and order == self.orders else 0
        after = {other: count for other, count in counts.items() if other[:-1] == gram[:-1]}
        total = sum(after.values())
        if not total:
            return self.probability(gram[1:])
        shares = {other: (count - less[min(count, 3)]) / total for other, count in after.items() if count >= least}
        return shares.get(gram, 0.0) + (1 - sum(shares.values())) * self.probability(gram[1:])

    def logs(self, text: str) -> list[float]:
        words = ["<s>"] * (self.orders - 1) + self.read(text)
        return [
            math.log(self.probability(tuple(words[i - self.orders : i]))) for i in range(self.orders, len(words) + 1)
        ]


def logs(model: NGrams, text: str) -> list[float]:
    words = read(text)[0]
    known = [model(word) < 1e300 and len(word) > 0 for word in text.split()]
    assert len(known) == len(words)
    return model.logs(known_or_unknown(model, words)).tolist()


def known_or_unknown(model: NGrams, words: np.ndarray) -> np.ndarray:
    from hornbook.corpus.perplexity_model import grams

    return np.where(model.tables[0].find(grams(words, 1)[0])[1], words, UNKNOWN)


@pytest.mark.parametrize(("orders", "prune"), [(2, False), (3, False), (3, True), (4, True)])
def test_every_word_has_the_probability_of_the_formula(orders: int, prune: bool) -> None:
    model, by_hand = fit(TOY, orders, prune=prune), ByHand(TOY, orders, prune=prune)
    for text in [*TOY, "a", "rose rose rose", "what is a name", "never seen", "it is it is not a rose by a rose"]:
        assert logs(model, text) == pytest.approx(by_hand.logs(text), abs=1e-5)


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=12).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=8), WORDS)
def test_and_so_has_any_text(texts: list[str], text: str) -> None:
    model, by_hand = fit(texts), ByHand(texts, 3, prune=True)
    assert logs(model, text) == pytest.approx(by_hand.logs(text), abs=2e-5)


def test_probabilities_after_any_words_add_up_to_one() -> None:
    model = fit(TOY)
    words = ["a", "rose", "is", "it", "name", "unknown"]
    for before in ("", "a", "is a", "rose rose", "unknown it"):
        total = sum(math.exp(logs(model, f"{before} {word}".strip())[-1]) for word in words)
        assert total == pytest.approx(1, abs=1e-5)


def test_perplexity_counts_the_spelling_of_unknown_words() -> None:
    model = fit(TOY)
    (log,) = logs(model, "zebra")
    assert model("zebra") == pytest.approx(math.exp(-log) * (model.letters + 1) ** 6, rel=1e-5)
    assert math.isnan(model("?!"))
    assert model("x" * 10_000) < math.inf


def test_discounts_are_chen_and_goodmans_and_fall_back() -> None:
    assert discounts(np.array([1, 2, 3])) == (0.5, 1.0, 1.5)
    first, second, third = discounts(np.repeat([1, 2, 3, 4, 9], [100, 30, 15, 9, 5]))
    share = 100 / 160
    assert (first, second, third) == pytest.approx((1 - 2 * share * 0.3, 2 - 3 * share * 0.5, 3 - 4 * share * 0.6))


def ordered(model: NGrams, text: str) -> None:
    """Good text surprises less than the same words in any order, and those less than noise."""
    chance = random.Random(1)
    words = text.split() if " " in text else list(text)
    chance.shuffle(words)
    mixed = (" " if " " in text else "").join(words)
    noise = "".join(chance.choices(sorted(set(text)), k=len(text)))
    assert 1.2 * model(text) < model(mixed)
    assert 1.05 * model(mixed) < model(noise)


def test_shakespeare_shuffled_and_noise(shared_data: Path) -> None:
    play = (shared_data / "text" / "tinyshakespeare" / "input.txt").read_text()
    ordered(fit([play[:400_000]]), play[500_000:520_000])


def test_made_up_prose_shuffled_and_noise() -> None:
    chance = random.Random(0)
    who, what, where = ["king", "fool", "queen"], ["loves", "hates"], ["sea", "wine"]
    made = [f"the {chance.choice(who)} {chance.choice(what)} the {chance.choice(where)}" for _ in range(600)]
    ordered(fit(made[:500]), " ".join(made[500:]))


def test_chinese_shuffled(shared_data: Path) -> None:
    text = (shared_data / "text" / "chinese-poetry" / "四书五经__mengzi.json").read_text()
    text = "".join(sign for sign in text if "\u4e00" <= sign <= "\u9fff")
    model, held = fit([text[:30_000]]), text[30_000:34_000]
    assert 1.2 * model(held) < model("".join(random.Random(0).sample(held, len(held))))


def test_training_from_files_knows_the_reference(tmp_path: Path) -> None:
    chance = random.Random(0)
    (tmp_path / "a.txt").write_text(" ".join(chance.choice(TOY) for _ in range(4_000)))
    model = train([str(tmp_path)])
    assert len(model.percentiles) == 101
    assert list(model.percentiles) == sorted(model.percentiles)
    assert model.percentiles[0] <= model(" ".join(TOY * 8)) * 1.2
    (tmp_path / "a.txt").write_text("short")
    with pytest.raises(UserError, match="1 pages are too few"):
        train([str(tmp_path)])
