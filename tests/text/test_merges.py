# ruff: noqa: RUF001 - Chinese punctuation is meant
"""Merges: the same as counting everything again after every merge, and the same as `tokenizers` learns."""

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, trainers
from tokenizers import pre_tokenizers as pre

from hornbook.text.alphabet import BYTE_IDS, BYTES, visible
from hornbook.text.merges import learn
from hornbook.text.pretokenize import GPT2

Ties = Callable[[tuple[int, int], list[bytes]], Any]  # the pair that comes first among equals has the least


def smaller_ids(pair: tuple[int, int], tokens: list[bytes]) -> tuple[int, int]:
    """As `tokenizers` and we do."""
    return pair


def greater_bytes(pair: tuple[int, int], tokens: list[bytes]) -> list[list[int]]:
    """As Stanford's CS336 does: the pair whose bytes come last in order, a longer token after its beginning."""
    return [[-byte for byte in tokens[i]] + [1] for i in pair]


def learn_plainly(counts: Mapping[bytes, int], merges: int, ties: Ties = smaller_ids) -> list[tuple[int, int]]:
    """The textbook's loop, which counts a word again when it has changed."""
    words = [[BYTE_IDS[byte] for byte in piece] for piece in counts]
    numbers = list(counts.values())
    tokens = [bytes([byte]) for byte in BYTES]
    pairs: Counter[tuple[int, int]] = Counter()
    for ids, number in zip(words, numbers, strict=True):
        for pair in itertools.pairwise(ids):
            pairs[pair] += number
    learned: list[tuple[int, int]] = []
    while len(learned) < merges and max(pairs.values(), default=0) >= 2:
        most = max(pairs.values())
        best = min((pair for pair in pairs if pairs[pair] == most), key=lambda pair: ties(pair, tokens))
        for place, ids in enumerate(words):
            if best in itertools.pairwise(ids):
                words[place] = join(ids, best, len(tokens))
                for sign, old in ((-1, ids), (1, words[place])):
                    for pair in itertools.pairwise(old):
                        pairs[pair] += sign * numbers[place]
        learned.append(best)
        tokens.append(tokens[best[0]] + tokens[best[1]])
    return learned


def join(ids: list[int], pair: tuple[int, int], token: int) -> list[int]:
    """The ids with every occurrence of the pair, from the left, replaced."""
    out, i = [], 0
    while i < len(ids):
        found = tuple(ids[i : i + 2]) == pair
        out.append(token if found else ids[i])
        i += 2 if found else 1
    return out


PIECES = st.dictionaries(
    st.text("ab", min_size=1, max_size=14).map(str.encode) | st.binary(max_size=6).filter(lambda b: 0xFF not in b),
    st.integers(1, 5),
    max_size=12,
)


@given(counts=PIECES, merges=st.integers(0, 40))
def test_equal_to_counting_again_after_every_merge(counts: dict[bytes, int], merges: int) -> None:
    assert learn(counts, merges) == learn_plainly(counts, merges)


def test_runs_of_one_letter_merge_from_the_left() -> None:
    counts = {b"a" * length: length for length in range(1, 40)}
    assert learn(counts, 30) == learn_plainly(counts, 30)


def test_random_words() -> None:
    generator = random.Random(0)
    words = ["".join(generator.choices("abcde", (8, 4, 2, 1, 1), k=generator.randint(1, 9))) for _ in range(3000)]
    counts = {word.encode(): number for word, number in Counter(words).items()}
    assert learn(counts, 200) == learn_plainly(counts, 200)


def test_counts_beyond_32_bits() -> None:
    assert learn({b"ab": 1 << 33, b"cd": (1 << 33) + 1}, 9) == [(BYTE_IDS[99], BYTE_IDS[100]), (64, 65)]


def test_stops_when_no_pair_occurs_twice() -> None:
    assert learn({b"abc": 1, b"abd": 1}, 9) == [(64, 65)]
    assert learn({}, 9) == []


def by_tokenizers(texts: list[str], vocab: int) -> list[tuple[int, int]]:
    """The merges that `tokenizers` learns with GPT-2's pattern."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre.ByteLevel(add_prefix_space=False)
    alphabet = pre.ByteLevel.alphabet()
    options = {"vocab_size": vocab, "min_frequency": 2, "show_progress": False, "initial_alphabet": alphabet}
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(**options))
    model = json.loads(tokenizer.to_str())["model"]
    return [(model["vocab"][left], model["vocab"][right]) for left, right in model["merges"]]


def by_us(texts: list[str], vocab: int) -> list[tuple[int, int]]:
    counts = Counter(piece.encode() for text in texts for piece in GPT2.pieces(text))
    return learn(counts, vocab - 256)


def test_equal_to_tokenizers_on_this_repository() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parents[2].glob("hornbook/*/*.py"))]
    texts += ["山不在高，有仙则名。水不在深，有龙则灵。👩‍👩‍👧\n" * 3]
    assert by_us(texts, 2000) == by_tokenizers(texts, 2000)


def test_equal_to_tokenizers_on_real_text(shared_data: Path) -> None:
    files = ["tinyshakespeare/input.txt", "minbpe/taylorswift.txt", "chinese-poetry/论语__lunyu.json"]
    texts = [(shared_data / "text" / file).read_text(encoding="utf-8") for file in files]
    assert by_us(texts, 5000) == by_tokenizers(texts, 5000)


def test_the_published_merges_of_a_course(shared_data: Path) -> None:
    """Stanford's CS336: 243 merges with its rule for ties, by the loop that ours is equal to with our rule."""
    folder = shared_data / "tokenizers" / "cs336_bpe_training"
    text = (shared_data / "text" / "cs336" / "corpus.en").read_text(encoding="utf-8")
    lines = (folder / "train-bpe-reference-merges.txt").read_text(encoding="utf-8").splitlines()
    counts = Counter(piece.encode() for piece in GPT2.pieces(text))
    learned = learn_plainly(counts, len(lines), greater_bytes)
    tokens = [bytes([byte]) for byte in BYTES]
    for left, right in learned:
        tokens.append(tokens[left] + tokens[right])
    assert [f"{visible(tokens[left])} {visible(tokens[right])}" for left, right in learned] == lines
    assert learn(counts, len(lines)) == learn_plainly(counts, len(lines))
