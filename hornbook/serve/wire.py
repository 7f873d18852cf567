"""JSON as it goes over the wire: every language readable, and half a character never an error.

A model may write the escape of a lone surrogate into the arguments of a tool; UTF-8 has no bytes for it, so it becomes
a question mark.
"""

import json
from typing import Any

from fastapi import Response


def encoded(body: Any) -> bytes:
    r"""JSON without spaces, in UTF-8.

    >>> encoded({"a": "\u597d\ud800"}).decode()
    '{"a":"好?"}'
    """
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def event(body: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + encoded(body) + b"\n\n"


class Json(Response):
    """An answer of JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        return encoded(content)
