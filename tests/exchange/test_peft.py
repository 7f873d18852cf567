"""PEFT's folder, family by family: peft puts ours on transformers' model, and we put peft's on ours."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from hornbook.adapt.adapter import Adapter, adapted, attach, merge
from hornbook.adapt.dora import Dora
from hornbook.adapt.lora import Lora
from hornbook.core.errors import UserError
from hornbook.exchange import folder as exchange
from hornbook.exchange import peft
from hornbook.generate import adapters
from tests.exchange.parity import CLOSE, SMALL, Case, some_ids

hf = pytest.importorskip("transformers")
theirs = pytest.importorskip("peft")
FUSED = {key: SMALL[key] for key in ("vocab_size", "hidden_size")}
GPT2 = {"vocab_size": 61, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
CASES = {
    "llama": Case("Llama", SMALL | {"num_key_value_heads": 2, "tie_word_embeddings": True}),
    "gpt2": Case("GPT2", GPT2, "LMHeadModel"),  # query, key and value in one, transposed
    "phi3": Case("Phi3", SMALL | {"pad_token_id": 0}),  # in one; the MLP's halves too
    "gpt-neox": Case("GPTNeoX", SMALL),  # in one, head by head
    "falcon": Case("Falcon", FUSED | {"num_hidden_layers": 2, "num_attention_heads": 4}),
    "mixtral": Case("Mixtral", SMALL | {"num_key_value_heads": 2, "num_local_experts": 3}),
    "bert": Case("Bert", SMALL, "ForMaskedLM"),
    "t5": Case(
        "T5",
        {"vocab_size": 61, "d_model": 32, "d_ff": 56, "d_kv": 8, "num_layers": 2, "num_heads": 4},
        "ForConditionalGeneration",
    ),
}
ADAPTERS: dict[str, Adapter] = {
    "lora": Lora(rank=3, alpha=7.0),
    "rslora": Lora(rank=4, alpha=7.0, scaling="root"),
    "dora": Dora(rank=3),
    "whole": Lora(rank=3, full=("*norm", "*table")),
}
NOT_IN_PEFT = {
    ("mixtral", "dora"): "has no DoRA for experts that are one tensor",
    ("mixtral", "rslora"): "doubles the rank of an expert's adapter and not the root of it",
}
PAIRS = [(case, kind) for case in CASES for kind in ADAPTERS if (case, kind) not in NOT_IN_PEFT]
pytestmark = pytest.mark.filterwarnings(
    "ignore:.is_gradient_checkpointing.:FutureWarning",  # peft asks transformers of old
    "ignore:.*a tied layer is part of the adapter:UserWarning",  # both are written: PEFT unties them
    "ignore:fan_in_fan_out is set to False:UserWarning",
    "ignore:The following .*_pattern keys did not match:RuntimeWarning",  # experts: of its own conversion
)


def saved(case: Case, folder: Path) -> Any:
    """A model of transformers in a folder, and its class."""
    torch.manual_seed(0)
    kind = getattr(hf, f"{case.name}{case.model}")
    kind(getattr(hf, f"{case.name}Config")(**case.fields)).save_pretrained(folder)
    return kind


def said(model: nn.Module) -> torch.Tensor:
    ids = some_ids(2, 11)
    more = (
        {"decoder_input_ids": ids} if "decoder" in "".join(dict(model.named_children())) + type(model).__name__ else {}
    )
    with torch.no_grad():
        try:
            logits: torch.Tensor = model.eval()(input_ids=ids).logits
        except (TypeError, ValueError):
            logits = model.eval()(input_ids=ids, **(more or {"decoder_input_ids": ids})).logits
    return logits


def learn(model: nn.Module, *, but: str) -> None:
    draw = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and but not in name:
                parameter += 0.05 * torch.randn(parameter.shape, generator=draw)


@pytest.mark.parametrize(("case", "kind"), PAIRS)
def test_peft_puts_ours_on_transformers_model(case: str, kind: str, tmp_path: Path) -> None:
    cls = saved(CASES[case], tmp_path / "base")
    model = exchange.load(tmp_path / "base")
    attach(model, ADAPTERS[kind], torch.Generator().manual_seed(1))
    learn(model, but=".down")
    adapters.write(model, tmp_path / "adapter", base=tmp_path / "base")
    on_theirs = theirs.PeftModel.from_pretrained(cls.from_pretrained(tmp_path / "base"), tmp_path / "adapter")
    wanted = said(model)
    torch.testing.assert_close(said(on_theirs), wanted, **CLOSE)
    back = exchange.load(tmp_path / "base")
    adapters.put_on(back, tmp_path / "adapter")
    assert torch.equal(said(back), wanted), "and so do we"
    merge(back)
    exchange.save(back, tmp_path / "merged")
    torch.testing.assert_close(said(cls.from_pretrained(tmp_path / "merged")), wanted, rtol=0, atol=2e-5)


TARGETS = {
    "llama": ["q_proj", "v_proj", "down_proj"],
    "gpt2": ["c_attn", "c_proj"],
    "phi3": ["qkv_proj", "gate_up_proj"],
    "gpt-neox": ["query_key_value", "dense_4h_to_h"],
    "falcon": ["query_key_value"],
    "bert": ["query", "intermediate.dense"],
    "t5": ["q", "wo"],
}
OPTIONS: dict[str, dict[str, Any]] = {
    "lora": {"r": 4, "lora_alpha": 6},
    "rslora": {"r": 4, "use_rslora": True},
    "dora": {"r": 2, "use_dora": True},
    "own ranks": {"r": 4, "rank_pattern": {"__": 2}, "alpha_pattern": {"__": 9}},
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("case", TARGETS)
def test_we_put_pefts_on_ours(case: str, options: str, tmp_path: Path) -> None:
    cls, targets = saved(CASES[case], tmp_path / "base"), TARGETS[case]
    wanted = {
        key: {targets[0]: value["__"]} if isinstance(value, dict) else value for key, value in OPTIONS[options].items()
    }
    model = theirs.get_peft_model(
        cls.from_pretrained(tmp_path / "base"), theirs.LoraConfig(target_modules=targets, **wanted)
    )
    learn(model, but="lora_A")
    model.save_pretrained(tmp_path / "adapter")
    ours = exchange.load(tmp_path / "base")
    adapters.put_on(ours, tmp_path / "adapter")
    torch.testing.assert_close(said(ours), said(model), **CLOSE)


def test_a_head_that_peft_trained_whole_is_ours_too(tmp_path: Path) -> None:
    cls = saved(replace(CASES["llama"], fields=SMALL), tmp_path / "base")
    config = theirs.LoraConfig(target_modules=["q_proj"], modules_to_save=["lm_head"])
    model = theirs.get_peft_model(cls.from_pretrained(tmp_path / "base"), config)
    learn(model, but="lora_A")
    model.save_pretrained(tmp_path / "adapter")
    ours = exchange.load(tmp_path / "base")
    adapters.put_on(ours, tmp_path / "adapter")
    torch.testing.assert_close(said(ours), said(model), **CLOSE)
    assert {name for name, p in ours.named_parameters() if p.requires_grad and ".adapter." not in name} == {
        "head.weight"
    }


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    """A folder with a base and an adapter of it."""
    saved(CASES["llama"], tmp_path / "base")
    model = exchange.load(tmp_path / "base")
    attach(model, Lora(rank=3, targets=("query", "output")), torch.Generator().manual_seed(1))
    adapters.write(model, tmp_path / "adapter", base=tmp_path / "base")
    return tmp_path


def test_what_is_written(llama: Path) -> None:
    said_of_it = json.loads((llama / "adapter" / peft.CONFIG).read_text())
    assert said_of_it == {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(llama / "base"),
        "r": 3,
        "lora_alpha": 32.0,
        "lora_dropout": 0.0,
        "target_modules": ["down_proj", "o_proj", "q_proj"],
        "modules_to_save": None,
        "rank_pattern": {},
        "alpha_pattern": {},
        "use_rslora": False,
        "use_dora": False,
        "fan_in_fan_out": False,
        "bias": "none",
        "init_lora_weights": True,
        "inference_mode": True,
        "revision": None,
    }
    assert peft.base_of(llama / "adapter") == str(llama / "base")
    assert peft.is_adapter(llama / "adapter")
    assert not peft.is_adapter(llama / "base")


def changed(folder: Path, **fields: Any) -> None:
    path = folder / peft.CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"peft_type": "IA3"}, "peft_type is 'IA3'; only LORA (with rsLoRA and DoRA) is supported"),
        ({"bias": "all"}, "bias is 'all', which is not supported; merge the adapter with peft and load the merged"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights is 'pissa', which is not supported; merge"),
    ],
)
def test_what_would_change_the_answers_is_refused(llama: Path, fields: dict[str, Any], sentence: str) -> None:
    changed(llama / "adapter", **fields)
    with pytest.raises(UserError) as refused:
        adapters.put_on(exchange.load(llama / "base"), llama / "adapter")
    assert str(refused.value).startswith(f"{llama / 'adapter' / peft.CONFIG}: {sentence}")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"hidden_size": 40, "num_attention_heads": 5},
            "mlp.down_proj.lora_B.weight is (32, 3), and the base model has 56 inputs and 40 outputs there",
        ),
        (
            {"intermediate_size": 48},
            "mlp.down_proj.lora_A.weight is (3, 56), and the base model has 48 inputs and 32 outputs there",
        ),
        ({"num_hidden_layers": 1}, "is (3, 56), and the base model has no matrix model.layers.1.mlp.down_proj"),
    ],
)
def test_the_adapter_of_another_base_is_refused_by_name_and_shape(
    llama: Path, fields: dict[str, Any], sentence: str
) -> None:
    saved(Case("Llama", CASES["llama"].fields | {"num_key_value_heads": None} | fields), llama / "other")
    model = exchange.load(llama / "other")
    with pytest.raises(UserError) as refused:
        adapters.put_on(model, llama / "adapter")
    assert sentence in str(refused.value)
    assert str(refused.value).endswith("; it is the adapter of another model, name its own with base")
    assert not adapted(model)


def test_a_tensor_that_no_model_has_is_refused(llama: Path) -> None:
    path = llama / "adapter" / peft.TENSORS
    save_file({**load_file(path), "base_model.model.model.odd.weight": torch.zeros(2)}, path)
    with pytest.raises(UserError, match=r"tensor base_model\.model\.model\.odd\.weight is \(2,\), and the base model"):
        adapters.put_on(exchange.load(llama / "base"), llama / "adapter")


def test_a_part_of_a_matrix_is_no_adapter_to_others(tmp_path: Path) -> None:
    saved(CASES["gpt2"], tmp_path / "base")
    model = exchange.load(tmp_path / "base")
    attach(model, Lora(targets=("query",)), torch.Generator())
    with pytest.raises(UserError, match=r"query and stack\.layers\.0\.0\.op\.key are one matrix in the family's fil"):
        adapters.write(model, tmp_path / "adapter", base="gpt2")
