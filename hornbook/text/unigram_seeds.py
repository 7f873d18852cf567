"""What learning a unigram model begins with: the words of a text, and all substrings worth being a piece, everywhere.

As in SentencePiece: pieces do not mix writing systems (Han, hiragana and katakana count as one; digits and signs are
one of their own, so `1984,` can be a piece and `word,` cannot), a space stands only in front, and the substrings that
cover most characters are taken. Repeated substrings are counted among distinct words, once each, however often those
occur. Of a text with more distinct words than fit, the most frequent ones are looked at.
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hornbook.text.graph import Floats, Graph, Ints
from hornbook.text.suffix import Repeats, repeats, room_left
from hornbook.text.unigram_learn import Model

MOST_CHARACTERS = 1 << 22  # of distinct words: about 1.5 GB while learning
MOST_SEEDS = 1 << 19  # substrings to begin with
HAN = {"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}
SIGNS, INHERITED = "signs", ""


class Words(NamedTuple):
    """Distinct words end to end, a wall after each."""

    text: NDArray[np.int32]  # characters as numbers from 1, in the order of `alphabet`; 0 is a wall
    alphabet: list[str]
    counts: Floats  # at each place: how often its word occurs


def alphabet_of(counts: Mapping[str, int], coverage: float) -> list[str]:
    """The most frequent characters, so many that they make up this share of the text.

    >>> alphabet_of({"aab": 2, "c": 1}, 0.8)
    ['a', 'b']
    """
    characters: Counter[str] = Counter()
    for word, number in counts.items():
        for character in word:
            characters[character] += number
    ranked = sorted(characters.items(), key=lambda item: (-item[1], item[0]))
    total = sum(characters.values())
    before = accumulate((number for _, number in ranked), initial=0)
    return [c for (c, _), seen in zip(ranked, before, strict=False) if seen < coverage * total]


def words_of(counts: Mapping[str, int], alphabet: list[str]) -> Words:
    """The words as an array; a character that is not in the alphabet is a wall."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    sizes = np.cumsum([len(word) + 1 for word, _ in ranked])
    ranked = ranked[: int(np.searchsorted(sizes, MOST_CHARACTERS)) or 1]
    codes = np.frombuffer("\0".join([*(word for word, _ in ranked), ""]).encode("utf-32-le"), "<u4")
    table = np.zeros(0x110000, np.int32)
    table[[ord(character) for character in alphabet]] = np.arange(1, len(alphabet) + 1)
    table[0] = 0
    repeated = np.repeat([float(number) for _, number in ranked], [len(word) + 1 for word, _ in ranked])
    return Words(table[codes], alphabet, repeated)


def seeds(words: Words, longest: int, space: str) -> Model:
    """The model to learn from: every character, and the substrings that cover most of the text."""
    text, alphabet = words.text, words.alphabet
    found = list(repeats(text, longest, extent(words, space)))
    sizes = [np.bincount(each.group) for each in found]
    covered = np.concatenate(
        [size * each.length for size, each in zip(sizes, found, strict=True)] or [np.zeros(0, np.int64)]
    )
    names = np.full(len(covered), -1)
    chosen = np.sort(np.argsort(-covered, kind="stable")[:MOST_SEEDS])
    names[chosen] = np.arange(len(alphabet), len(alphabet) + len(chosen))
    offsets = np.cumsum([0, *map(len, sizes)])
    edges = [_edges(each, names[begin:]) for each, begin in zip(found, offsets, strict=False)]
    at = np.flatnonzero(text)
    starts = np.concatenate([at, *(edge[0] for edge in edges)]).astype(np.int32)
    lengths = np.concatenate([np.ones_like(at), *(edge[1] for edge in edges)]).astype(np.int32)
    pieces = np.concatenate([text[at] - 1, *(edge[2] for edge in edges)]).astype(np.int32)
    single = np.arange(len(alphabet) + len(chosen)) < len(alphabet)
    spelled, example = _spelled(words, starts, lengths, pieces)
    weight = np.bincount(pieces[: len(at)], words.counts[at], len(single))
    weight[~single] = covered[chosen]
    first = at[np.append(True, np.diff(at) > 1)] if len(at) else at
    graph = Graph.of(starts, starts + lengths, pieces, first=first, last=first + room_left(text)[first])
    inside, owners = _inside(graph, example, np.array([len(piece) for piece in spelled]), single)
    scores = np.log(np.maximum(weight, 1)) - np.log(max(weight.sum(), 1))
    return Model(spelled, single, scores, graph, words.counts[first], inside, owners)


