"""From texts to ids that can be scored together: where a continuation begins, what is cut, what is shared.

The border between context and continuation is drawn as the reference harness draws it (lm_eval/api/model.py): spaces
at the end of the context go to the continuation, both are encoded as one text, and what lies beyond the length of the
encoded context is the continuation's. Contexts that begin alike (a few-shot header, a question before its four
answers) are put next to each other, so that their common beginning is computed once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

Encode = Callable[[str], list[int]]
SHARED = 32  # tokens: a common beginning shorter than this is not worth a pass of its own
SAVED = 64  # nor one that spares fewer tokens than this in all


@dataclass(frozen=True)
class Pair:
    """A context and a continuation, as ids; neither is empty."""

    context: tuple[int, ...]
    continuation: tuple[int, ...]
    truncated: bool = False


def encode(encode: Encode, context: str, continuation: str, *, begin: int) -> Pair:
    """The ids of a pair of texts; `begin` stands before a continuation that has no context.

    >>> bytes_of = lambda text: list(text.encode())
    >>> encode(bytes_of, "ab ", "c", begin=0)
    Pair(context=(97, 98), continuation=(32, 99), truncated=False)
    >>> encode(bytes_of, "", "c", begin=0)
    Pair(context=(0,), continuation=(99,), truncated=False)
    """
    if not context:
        ids = encode(continuation)
        return Pair((begin,), tuple(ids)) if ids[:1] != [begin] else Pair((begin,), tuple(ids[1:]))
    bare = context.rstrip()
    whole, head = encode(context + continuation), encode(bare)
    return Pair(tuple(head), tuple(whole[len(head) :]))


def fit(pair: Pair, length: int) -> Pair:
    """The pair with so much of its context that the model can read it: `length` inputs, the last token is only judged.

    >>> fit(Pair((1, 2, 3), (4, 5)), 3)
    Pair(context=(2, 3), continuation=(4, 5), truncated=True)
    """
    most = length + 1 - len(pair.continuation)
    if len(pair.context) <= most:
        return pair
    return Pair(pair.context[-most:], pair.continuation, truncated=True) if most > 0 else pair


@dataclass
class Branch:
    """A context and all that is asked to follow it: number of the pair -> continuation."""

    context: tuple[int, ...]
    continuations: dict[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def longest(self) -> int:
        """Tokens of the longest continuation that the model reads: the last one is only judged."""
        return max(len(each) for each in self.continuations.values()) - 1

    @property
    def each(self) -> Iterable[tuple[int, tuple[int, ...]]]:
        """Number and ids of each continuation."""
        return self.continuations.items()

    @property
    def states(self) -> int:
        """Rows of memory that reading it takes: its own, and one for each continuation that is read at all."""
        return 1 + sum(len(each) > 1 for each in self.continuations.values())


@dataclass
class Family:
    """Branches whose contexts share their first `header` tokens."""

    branches: list[Branch]
    header: int = 0


def branches(pairs: Sequence[Pair]) -> list[Branch]:
    """The pairs by context, contexts that begin alike side by side."""
    found: dict[tuple[int, ...], Branch] = {}
    for number, pair in enumerate(pairs):
        found.setdefault(pair.context, Branch(pair.context)).continuations[number] = pair.continuation
    return [found[context] for context in sorted(found)]


def families(some: Sequence[Branch], *, least: int = SHARED, saved: int = SAVED) -> list[Family]:
    """Branches in the order of `branches`, grouped where a common beginning is worth it; strangers are one family.

    A context keeps at least one token of its own. A family grows while the header it would be left with is at least
    half as long as before: two subjects share a line of instructions, not their examples.

    >>> kin = families([Branch((1, 1, 1, 2)), Branch((1, 1, 1, 3)), Branch((7,)), Branch((8, 9))], least=2, saved=3)
    >>> [(len(each.branches), each.header) for each in kin]
    [(2, 3), (2, 0)]
    """
    found: list[Family] = []
    for branch in some:
        family = found[-1] if found else Family([])
        common = shared(family.branches[0].context, branch.context, len(branch.context) - 1) if family.branches else 0
        before = family.header if len(family.branches) > 1 else common
        if common >= max(least, before // 2):
            family.branches.append(branch)
            family.header = min(before, common)
        else:
            found.append(Family([branch]))
    kin = [family for family in found if family.header * (len(family.branches) - 1) >= saved]
    strangers = [branch for family in found if not any(family is each for each in kin) for branch in family.branches]
    return [*kin, Family(strangers)] if strangers else kin


def shared(one: Sequence[int], other: Sequence[int], most: int) -> int:
    """How many ids two sequences begin alike with, at most `most` and one less than the first has."""
    most = min(most, len(one) - 1, len(other))
    return next((place for place in range(most) if one[place] != other[place]), most)


def windows(ids: Sequence[int], *, begin: int, length: int, context: int = 1) -> Iterator[Pair]:
    """A whole text as pairs that judge each of its tokens once, after at least `context` tokens but in the first.

    >>> [(pair.context, pair.continuation) for pair in windows([5, 6, 7, 8, 9], begin=0, length=3)]
    [((0,), (5, 6, 7)), ((6, 7), (8, 9))]
    """
    first = min(length, len(ids))
    if not first:
        return
    yield Pair((begin,), tuple(ids[:first]))
    done, step = first, length - context + 1
    while done < len(ids):
        end = min(done + step, len(ids))
        before = ids[max(0, end - length - 1) : done]
        yield Pair(tuple(before), tuple(ids[done:end]))
        done = end
