"""tokenizer.json and tokenizer_config.json: Hugging Face's way to write a tokenizer down.

A file that says no more than one of our tokenizers can mean is read as that, whoever wrote it; all others (tokens added
without being special, a pattern or a normaliser not known here) are handed to the `tokenizers` library as they are
(delegate.py). This file also writes and reads byte-level BPE's.
"""

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.errors import UserError
from hornbook.core.files import write_json
from hornbook.text import sentencepiece_json, template, wordpiece_tokenizer
from hornbook.text.alphabet import raw, visible
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.delegate import Delegate
from hornbook.text.pretokenize import GPT2, SplitName, named
from hornbook.text.roles import named_token, roles_of

if TYPE_CHECKING:
    from hornbook.text.tokenizer import Tokenizer

Json = dict[str, Any]


def write(tokenizer: ByteBPE, folder: Path) -> None:
    """Write both files of a tokenizer; other files in the folder stay."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {i: token for token, i in tokenizer.special.items()}
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{f"{role}_token": names[i] for role, i in tokenizer.roles.items()},
        "clean_up_tokenization_spaces": False,
        "model_max_length": 1 << 30,
    }
    for name, data in {"tokenizer.json": describe(tokenizer), "tokenizer_config.json": config}.items():
        write_json(folder / name, data)


def describe(tokenizer: ByteBPE) -> Json:
    """The content of tokenizer.json."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    cut = {"type": "Split", "pattern": {"Regex": tokenizer.split.pattern}, "behavior": "Isolated", "invert": False}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    ranked = sorted((i, token) for token, i in tokenizer.ranks.items())
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": {visible(token): i for i, token in ranked},
        "merges": [[visible(part) for part in pair] for pair in tokenizer.merges],
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": token, **flags} for token, i in tokenizer.special.items()],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [cut, byte_level]},
        "post_processor": template.describe(tokenizer.template),
        "decoder": byte_level,
        "model": model,
    }


def read(folder: Path) -> "Tokenizer":
    """Open the folder of a tokenizer.json."""
    return read_file(folder / "tokenizer.json")


def read_file(path: Path) -> "Tokenizer":
    """Open a tokenizer.json of any name, with the configuration that lies beside it."""
    data, config = _json(path), configuration_of(path.parent)
    kind = _kind(data)
    if kind is None:
        raise UserError(f"{path}: describes no tokenizer, it has no model; copy the file again from where it came")
    try:
        ours = _ours(kind, data, config)
    except UserError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError):
        # A file of another shape: the library, which knows every field, says what is wrong with it.
        ours = None
    return ours or Delegate(data, config, path)


def _ours(kind: str, data: Json, config: Json) -> "Tokenizer | None":
    """The tokenizer of our own that means what the file says, or None."""
    if kind == "BPE":
        return as_byte_bpe(data, config) or sentencepiece_json.ours(data, config)
    if kind == "Unigram":
        return sentencepiece_json.ours(data, config)
    return wordpiece_tokenizer.ours(data, config) if kind == "WordPiece" else None


def configuration_of(folder: Path) -> Json:
    """What tokenizer_config.json says, and beneath it special_tokens_map.json, which older folders have beside it."""
    names = ("special_tokens_map.json", "tokenizer_config.json")
    found = [_json(folder / name) for name in names if (folder / name).is_file()]
    return {key: value for data in found for key, value in data.items()}


def _kind(data: Json) -> str | None:
    """The algorithm; files older than 2020 do not say it."""
    model = data.get("model")
    if not isinstance(model, dict):
        return None
    guess = "BPE" if "merges" in model else "WordPiece" if "continuing_subword_prefix" in model else None
    kind: str | None = model.get("type", guess)
    return kind


def as_byte_bpe(data: Json, config: Json) -> ByteBPE | None:
    """The ByteBPE that means exactly what the file says, or None where there is none."""
    split, added, model = _split(data), data.get("added_tokens") or [], data["model"]
    odd = ("lstrip", "rstrip", "single_word", "normalized")
    if split is None or data.get("normalizer") or any(not a["special"] or any(a[flag] for flag in odd) for a in added):
        return None
    extras = ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback")
    if not added or any(model.get(name) for name in extras):
        return None
    special = {a["content"]: a["id"] for a in added}
    try:
        around = template.read(data.get("post_processor"))
        ranks = {raw(token): i for token, i in model["vocab"].items() if token not in special}
    except (KeyError, ValueError):
        return None
    if not _merges_follow_ids(model["merges"], model["vocab"], ranks):
        return None
    end = named_token(config, "eos")
    tokenizer = ByteBPE(ranks, split=split, special=special, end=end if end in special else None)
    tokenizer.template, tokenizer.roles = around, roles_of(config, special) | {"eos": tokenizer.end}
    return tokenizer


def _merges_follow_ids(merges: list[Any], vocab: dict[str, int], ranks: dict[bytes, int]) -> bool:
    """Whether every merge makes the next higher id and every token but the 256 bytes is made by one."""
    pairs = [merge if isinstance(merge, list) else merge.split(" ") for merge in merges]
    made = [vocab.get("".join(pair), -1) for pair in pairs]
    rising = all(left < right for left, right in itertools.pairwise(made))
    bytes_known = sum(len(token) == 1 for token in ranks) == 256
    return rising and bytes_known and len(made) == len(ranks) - 256 and -1 not in made


def _split(data: Json) -> SplitName | None:
    """Which of our splits a file's pre-tokenizer is."""
    step = data.get("pre_tokenizer") or {}
    steps = step.get("pretokenizers", [step])
    if steps[-1].get("type") != "ByteLevel" or steps[-1].get("add_prefix_space"):
        return None
    if len(steps) == 1:
        return GPT2.name if steps[0].get("use_regex", True) else None
    first = steps[0]
    plain_split = first.get("type") == "Split" and first.get("behavior") == "Isolated" and not first.get("invert")
    if len(steps) > 2 or not plain_split or steps[-1].get("use_regex", True):
        return None
    return named(first["pattern"].get("Regex", ""))


def _json(path: Path) -> Json:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); copy the file again from where it came") from None
    if not isinstance(data, dict):
        raise UserError(f"{path}: holds a {type(data).__name__}, not an object; copy the file again from where it came")
    return data
