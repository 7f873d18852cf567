"""Rotary positions, as config.json says them: rates and logits beside transformers."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.exchange import families, rope
from hornbook.model.position import Place
from hornbook.model.rope import Rope
from tests.exchange.parity import CLOSE, DECODER_CHECKS, SMALL, Case, Check, hf, padded_decoding_agrees, pair, some_ids

LINEAR = {"rope_type": "linear", "factor": 4.0, "rope_theta": 5e5}
DYNAMIC = {"rope_type": "dynamic", "factor": 3.0}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
YARN_SAID = YARN | {"beta_fast": 8.0, "beta_slow": 0.5, "attention_factor": 1.7}
DEEPSEEK = YARN | {"mscale": 1.0, "mscale_all_dim": 0.8}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
LONG = {
    "rope_type": "longrope",
    "short_factor": [1.0, 1.05, 1.2, 1.3],
    "long_factor": [1.1, 1.7, 4.0, 6.0],
    "original_max_position_embeddings": 32,
}
SCALINGS = {
    "linear": LINEAR,
    "dynamic": DYNAMIC,
    "yarn": YARN,
    "yarn-said": YARN_SAID,
    "yarn-deepseek": DEEPSEEK,
    "llama3": LLAMA3,
    "longrope": LONG,
    "longrope-said": LONG | {"factor": 4.0, "attention_factor": 1.3},
}
CASES = {name: Case("Llama", SMALL | {"rope_parameters": parameters}) for name, parameters in SCALINGS.items()}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_scaled_rope_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


@pytest.mark.parametrize("time", [5, 70, 400])
@pytest.mark.parametrize("name", SCALINGS)
def test_rates_are_transformers(name: str, time: int) -> None:
    """At real sizes: 128 channels, a base of 500,000, texts up to and beyond the training's length."""
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    parameters = {"rope_theta": 5e5, **SCALINGS[name]}
    for key in ("short_factor", "long_factor"):
        if key in parameters:
            parameters[key] = [1 + (i / 16 if key == "long_factor" else i / 64) for i in range(64)]
    fields = SMALL | {"hidden_size": 512, "rope_parameters": parameters}
    theirs, positions = LlamaRotaryEmbedding(hf.LlamaConfig(**fields)), torch.arange(time)[None]
    cos, sin = theirs(torch.zeros(()), positions)
    config: Any = families.config_of({"model_type": "llama", **fields})
    ours: Any = config.stack.position.build(Place(512, 4, 128, 64))
    rates = ours.scaling.stretch(ours.rates, torch.full((1, 1, 1, 1), float(time))).flatten()
    torch.testing.assert_close(rates, theirs.inv_freq, rtol=1e-6, atol=1e-7)
    assert ours.scaling.attention() == pytest.approx(theirs.attention_scaling, rel=1e-12)
    our_cos, our_sin = ours.prepare(positions, torch.zeros(()))
    near = slice(0, 5)  # beyond, float32 leaves less of an angle of hundreds of radians than 1e-6
    torch.testing.assert_close(our_cos[:, near, 0], cos[:, near], rtol=0, atol=1e-6)
    torch.testing.assert_close(our_sin[:, near, 0, 64:], sin[:, near, 64:], rtol=0, atol=1e-6)


@torch.no_grad()
def test_dynamic_decoding_past_the_training_length_is_transformers(tmp_path: Path) -> None:
    """What the cache holds keeps its turns, new tokens turn by the length reached: theirs does so too."""
    (theirs, ours), ids = pair(Case("Llama", SMALL | {"rope_parameters": DYNAMIC}), tmp_path), some_ids(1, 60)
    want = theirs.generate(
        ids, max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=None,
        output_logits=True, return_dict_in_generate=True,
    )  # fmt: skip
    state, new = ours.new_state(1, 72), ids
    for step, scores in enumerate(want.logits):
        torch.testing.assert_close(ours(new, state=state).logits[:, -1], scores, **CLOSE)
        new = want.sequences[:, 60 + step, None]


def test_what_is_written_is_read_again() -> None:
    for parameters in SCALINGS.values():
        fields = {"max_position_embeddings": 64, "rope_parameters": parameters}
        config: Any = families.config_of(SMALL | {"model_type": "llama"} | fields)
        written = {"max_position_embeddings": 64, **rope.write(config.stack.position)}
        assert recipe.parse(Rope, rope.read(written)) == config.stack.position


def test_a_rounded_yarn_is_the_only_one() -> None:
    with pytest.raises(UserError, match="truncate is False"):
        rope.read({"max_position_embeddings": 64, "rope_parameters": YARN | {"truncate": False}})


def test_the_check_that_decodes_sees_a_wrong_rope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hornbook.model.scaling.YarnScaling.attention", lambda _: 1.0)
    with pytest.raises(AssertionError):
        padded_decoding_agrees(CASES["yarn"], tmp_path)
