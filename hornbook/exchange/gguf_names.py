"""The tensors of a GGUF file by the names, and with the numbers, that Hugging Face gives them.

llama.cpp's converter (convert_hf_to_gguf.py) changes two things, which are undone here: the rows of Llama's queries and
keys take turns, since its rope pairs neighbouring channels and Hugging Face's the halves of a head; and Gemma's norms
hold 1 + weight. Leaves out mixtures of experts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from hornbook.exchange.family import Fields

OUTSIDE = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
}
LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
GEMMA_LAYER = LAYER | {
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
TURNED = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}


@dataclass(frozen=True)
class Architecture:
    """A kind of model as GGUF has it."""

    name: str  # general.architecture
    families: tuple[str, ...]  # of which model_type; the first is what reading gives
    layer: Mapping[str, str]  # names inside a layer -> Hugging Face's
    turned: Mapping[str, str] = field(default_factory=dict)  # projections whose rows take turns -> how many heads
    added: float = 0.0  # to the weights of norms

    def from_file(self, name: str, tensor: Tensor, fields: Fields) -> Tensor:
        """A tensor as Hugging Face has it; `name` is theirs, `fields` the config.json."""
        if self.added and name.endswith("norm.weight"):
            return tensor - self.added
        if (heads := self._heads(name, fields)) is None:
            return tensor
        return tensor.view(heads, -1, 2, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape)

    def to_file(self, name: str, tensor: Tensor, fields: Fields) -> Tensor:
        """The way back: rows (a0 a1 ... b0 b1 ...) of each head become (a0 b0 a1 b1 ...)."""
        if self.added and name.endswith("norm.weight"):
            return tensor.float() + self.added
        if (heads := self._heads(name, fields)) is None:
            return tensor
        return tensor.view(heads, 2, -1, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape)

    def _heads(self, name: str, fields: Fields) -> int | None:
        key = self.turned.get(name.split(".")[-2])
        return None if key is None else int(fields[key])

    def theirs(self, name: str) -> str:
        """Hugging Face's name of a tensor; one that is not known stays as it is, and has no place in any model."""
        stem, _, kind = name.rpartition(".")
        inside = re.fullmatch(r"blk\.(\d+)\.(\w+)", stem)
        if inside and inside[2] in self.layer:
            return f"model.layers.{inside[1]}.{self.layer[inside[2]]}.{kind}"
        return f"{OUTSIDE[stem]}.{kind}" if stem in OUTSIDE else name

    def file_name(self, name: str) -> str:
        """The way back; a name that no file has stays as it is."""
        stem, _, kind = name.rpartition(".")
        inside = re.fullmatch(r"model\.layers\.(\d+)\.(.+)", stem)
        if inside:
            found = next((mine for mine, theirs in self.layer.items() if theirs == inside[2]), None)
            return f"blk.{inside[1]}.{found}.{kind}" if found else name
        found = next((mine for mine, theirs in OUTSIDE.items() if theirs == stem), None)
        return f"{found}.{kind}" if found else name


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture("llama", ("llama", "mistral"), LAYER, turned=TURNED),
        Architecture("qwen2", ("qwen2",), LAYER),
        Architecture("qwen3", ("qwen3",), LAYER),
        Architecture("gemma3", ("gemma3_text",), GEMMA_LAYER, added=1.0),
    )
}
