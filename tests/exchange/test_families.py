"""Every family against transformers: the same logits both ways, with odd sizes and options."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.exchange import families, folder
from hornbook.model.decoder import Decoder

hf = pytest.importorskip("transformers")

SMALL = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 56,
    "max_position_embeddings": 64,
}
GPT2 = {
    "vocab_size": 61,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2", GPT2),
    "gpt2-untied-inner": ("GPT2", GPT2 | {"tie_word_embeddings": False, "n_inner": 40, "layer_norm_epsilon": 1e-3}),
    "gpt2-relu": ("GPT2", GPT2 | {"activation_function": "relu"}),
    "llama": ("Llama", SMALL),
    "llama-single-head-tied": ("Llama", SMALL | {"num_key_value_heads": 1, "tie_word_embeddings": True}),
    "llama-biases-wide-heads": ("Llama", SMALL | {"attention_bias": True, "mlp_bias": True, "head_dim": 24}),
    "llama-gelu-eps": ("Llama", SMALL | {"hidden_act": "gelu", "rms_norm_eps": 1e-3}),
    "llama3": ("Llama", SMALL | {"num_key_value_heads": 2, "rope_parameters": LLAMA3}),
    "llama-linear": (
        "Llama",
        SMALL | {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5e5}},
    ),
    "qwen2": ("Qwen2", SMALL | {"num_key_value_heads": 2, "tie_word_embeddings": True}),
    "qwen3": ("Qwen3", SMALL | {"num_key_value_heads": 2, "head_dim": 20}),
    "qwen3-bias": ("Qwen3", SMALL | {"num_key_value_heads": 4, "head_dim": 8, "attention_bias": True}),
}
CLOSE = {"rtol": 0, "atol": 1e-5}


def reference(case: str) -> Any:
    """A transformers model with every parameter off its first value."""
    name, arguments = CASES[case]
    torch.manual_seed(0)
    model = getattr(hf, f"{name}{'LMHeadModel' if name == 'GPT2' else 'ForCausalLM'}")(
        getattr(hf, f"{name}Config")(**arguments)
    ).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_logits_agree_both_ways(case: str, tmp_path: Path) -> None:
    theirs, ids = reference(case), torch.randint(0, 61, (2, 40))
    theirs.save_pretrained(tmp_path / "theirs")
    ours = folder.load(tmp_path / "theirs").eval()
    torch.testing.assert_close(ours(ids).logits, theirs(ids).logits, **CLOSE)
    folder.save(ours, tmp_path / "ours")
    again, info = type(theirs).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    torch.testing.assert_close(again.eval()(ids).logits, theirs(ids).logits, **CLOSE)


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_padded_decoding_agrees(case: str, tmp_path: Path) -> None:
    """Left padding and a cache, step by step beside transformers' own generation."""
    theirs = reference(case)
    theirs.save_pretrained(tmp_path)
    ours, ids = folder.load(tmp_path).eval(), torch.randint(3, 61, (2, 9))
    mask = torch.ones(2, 21, dtype=torch.long)
    mask[1, :4] = 0
    want = theirs.generate(
        ids, attention_mask=mask[:, :9], max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=None
    )
    state, new, found = ours.new_state(2, 21), ids, [ids]
    for end in range(9, 21):
        new = ours(new, attention_mask=mask[:, :end], state=state).logits[:, -1:].argmax(-1)
        found.append(new)
    assert torch.equal(torch.cat(found, 1), want)


def test_a_file_of_the_bare_model_and_old_buffers_are_read(tmp_path: Path) -> None:
    """openai-community/gpt2 on the hub has no `transformer.` before its names, and keeps its causal masks."""
    from safetensors.torch import load_file, save_file

    reference("gpt2").save_pretrained(tmp_path)
    tensors = {name.removeprefix("transformer."): t for name, t in load_file(tmp_path / "model.safetensors").items()}
    tensors["h.0.attn.bias"] = torch.ones(1, 1, 64, 64)
    save_file(tensors, tmp_path / "model.safetensors")
    assert (
        sum(p.numel() for p in folder.load(tmp_path).parameters()) == sum(t.numel() for t in tensors.values()) - 64**2
    )


def test_configs_of_old_are_read() -> None:
    """`rope_theta` and `rope_scaling`, as transformers wrote them before version 5; Llama 1 names neither."""
    old = {
        "model_type": "llama",
        "rope_theta": 5e5,
        "rope_scaling": {k: v for k, v in LLAMA3.items() if k != "rope_theta"},
    }
    position = families.config_of(SMALL | old).stack.position
    new = families.config_of(SMALL | {"model_type": "llama", "rope_parameters": LLAMA3 | {"rope_theta": 5e5}})
    assert position == new.stack.position
    bare = families.config_of(SMALL | {"architectures": ["LlamaForCausalLM"]})
    assert bare.stack.layer[0].kv_heads == 4


@pytest.mark.parametrize("name", [n for n in recipe.built_in_names() if n.startswith("models/")])
def test_every_recipe_is_its_config_json_again(name: str) -> None:
    # what the demo's recipe says in other sections
    lent = ["length=64", "embed.vocab=131"] if name.startswith("models/demo") else []
    config = recipe.load(Decoder, name, lent)
    fields = families.fields_of(config)
    public = name.split("/")[1] not in ("fast-tiny", "postnorm-tiny", "windowed-tiny")
    assert (fields["model_type"] != "hornbook") == public
    back = families.config_of(fields)
    assert families.fields_of(back) == fields


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "mamba9"}, "model_type is 'mamba9'; supported are gpt2, llama, qwen2, qwen3, hornbook"),
        ({"hidden_act": "swish9"}, "hidden_act is 'swish9'; known are"),
        ({"hidden_size": None}, "hidden_size is missing"),
        ({"num_attention_heads": 5, "head_dim": None}, "heads: 5 does not divide dim: 32"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "rope_type is 'yarn'"),
        ({"rope_parameters": {"partial_rotary_factor": 0.5}}, "partial_rotary_factor is 0.5"),
        ({"model_type": "qwen2", "use_sliding_window": True}, "use_sliding_window is True"),
    ],
)
def test_what_is_not_built_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        families.config_of(SMALL | {"model_type": "llama"} | change)
