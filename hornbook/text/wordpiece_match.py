"""The longest pieces of a word from left to right, in time that grows with the word and not with its square.

WordPiece takes the longest token that begins a word, then the longest `##` token that goes on, and so forth. Song et
al., 2021 (Fast WordPiece Tokenization, algorithm 1, LinMaxMatch) walk a trie of the vocabulary and never step back:
where a node has no edge for the next character, its *failure pops* are the tokens that are certain by then, and its
*failure link* is the node for what was read and not yet used. A word that begins with the prefix `##` itself goes the
plain way, as it might spell continuing tokens; their joint walk over whole texts is left out, since words are cached.
"""

from collections.abc import Iterator, Mapping, Sequence

WIDTH = 1 << 21  # more than any character's number: node * WIDTH + character is a key of its own
BEGIN, GO_ON = 0, 1  # the two roots: the beginning of a word, and the place after a token


class Matcher:
    """A vocabulary as a trie with failure links, built once in time linear in its characters."""

    def __init__(self, vocab: Mapping[str, int], *, prefix: str) -> None:
        self.vocab, self.prefix = vocab, prefix
        self.edges: dict[int, int] = {}
        self.links = [-1, -1]  # -1: none, the word cannot be spelled
        self.pops: list[tuple[int, ...]] = [(), ()]
        parents, tokens = self._grow()
        self._link(parents, tokens)

    def match(self, word: str) -> list[int] | None:
        """The tokens of a word; None where they cannot spell it.

        >>> vocab = {"a": 0, "abcdx": 1, "##b": 2, "##c": 3, "##cdy": 4, "##dz": 5}
        >>> Matcher(vocab, prefix="##").match("abcdz")  # the example of the paper's figure 1
        [0, 2, 3, 5]
        """
        if word.startswith(self.prefix):
            return match_plainly(word, self.vocab, prefix=self.prefix)
        edges, links, pops = self.edges, self.links, self.pops
        found: list[int] = []
        node = BEGIN
        for character in map(ord, word):
            while (further := edges.get(node * WIDTH + character, -1)) < 0:
                if links[node] < 0:
                    return None
                found += pops[node]
                node = links[node]
            node = further
        while node != GO_ON:  # as a character that no token holds would do
            if links[node] < 0:
                return None if node != BEGIN else found
            found += pops[node]
            node = links[node]
        return found

    def _grow(self) -> tuple[list[int], list[int]]:
        """The trie: of each node the edge that leads to it and its token, -1 where it is none."""
        into, tokens = [-1, -1], [-1, -1]
        for token, i in self.vocab.items():
            goes_on = token.startswith(self.prefix)
            node, spelled = (GO_ON, token[len(self.prefix) :]) if goes_on else (BEGIN, token)
            for character in map(ord, spelled):
                edge = node * WIDTH + character
                node = self.edges.setdefault(edge, len(into))
                if node == len(into):
                    into.append(edge)
                    tokens.append(-1)
                    self.links.append(-1)
                    self.pops.append(())
            if spelled:
                tokens[node] = i
        return into, tokens

    def _link(self, into: Sequence[int], tokens: Sequence[int]) -> None:
        """Failure links and pops, shallow nodes first: a node's come from its parent's."""
        edges, links, pops = self.edges, self.links, self.pops
        for node in self._by_depth(into):
            if tokens[node] >= 0:
                links[node], pops[node] = GO_ON, (tokens[node],)
                continue
            parent, character = divmod(into[node], WIDTH)
            certain: list[int] = list(pops[parent])
            place = links[parent]
            while place >= 0 and (further := edges.get(place * WIDTH + character, -1)) < 0:
                certain += pops[place]
                place = links[place]
            if place >= 0:
                links[node], pops[node] = further, tuple(certain)

    def _by_depth(self, into: Sequence[int]) -> Iterator[int]:
        """The nodes but the roots, in order of their distance from these."""
        depth = [0, 0]
        for edge in into[2:]:  # a parent is always older than its child
            depth.append(depth[edge // WIDTH] + 1)
        return iter(sorted(range(2, len(into)), key=depth.__getitem__))


def match_plainly(word: str, vocab: Mapping[str, int], *, prefix: str) -> list[int] | None:
    """The same by trying every end from the last one on: the definition, in the square of the word's length.

    >>> match_plainly("unable", {"un": 0, "##able": 1, "##a": 2}, prefix="##")
    [0, 1]
    """
    found, start = [], 0
    while start < len(word):
        before = prefix if start else ""
        spelled = (before + word[start:end] for end in range(len(word), start, -1))
        token = next((each for each in spelled if each in vocab), None)
        if token is None:
            return None
        found.append(vocab[token])
        start += len(token) - len(before)
    return found
