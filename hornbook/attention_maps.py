"""`hornbook show MODEL --attention TEXT`: where every head looks, one picture per layer, and a page of them all.

Decoders, encoders and encoder-decoders (whose decoders also look at the source), recurrent translators too. A model's
recipe has no weights yet and no tokenizer: its first numbers are drawn, and every letter is a token. The numbers behind
the pictures lie beside them.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

import hornbook
from hornbook.console import short
from hornbook.core import recipe as recipes
from hornbook.core import report
from hornbook.core.errors import UserError
from hornbook.core.heat import Heat, Side, grid
from hornbook.core.machine import memory
from hornbook.generate.language_model import LanguageModel
from hornbook.model.cost import cost
from hornbook.model.encoder import EncoderModel
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.model.models import AnyModel, Model
from hornbook.model.watch import Map, Watch
from hornbook.text.stream import pieces
from hornbook.text.tokenizer import Tokenizer

MOST_TOKENS = 256  # of a text: more are not told apart in a picture
MOST_WRITTEN = 24  # tokens that an encoder-decoder writes where no target is given
WIDER = "width:min(100vw - 2rem, 74rem);margin-left:calc(50% - min(50vw - 1rem, 37rem))"  # than the page's text
PARTS = "¹²³⁴"  # of a character's bytes, of which there are four at most
POINTED = 0.5  # of a head's weight: less on one kind of place is no habit worth a sentence


@dataclass
class Subject:
    """A model, what makes ids of text, and what to call it."""

    module: AnyModel
    language: "LanguageModel | None"  # None: a recipe's model; every letter is a token
    name: str

    def ids(self, text: str) -> list[int]:
        """The ids of a text, with the marks its model wants around it."""
        return self.language.ids(text) if self.language else self.words(text)

    def words(self, text: str) -> list[int]:
        """The ids of a text alone."""
        if self.language and self.language.tokenizer:
            return self.language.tokenizer.encode(text)
        return [ord(letter) % self.module.config.vocab for letter in text]

    def names(self, ids: list[int], text: str | None) -> list[str]:
        """What to write beside a row: the token of each id, spaces as dots."""
        if self.language and self.language.tokenizer:
            return _names(self.language.tokenizer, ids)
        return [letter.replace(" ", "·").replace("\n", "↵") for letter in text] if text else [str(i) for i in ids]

    @property
    def start(self) -> int:
        """What a decoder beside an encoder begins with."""
        return (self.language.start if self.language else None) or 0


@dataclass
class Passed:
    """One pass through a model: what attention did, and the names of the tokens that were read."""

    maps: list[Map]
    source: list[str]
    target: list[str]  # what a decoder read; of decoders and encoders the same as the source


def show_attention(subject: Subject, text: str, out: Path, *, target: str | None = None) -> Path:
    """Draw the maps of a model reading a text into a folder; the path of its page."""
    if not text:
        raise UserError("--attention: the text is empty; give a sentence")
    passed = read(subject, text, target)
    if not passed.maps:
        raise UserError(f"{subject.name}: has no attention to look at; its sublayers remember in another way")
    out.mkdir(parents=True, exist_ok=True)
    figures, numbers = [], {}
    for title, seen in zip(_titles(passed.maps), passed.maps, strict=True):
        weights = seen.weights[0].float()
        figures.append((title, _answer(seen), draw(seen, passed)))
        file = re.sub(r"[^a-z0-9]+", "-", title.lower())
        (out / f"{file}.svg").write_text(figures[-1][2], encoding="utf-8")
        numbers[file] = weights.contiguous()
    save_file(numbers, out / "weights.safetensors")
    (out / "index.html").write_text(_page(subject, passed, figures), encoding="utf-8")
    return out / "index.html"


def open_subject(name: str, overrides: Sequence[str] = ()) -> Subject:
    """The model of a run, a folder, a hub id or a .gguf file, or a model's recipe with weights drawn at random."""
    if not name.startswith("models/") and not name.endswith((".yaml", ".yml")):
        if overrides:
            raise UserError(f"{overrides[0]}: {name} is a model with weights, whose design is what it is; leave it out")
        language = hornbook.load(name)
        return Subject(language.module, language, "/".join(Path(name).parts[-2:]))
    config: Model = recipes.load(Model, name, overrides)  # type: ignore[arg-type]  # a union of classes is no class
    need = 4 * cost(config).parameters
    if need > memory().available / 2:
        raise UserError(f"{name}: {short(need)} bytes of weights do not fit this machine; take a smaller recipe")
    return Subject(config.build().eval(), None, name)


@torch.inference_mode()
def read(subject: Subject, text: str, target: str | None = None) -> Passed:
    """One pass over a text."""
    if isinstance(subject.module, EncoderModel) and not subject.module.config.vocab:
        raise UserError(f"{subject.name}: reads images, not text; no map of it can be drawn for a sentence")
    ids = subject.ids(text)
    if len(ids) > MOST_TOKENS:
        raise UserError(f"--attention: {len(ids)} tokens are more than a picture can show; give {MOST_TOKENS} or fewer")
    names = subject.names(ids, text)
    if not isinstance(subject.module, EncoderDecoderModel):
        if target is not None:
            raise UserError("--target: only encoder-decoders write a text of their own; leave it out")
        with Watch(subject.module) as watch:
            subject.module(torch.tensor([ids]), logits=False)
        return Passed(watch.maps, names, names)
    written = _write(subject.module, ids, subject.start) if target is None else subject.words(target)
    given = torch.tensor([[subject.start, *written]])
    with Watch(subject.module) as watch:
        subject.module(torch.tensor([ids]), decoder_input_ids=given, logits=False)
    return Passed(watch.maps, names, ["start", *subject.names(written, target)])


