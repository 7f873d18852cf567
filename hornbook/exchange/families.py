"""The families other programs know, by the `model_type` of their config.json; and ours, for all other designs."""

from typing import Any

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.exchange import (
    albert,
    bart,
    bert,
    bloom,
    decoder_heads,
    distilbert,
    encoder_heads,
    esm,
    falcon,
    gemma,
    gpt1,
    gpt2,
    gptj,
    llama,
    mamba,
    mistral,
    mixtral,
    neox,
    olmo,
    opt,
    phi,
    qwen,
    roberta,
    rwkv,
    t5,
    vit,
)
from hornbook.exchange.family import Family, Fields, need
from hornbook.exchange.quirks import Quirks
from hornbook.exchange.weights import Shapes, Weight, expand
from hornbook.model.models import Model

FAMILIES = {
    family.model_type: family
    for family in (
        gpt2.FAMILY,
        gpt1.FAMILY,
        opt.FAMILY,
        bloom.FAMILY,
        neox.FAMILY,
        gptj.FAMILY,
        falcon.FAMILY,
        llama.FAMILY,
        mistral.FAMILY,
        mixtral.FAMILY,
        qwen.QWEN2,
        qwen.QWEN3,
        olmo.OLMO,
        olmo.OLMO2,
        phi.FAMILY,
        gemma.FAMILY2,
        gemma.FAMILY3,
        bert.FAMILY,
        roberta.FAMILY,
        distilbert.FAMILY,
        albert.FAMILY,
        esm.FAMILY,
        vit.FAMILY,
        bart.BART,
        bart.MARIAN,
        t5.T5,
        mamba.FAMILY,
        rwkv.FAMILY,
    )
}
OURS = "hornbook"


def config_of(fields: Fields) -> Model:
    """The design that a config.json describes."""
    if fields.get("model_type") == OURS:
        config: Model = recipe.parse(Model, need(fields, "model"), "config.json: model")
        return config
    family = family_of(fields)
    return decoder_heads.read(family, fields) or family.config(fields)


def family_of(fields: Fields) -> Family:
    """The family of a config.json, by its `model_type` or, where that is missing, its architecture."""
    names = fields.get("architectures") or []
    for family in FAMILIES.values():
        if fields.get("model_type") == family.model_type or (
            "model_type" not in fields and family.architecture in names
        ):
            return family
    asked = fields.get("model_type") or ", ".join(names) or "nothing"
    raise UserError(f"config.json: model_type is {asked!r}; supported are {', '.join([*FAMILIES, OURS])}")


def quirks_of(fields: Fields) -> Quirks:
    """What the files of a config.json's family do besides; ours do nothing."""
    return Quirks() if fields.get("model_type") == OURS else family_of(fields).quirks


def fields_of(config: Model, wanted: str | None = None) -> dict[str, Any]:
    """The config.json of a design: of the family `wanted` or else the first that expresses it, else of our own."""
    for family in sorted(FAMILIES.values(), key=lambda family: family.model_type != wanted):
        fields = decoder_heads.write(family, config) if decoder_heads.has_rows(config) else family.fields(config)
        if fields is not None:
            return fields
    labels = encoder_heads.named(config.head)  # who looks for names need not know our recipes
    return {"model_type": OURS, "vocab_size": config.vocab, "model": recipe.dump(config), **labels}


def weights_of(fields: Fields, config: Model, shapes: Shapes, *, bare: bool = False) -> list[Weight]:
    """Where each of our tensors is in their file; `bare`: the file was saved without a head, and its names' prefix."""
    if fields.get("model_type") == OURS:
        return [Weight(name, (name,)) for name in shapes]
    family = family_of(fields)
    weights = expand((*family.table(config), decoder_heads.SCORE), shapes)
    return [Weight(w.theirs.removeprefix(family.prefix), w.ours, w.layout) if bare else w for w in weights]
