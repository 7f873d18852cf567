"""Stop strings in text that arrives in pieces: what may be the beginning of one is held back until it is clear.

Tokens do not respect the borders of strings: "\\n\\nUser:" may come as "\\n", "\\nUs", "er:" or in one piece with what
precedes it, so the search runs over text and not over ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hornbook.core.errors import UserError


@dataclass
class StopStrings:
    """Feed pieces of text, get back what may be shown; `stopped` once a stop string has come.

    >>> stops = StopStrings(["END"])
    >>> [stops.feed(piece) for piece in ("a E", "x E", "N", "D b")], stops.stopped
    (['a ', 'Ex ', '', ''], True)
    """

    stops: Sequence[str] = ()
    stopped: bool = False
    held: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if "" in self.stops:
            raise UserError("stop: an empty text stops before the first token; leave it out")

    def feed(self, piece: str) -> str:
        """The text that is certainly not part of a stop string, after one more piece."""
        text = self.held + piece
        found = [(text.find(stop) + len(stop), text.find(stop)) for stop in self.stops if stop in text]
        if found or self.stopped:
            self.held, self.stopped = "", True
            return text[: min(found)[1]] if found else ""  # the first to be complete, however the text was cut
        kept = self._beginning(text)
        self.held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def flush(self) -> str:
        """What was held back, once nothing more will come."""
        text, self.held = self.held, ""
        return text

    def _beginning(self, text: str) -> int:
        """Length of the longest end of the text with which a stop string begins."""
        longest = min(len(text), max((len(stop) for stop in self.stops), default=1) - 1)
        return next((n for n in range(longest, 0, -1) if any(stop.startswith(text[-n:]) for stop in self.stops)), 0)
