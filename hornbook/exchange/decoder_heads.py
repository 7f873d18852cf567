"""How config.json speaks of a decoder that classifies: `...ForSequenceClassification` of its family.

All families do it alike: one matrix without a bias, `score`, on the last token that is no padding, which transformers
finds by `pad_token_id`: it must stand in config.json, and no text may end with it. Labels have their names in
`id2label`. Another pooling, a bias, or a mask removed are no public class; such a folder says `model_type: hornbook`.
"""

from dataclasses import replace
from typing import Any

from hornbook.core import recipe
from hornbook.exchange import encoder_heads
from hornbook.exchange.family import Family, Fields, essence
from hornbook.exchange.weights import Weight
from hornbook.model.classifier import LAST, Regression, SequenceClassifier
from hornbook.model.decoder import Decoder
from hornbook.model.head import Language
from hornbook.model.models import Model
from hornbook.text.tokenizer import Tokenizer

KIND = "ForSequenceClassification"
PADS = ("[PAD]", "<pad>", "<|pad|>", "<|padding|>", "<|endoftext|>", "<unk>")  # the first that ends no text
NAMES = {  # the classes' names begin with
    "gpt2": "GPT2",
    "openai-gpt": "OpenAIGPT",
    "opt": "OPT",
    "bloom": "Bloom",
    "gpt_neox": "GPTNeoX",
    "gptj": "GPTJ",
    "falcon": "Falcon",
    "llama": "Llama",
    "mistral": "Mistral",
    "mixtral": "Mixtral",
    "qwen2": "Qwen2",
    "qwen3": "Qwen3",
    "olmo": "Olmo",
    "olmo2": "Olmo2",
    "phi3": "Phi3",
    "gemma2": "Gemma2",
    "gemma3_text": "Gemma3Text",
}
SCORE = Weight("score.weight", ("head.labels.weight",))
Row = SequenceClassifier | Regression


def read(family: Family, fields: Fields) -> Decoder | None:
    """The design of a classifying decoder's config.json; None: it is none."""
    if (
        family.shape is not Decoder
        or (fields.get("architectures") or [""])[0] != f"{NAMES.get(family.model_type)}{KIND}"
    ):
        return None
    body = family.config(fields)
    assert isinstance(body, Decoder)
    data = {**encoder_heads.rows(fields), "pooling": recipe.dump(LAST), "bias": False}
    head: Row = recipe.parse(Row, data, f"config.json of {family.model_type}")
    return replace(body, head=head)


def has_rows(config: Model) -> bool:
    """Whether a design is a decoder that scores whole rows."""
    return isinstance(config, Decoder) and isinstance(config.head, Row)


def write(family: Family, config: Model) -> dict[str, Any] | None:
    """The config.json of a classifying decoder, or None where the family has no such class."""
    if not isinstance(config, Decoder) or family.model_type not in NAMES:
        return None
    for tied in (True, False):  # of no meaning here, but some families know only one of them
        fields = _bodily(family, replace(config, head=Language(tied=tied)))
        if fields is not None:
            fields |= {"architectures": [f"{NAMES[family.model_type]}{KIND}"], **encoder_heads.named(config.head)}
            back = read(family, fields)
            return fields if back is not None and essence(back) == essence(config) else None
    return None


def pad(tokenizer: Tokenizer) -> int:
    """What fills rows up, so that transformers finds where they end: if possible, not what ends a text."""
    ids = [tokenizer.roles.get("pad", tokenizer.end)]
    ids += [tokenizer.special[name] for name in PADS if name in tokenizer.special]
    return next((id_ for id_ in ids if id_ != tokenizer.end), tokenizer.end)


def _bodily(family: Family, body: Decoder) -> dict[str, Any] | None:
    """The config.json of all but the head: what the family says of one that writes, whatever that head is."""
    written = family.write(body)
    if written is None:
        return None
    return {"model_type": family.model_type, **written}