def extent(words: Words, space: str) -> Ints:
    """How long a piece that begins at a place may be."""
    scripts = [script_of(character) for character in words.alphabet]
    numbers = {script: i for i, script in enumerate(["wall", space, *dict.fromkeys(scripts)])}
    own = [numbers[space if c == space else s] for c, s in zip(words.alphabet, scripts, strict=True)]
    kinds = np.array([0, *own])[words.text]
    marks = kinds == numbers.get(INHERITED, -1)  # combining marks are of the letters they stand on
    kinds = kinds[np.maximum.accumulate(np.where(marks, 0, np.arange(len(kinds))))]
    ends = np.append(np.flatnonzero(np.diff(kinds)) + 1, len(kinds))  # of runs of one kind
    run = ends[np.searchsorted(ends, np.arange(len(kinds)), side="right")] - np.arange(len(kinds))
    behind = np.append(run[1:], 0)
    lone = (kinds == 1) & (run == 1)  # one space, and what it stands in front of
    return np.where(lone, 1 + np.where(np.append(kinds[1:], 0) > 1, behind, 0), run)


def script_of(character: str) -> str:
    """The writing system of a character, by its name in Unicode; empty for a mark that takes its letter's.

    >>> script_of("a"), script_of("ね"), script_of("龍"), script_of("7") == script_of("!") == SIGNS
    ('LATIN', 'CJK', 'CJK', True)
    """
    category, name = unicodedata.category(character)[0], unicodedata.name(character, "").split(" ")
    if category == "M" and name[0] in ("COMBINING", "VARIATION"):
        return INHERITED
    if category not in "LM":
        return SIGNS
    first = name[1] if name[0] in ("FULLWIDTH", "HALFWIDTH") and len(name) > 1 else name[0]
    return "CJK" if first in HAN else first


def _edges(each: Repeats, names: Ints) -> tuple[Ints, Ints, Ints]:
    """Where the chosen substrings of a length begin, their lengths, their numbers."""
    pieces = names[each.group]
    kept = pieces >= 0
    return each.places[kept], np.full(int(kept.sum()), each.length), pieces[kept]


def _spelled(words: Words, starts: Ints, lengths: Ints, pieces: Ints) -> tuple[list[str], Ints]:
    """Each piece as text, and a place where it stands."""
    _, example = np.unique(pieces, return_index=True)
    characters = "".join(["\0", *words.alphabet])
    whole = "".join(map(characters.__getitem__, words.text.tolist()))
    begins, sizes = starts[example], lengths[example]
    return [whole[b : b + n] for b, n in zip(begins.tolist(), sizes.tolist(), strict=True)], begins


def _inside(graph: Graph, example: Ints, lengths: Ints, single: NDArray[np.bool_]) -> tuple[Graph, Ints]:
    """The pieces as words of their own, without the edges that are they: how each may be cut into others."""
    owners = np.flatnonzero(~single)
    begin, size = example[owners], lengths[owners]
    first = np.cumsum(size + 1) - (size + 1)
    order = np.argsort(graph.starts, kind="stable")
    offsets = np.searchsorted(graph.starts[order], np.arange(graph.places + 1))
    found = []
    for step in range(int(size.max(initial=0))):
        words = np.flatnonzero(size > step)
        at = begin[words] + step
        number = offsets[at + 1] - offsets[at]
        word = np.repeat(words, number)
        edge = order[np.arange(len(word)) - np.repeat(np.cumsum(number) - number - offsets[at], number)]
        length = graph.ends[edge] - graph.starts[edge]
        kept = (length <= size[word] - step) & (length < size[word])
        start = first[word[kept]] + step
        found.append((start, start + length[kept], graph.pieces[edge[kept]]))
    columns = [np.concatenate(column).astype(np.int32) for column in zip(*found, strict=True)] or [np.zeros(0, int)] * 3
    return Graph.of(columns[0], columns[1], columns[2], first=first, last=first + size), owners
