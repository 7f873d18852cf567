"""Learn WordPiece's pieces from counted words: merges.py's loop on characters, with `##` before all but a word's first.

The same string can be joined from different halves (`##a` `##bc` and `##ab` `##c`); it is one token and counts once.
"""

from collections.abc import Callable, Mapping

import numpy as np

from hornbook.text import merges

PREFIX = "##"
SPARE = 50  # for one in so many merges: a string that is there already


def learn(words: Mapping[str, int], size: int, *, progress: Callable[[int], None] | None = None) -> list[str]:
    """At most `size` pieces: the characters of the words, sorted, and then what is joined from them, in order.

    >>> learn({"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}, 10)
    ['b', 'h', 'p', '##g', '##n', '##s', '##u', '##ug', '##un', 'hug']
    """
    symbols = sorted({word[0] for word in words}) + [
        PREFIX + each for each in sorted({c for w in words for c in w[1:]})
    ]
    number = {symbol: i for i, symbol in enumerate(symbols)}
    ids: list[int] = [merges.NONE]
    for word in words:
        ids.append(number[word[0]])
        ids += [number[PREFIX + character] for character in word[1:]]
        ids.append(merges.NONE)
    room = max(size - len(symbols), 0)
    most = room + room // SPARE + SPARE
    counts = np.fromiter(words.values(), np.int64, len(words))
    cells = merges.Cells(np.array(ids, np.int32), counts, symbols=len(symbols), merges=most)
    tokens = list(symbols)
    for left, right in merges.learn_on(cells, most, progress=progress):
        tokens.append(tokens[left] + tokens[right].removeprefix(PREFIX))
    return list(dict.fromkeys(tokens))[:size]
