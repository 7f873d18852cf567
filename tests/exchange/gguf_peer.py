"""A GGUF file as transformers reads it: `from_pretrained(gguf_file=...)` without its wish for accelerate."""

from pathlib import Path
from typing import Any

import torch


def transformers_model(path: Path) -> Any:
    """The model of a file: config and tensors by transformers' own reader, dequantised by the `gguf` package."""
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    config = AutoConfig.from_pretrained(path.parent, gguf_file=path.name)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    tensors = load_gguf_checkpoint(str(path), return_tensors=True, model_to_load=model)["tensors"]
    found = model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=False)
    assert found.unexpected_keys == []
    assert set(found.missing_keys) <= {"lm_head.weight"}
    model.tie_weights()
    return model.eval()
