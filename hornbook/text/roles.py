"""Which special token does what: the id for padding, for what is masked, for the end of a text.

Hugging Face's tokenizer_config.json names them (`mask_token`, ...), either as text or with their flags; where a file
names none, the spellings that BERT, RoBERTa, GPT-2 and SentencePiece's models use are tried.
"""

from collections.abc import Mapping
from typing import Any

ROLES: dict[str, tuple[str, ...]] = {
    "pad": ("[PAD]", "<pad>", "<|pad|>"),
    "unk": ("[UNK]", "<unk>"),
    "bos": ("<s>", "<bos>", "<|begin_of_text|>"),
    "eos": ("</s>", "<eos>", "<|endoftext|>", "<|end_of_text|>", "<|im_end|>"),
    "cls": ("[CLS]",),
    "sep": ("[SEP]",),
    "mask": ("[MASK]", "<mask>"),
}


def roles_of(config: Mapping[str, Any], special: Mapping[str, int]) -> dict[str, int]:
    """The ids of the roles, those that there are.

    >>> roles_of({"mask_token": {"content": "<m>"}, "sep_token": "</s>"}, {"<m>": 5, "</s>": 2, "<pad>": 0})
    {'pad': 0, 'eos': 2, 'sep': 2, 'mask': 5}
    """
    found = {}
    for role, usual in ROLES.items():
        named = named_token(config, role)
        token = next((each for each in (named, *usual) if each in special), None)
        if token is not None:
            found[role] = special[token]
    return found


def named_token(config: Mapping[str, Any], role: str) -> str | None:
    """The token that a tokenizer_config.json names for a role."""
    token = config.get(f"{role}_token")
    return token["content"] if isinstance(token, dict) else token