def _names(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    """Tokens as they are read: marks by their spelling, spaces as dots, parts of a character as in 字¹ 字² 字³."""
    special = {number: spelling for spelling, number in tokenizer.special.items()}
    names, data = list[str](), list(pieces(tokenizer, ids))
    for i, shown in zip(ids, _shown(data), strict=True):
        names.append(special.get(i) or shown.replace(" ", "·").replace("\n", "↵") or f"#{i}")
    return names


def _shown(data: list[bytes]) -> list[str]:
    r"""The text of each piece; of a character in several pieces each says which part it is.

    >>> _shown([b"a ", b"\xe4\xb8", b"\xad", b"!"])
    ['a ', '中¹', '中²', '!']
    """
    owner: list[int] = []  # of every byte its character, by number
    text = b"".join(data).decode("utf-8", "replace")
    for number, letter in enumerate(text):
        owner += [number] * (1 if letter == "\ufffd" else len(letter.encode()))
    names, start, part = list[str](), 0, Counter[int]()
    for piece in data:
        mine = dict.fromkeys(owner[start : start + len(piece)])
        start += len(piece)
        name = ""
        for number in mine:
            whole = text[number].encode() in piece
            part[number] += 1
            name += text[number] if whole else text[number] + PARTS[min(part[number], len(PARTS)) - 1]
        names.append(name)
    return names


def _write(module: EncoderDecoderModel, source: list[int], start: int) -> list[int]:
    """What the model says of a source by itself, the likeliest word each time; up to the first that comes again."""
    written, state = [start], module.new_state(1, MOST_WRITTEN + 1)
    ends = module.token_ids.get("eos_token_id")
    for step in range(MOST_WRITTEN):
        given = torch.tensor([source]) if step == 0 else None
        output = module(given, decoder_input_ids=torch.tensor([written[-1:]]), state=state)
        written.append(int(output.logits[0, -1].argmax()))
        if written[-1] in (ends if isinstance(ends, list) else [ends]):
            break
    return written[1:]


def _titles(maps: list[Map]) -> list[str]:
    """`Layer 3`, `Encoder layer 1`, `Decoder layer 1 on the source`; a layer that is applied again says so."""
    titles: list[str] = []
    for seen in maps:
        part = {"encoder": "Encoder layer", "decoder": "Decoder layer"}.get(seen.sublayer.split(".")[0], "Layer")
        number = re.findall(r"layers\.(\d+)", seen.sublayer)
        titles.append(f"{part} {int(number[0]) + 1}{'' if seen.itself else ' on the source'}")
    count, again = Counter(titles), Counter[str]()
    for place, title in enumerate(titles):
        again[title] += 1
        titles[place] = f"{title}, time {again[title]}" if count[title] > 1 else title
    return titles


def _answer(seen: Map) -> str:
    """What one sees in a picture, in a sentence: the heads with a habit, or that there is none."""
    best = {habit: (share.max().item(), int(share.argmax()) + 1) for habit, share in seen.habits().items()}
    heads = seen.weights.shape[1]
    said = [
        f"{_head(number, heads)} looks {habit} ({share:.0%})"
        for habit, (share, number) in best.items()
        if share > POINTED
    ]
    if said:
        return "; ".join(said)
    habit, (share, number) = max(best.items(), key=lambda item: item[1])
    return f"no head has a habit; the nearest to one: {_head(number, heads)} looks {habit} ({share:.0%})"


def _head(number: int, heads: int) -> str:
    return f"head {number}" if heads > 1 else "it"


def draw(seen: Map, passed: Passed) -> str:
    """One layer: a map for each head."""
    reads_source = not seen.itself or seen.sublayer.startswith("encoder")
    asks_source = seen.sublayer.startswith("encoder")
    down = Side("the token that looks", passed.source if asks_source else passed.target)
    across = Side("what it looks at", passed.source if reads_source else passed.target)
    heads = seen.weights[0].float().tolist()
    return grid([Heat(f"head {place + 1}", rows) for place, rows in enumerate(heads)], down, across)


def _page(subject: Subject, passed: Passed, figures: list[tuple[str, str, str]]) -> str:
    section = report.Section("Layer by layer")
    for title, answer, picture in figures:
        section.add(report.heading(f"{title}: {answer}"), f'<div class="scroll" style="{WIDER}">{picture}</div>')
    letters = (
        "" if subject.language else " The weights are random, so nothing has been learned; every letter is a token."
    )
    lead = (
        "Each row is a token that looks, each column one that it may look at; the stronger the colour, the more of its "
        f"weight (the colour is the root of the share; red is below 0). Where nothing is painted it is 0.{letters}"
    )
    heads = sum(seen.weights.shape[1] for seen in passed.maps)
    facts = [("tokens", len(passed.source)), ("pictures", len(figures)), ("heads", heads)]
    foot = "weights.safetensors beside this page has the numbers."
    return report.page(f"What {subject.name} looks at", lead, facts, [section], foot)
