"""Where a model wants special tokens around a text, or two: `[CLS] a [SEP] b [SEP]`, and which segment an id is in.

Tokenizers encode text alone, and whoever trains or asks a model wraps the ids. BERT tells its two sentences apart by
segments (Devlin et al., 2019, section 3), which Hugging Face calls token types; RoBERTa and most later models have only
segment 0. The rules are tokenizer.json's post-processors; what those do to offsets is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A place in a template: special tokens, or the text A or B."""

    name: str  # A, B, or the name of what stands there
    segment: int
    ids: tuple[int, ...] = ()  # none: a text goes here


@dataclass(frozen=True)
class Template:
    """How one text and how two are wrapped.

    >>> cls, sep = Part("[CLS]", 0, (101,)), Part("[SEP]", 0, (102,))
    >>> bert = Template((cls, Part("A", 0), sep), (cls, Part("A", 0), sep, Part("B", 1), Part("[SEP]", 1, (102,))))
    >>> bert.wrap([7, 8], [9])
    ([101, 7, 8, 102, 9, 102], [0, 0, 0, 0, 1, 1])
    """

    single: tuple[Part, ...] = (Part("A", 0),)
    pair: tuple[Part, ...] = (Part("A", 0), Part("B", 1))

    def wrap(self, ids: Sequence[int], pair: Sequence[int] | None = None) -> tuple[list[int], list[int]]:
        """The ids of a text or two with special tokens around them, and the segment of each id."""
        texts = {"A": ids, "B": () if pair is None else pair}
        wrapped: list[int] = []
        segments: list[int] = []
        for part in self.single if pair is None else self.pair:
            here = part.ids or texts[part.name]
            wrapped += here
            segments += [part.segment] * len(here)
        return wrapped, segments


PLAIN = Template()


def bert(cls: tuple[str, int], sep: tuple[str, int]) -> Template:
    """BERT's template, of the names and ids of its two tokens."""
    front, a, end = Part(cls[0], 0, (cls[1],)), Part("A", 0), Part(sep[0], 0, (sep[1],))
    return Template((front, a, end), (front, a, end, Part("B", 1), Part(sep[0], 1, (sep[1],))))


def roberta(cls: tuple[str, int], sep: tuple[str, int]) -> Template:
    """RoBERTa's template: two separators between the texts, and one segment."""
    front, a, end = Part(cls[0], 0, (cls[1],)), Part("A", 0), Part(sep[0], 0, (sep[1],))
    return Template((front, a, end), (front, a, end, end, Part("B", 0), end))


def read(processor: Json | None) -> Template:
    """The template of a tokenizer.json's `post_processor`; ValueError where it is of another kind."""
    if processor is None:
        return PLAIN
    kind = processor.get("type")
    if kind == "Sequence":
        found = [read(each) for each in processor["processors"] if each.get("type") != "ByteLevel"]
        if len(found) > 1:
            raise ValueError(f"post_processor: a sequence of {len(found)} templates; keep one of them")
        return found[0] if found else PLAIN
    if kind == "ByteLevel":  # trims the spaces off offsets
        return PLAIN
    if kind in ("BertProcessing", "RobertaProcessing"):
        return (bert if kind == "BertProcessing" else roberta)(tuple(processor["cls"]), tuple(processor["sep"]))
    if kind != "TemplateProcessing":
        raise ValueError(f"post_processor: {kind!r} is not a kind that is known; write it as a TemplateProcessing")
    ids = {name: tuple(token["ids"]) for name, token in processor["special_tokens"].items()}
    single, pair = (tuple(_part(piece, ids) for piece in processor[name]) for name in ("single", "pair"))
    return Template(single, pair)


def _part(piece: Json, ids: dict[str, tuple[int, ...]]) -> Part:
    (kind, place), *_ = piece.items()
    return Part(place["id"], place["type_id"], ids[place["id"]] if kind == "SpecialToken" else ())


def describe(template: Template) -> Json | None:
    """The `post_processor` of a tokenizer.json that says the same; none where nothing is put around a text."""
    if template == PLAIN:
        return None
    parts = (*template.single, *template.pair)
    return {
        "type": "TemplateProcessing",
        "single": [_piece(part) for part in template.single],
        "pair": [_piece(part) for part in template.pair],
        "special_tokens": {
            part.name: {"id": part.name, "ids": list(part.ids), "tokens": [part.name]} for part in parts if part.ids
        },
    }


def _piece(part: Part) -> Json:
    return {"SpecialToken" if part.ids else "Sequence": {"id": part.name, "type_id": part.segment}}
