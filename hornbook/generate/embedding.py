"""Texts as vectors: near one another where the texts mean alike (Reimers and Gurevych 2019, Sentence-BERT).

One vector a text is taken from the vectors of its tokens: their mean, the first one's, or the last one's, which in a
decoder is the only one that has seen the whole text. A folder of the sentence-transformers library says which in
`modules.json`; where nothing is said a decoder takes the last and all others the mean. Texts longer than the model
reads are cut. Leaves out the library's further modules (dense, weighted and maximum pooling): such a folder is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.core.files import read_json, write_json
from hornbook.data.texts import padded, whole
from hornbook.model.decoder import DecoderModel
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.model.models import AnyModel
from hornbook.model.pool import Take, take
from hornbook.text.tokenizer import Tokenizer

TOGETHER = 32  # texts read side by side
WAYS: dict[str, Take] = {  # theirs -> ours
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "first",
    "pooling_mode_lasttoken": "last",
}
NAMES: dict[str, Take] = {"mean": "mean", "cls": "first", "lasttoken": "last"}  # since their version 5.4
LIBRARY = "sentence_transformers.models."


@dataclass(frozen=True)
class Sentences:
    """How a text becomes a vector."""

    pooling: Take
    normalize: bool = False  # to length 1, so that a product of two vectors is the cosine of their angle
    length: int | None = None  # tokens of a text that are read, marks included; None: all that the model can

    @classmethod
    def of(cls, module: AnyModel) -> "Sentences":
        """The way that fits a shape of model."""
        return cls("last" if isinstance(module, DecoderModel) else "mean")

    def but(self, pooling: str | None, normalize: bool | None) -> "Sentences":
        """The same, but for what is given."""
        if pooling is not None and pooling not in get_args(Take):
            raise UserError(f"pooling: {pooling!r} is not one of {', '.join(get_args(Take))}")
        way = self.pooling if pooling is None else cast(Take, pooling)
        return replace(self, pooling=way, normalize=self.normalize if normalize is None else normalize)


def read(folder: Path) -> Sentences | None:
    """What a folder of sentence-transformers says; None: it is none."""
    if not (folder / "modules.json").is_file():
        return None
    kinds = {
        str(module["type"]).rpartition(".")[2]: str(module["path"]) for module in read_json(folder / "modules.json")
    }
    unknown = sorted(kinds.keys() - {"Transformer", "Pooling", "Normalize"})
    if unknown:
        raise UserError(
            f"{folder / 'modules.json'}: module {unknown[0]} is not supported; only Pooling and Normalize are"
        )
    pooling = folder / kinds.get("Pooling", "1_Pooling") / "config.json"
    lengths = folder / "sentence_bert_config.json"
    length = read_json(lengths).get("max_seq_length") if lengths.is_file() else None
    return Sentences(_way(read_json(pooling), pooling), "Normalize" in kinds, length)


def _way(fields: dict[str, Any], path: Path) -> Take:
    """Which vector a folder takes."""
    if "pooling_mode" in fields:
        ways = [NAMES.get(fields["pooling_mode"])]
    else:
        ways = [WAYS.get(name) for name, on in fields.items() if name.startswith("pooling_mode_") and on]
    if len(ways) != 1 or ways[0] is None:
        raise UserError(f"{path}: this pooling is not supported; mean, first token or last token are, one of them")
    return ways[0]


def write(sentences: Sentences, dim: int, folder: Path) -> None:
    """Say it as sentence-transformers reads it."""
    kinds = {"Transformer": "", "Pooling": "1_Pooling"} | ({"Normalize": "2_Normalize"} if sentences.normalize else {})
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": LIBRARY + kind} for i, (kind, path) in enumerate(kinds.items())
    ]
    for path in filter(None, kinds.values()):
        (folder / path).mkdir(exist_ok=True)
    ways = {theirs: ours == sentences.pooling for theirs, ours in WAYS.items()}
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": dim, **ways})
    if sentences.length is not None:
        write_json(folder / "sentence_bert_config.json", {"max_seq_length": sentences.length, "do_lower_case": False})
    write_json(folder / "modules.json", modules)


@torch.no_grad()
def embed(module: AnyModel, tokenizer: Tokenizer, texts: list[str], sentences: Sentences) -> Float[Tensor, "texts dim"]:
    """One vector a text, in the order given; fp32."""
    vectors = torch.zeros(len(texts), module.config.dim)
    room = min(sentences.length or module.config.length, module.config.length)
    rows = [whole(tokenizer, text, room) for text in texts]
    for places in _groups(rows):
        ids, real = padded([rows[place] for place in places], tokenizer)
        taken = take(_hidden(module, ids, real), real, sentences.pooling).float()
        vectors[places] = F.normalize(taken) if sentences.normalize else taken
    return vectors


def _groups(rows: list[list[int]]) -> Iterator[list[int]]:
    """Texts of about the same length together, so that little padding is computed."""
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
    for first in range(0, len(order), TOGETHER):
        yield order[first : first + TOGETHER]


def _hidden(module: AnyModel, ids: Tensor, real: Tensor) -> Tensor:
    """The vectors of all tokens; of an encoder-decoder its encoder's."""
    mask = None if bool(real.all()) else real.long()
    if isinstance(module, EncoderDecoderModel):
        return module.encode(ids, mask)
    hidden: Tensor = module(ids, attention_mask=mask, logits=False).hidden
    return hidden
