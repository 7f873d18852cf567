"""tokenizer.json of the SentencePiece kind: pieces with scores or merges, spaces as `▁`, bytes for what has no piece.

What is written, `tokenizers` and transformers open with equal ids. A file is read as ours where it says exactly what we
would have written for its pieces, so that nothing in it is overlooked; every other (T5's Metaspace, another template)
is left to the library. Not said by the format: which of equal ways to cut a word is taken, unused pieces, and, in a
charsmap, what becomes of characters that the library takes together as one.
"""

import base64
from pathlib import Path
from typing import Any

from hornbook.core.files import write_json
from hornbook.text import template
from hornbook.text.roles import named_token, roles_of
from hornbook.text.sentencepiece import BYTE_PIECES, Kind, SentencePiece
from hornbook.text.sentencepiece_bpe import SentencePieceBPE
from hornbook.text.sentencepiece_rules import MARK, Rules
from hornbook.text.unigram_tokenizer import UnigramTokenizer

Json = dict[str, Any]


def write(tokenizer: SentencePiece, folder: Path) -> None:
    """Write both files of a tokenizer; other files in the folder stay."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{f"{role}_token": tokenizer.pieces[i] for role, i in tokenizer.roles.items()},
        "clean_up_tokenization_spaces": False,
        "model_max_length": 1 << 30,
    }
    for name, data in {"tokenizer.json": describe(tokenizer), "tokenizer_config.json": config}.items():
        write_json(folder / name, data)


def ours(data: Json, config: Json) -> SentencePiece | None:
    """The tokenizer that means exactly what the file says, or None where there is none."""
    model = data["model"]
    unigram = model.get("type") == "Unigram"
    try:
        rules = _rules(data["normalizer"], data["pre_tokenizer"])
        around = template.read(data["post_processor"])
        if unigram:
            pieces, scores = [piece for piece, _ in model["vocab"]], [score for _, score in model["vocab"]]
        else:
            pieces = sorted(model["vocab"], key=model["vocab"].__getitem__)
            scores = []
        kinds = _kinds(data, pieces)
        scores = scores or _scores(kinds)
        algorithm: type[SentencePiece] = UnigramTokenizer if unigram else SentencePieceBPE
        found = algorithm.from_pieces(pieces, scores, kinds, rules=rules, end=named_token(config, "eos"))
    except (KeyError, TypeError, ValueError, IndexError):  # it speaks of something else
        return None
    found.template, found.roles = around, roles_of(config, found.special) | {"eos": found.end}
    said = {**data, "truncation": None, "padding": None}
    return found if describe(found) == said else None


def describe(tokenizer: SentencePiece) -> Json:
    """The content of tokenizer.json."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    unigram = isinstance(tokenizer, UnigramTokenizer)
    kinds = {Kind.CONTROL: True, Kind.UNKNOWN: True} | ({} if unigram else {Kind.USER_DEFINED: False})
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": i, "content": tokenizer.pieces[i], **flags, "special": kinds[kind]}
            for i, kind in enumerate(tokenizer.kinds)
            if kind in kinds
        ],
        "normalizer": _normalizer(tokenizer.rules),
        "pre_tokenizer": _pre_tokenizer(tokenizer.rules),
        "post_processor": template.describe(tokenizer.template),
        "decoder": _decoder(tokenizer.rules),
        "model": _unigram(tokenizer) if unigram else _bpe(tokenizer),
    }


def _unigram(tokenizer: SentencePiece) -> Json:
    # tokenizers knows no pieces of the user's own: like SentencePiece, give them a score that nothing beats
    own = tokenizer.counted if isinstance(tokenizer, UnigramTokenizer) else tokenizer.scores
    rows = zip(tokenizer.pieces, tokenizer.scores, own, tokenizer.kinds, strict=True)
    vocab = [[piece, counted if kind == Kind.USER_DEFINED else score] for piece, score, counted, kind in rows]
    return {"type": "Unigram", "unk_id": tokenizer.unknown, "vocab": vocab, "byte_fallback": bool(tokenizer.byte_ids)}


def _bpe(tokenizer: SentencePiece) -> Json:
    """Every pair whose union is a piece, best first; of those with the same union, the longer first half first."""
    known, scores = tokenizer.spellings, tokenizer.scores
    merges = []
    for union, i in known.items():
        if tokenizer.kinds[i] == Kind.NORMAL:
            halves = ((union[:cut], union[cut:]) for cut in range(len(union) - 1, 0, -1))
            merges += [(-scores[i], i, [a, b]) for a, b in halves if a in known and b in known]
    merges.sort(key=lambda merge: merge[:2])
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": tokenizer.pieces[tokenizer.unknown],
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": bool(tokenizer.byte_ids),
        "ignore_merges": False,
        "vocab": {piece: i for i, piece in enumerate(tokenizer.pieces)},
        "merges": [pair for _, _, pair in merges],
    }


def _normalizer(rules: Rules) -> Json | None:
    steps: list[Json] = []
    if rules.charsmap:
        steps.append({"type": "Precompiled", "precompiled_charsmap": base64.b64encode(rules.charsmap).decode()})
    if rules.squeeze:
        steps += [_replace({"Regex": " {2,}"}, " "), _replace({"Regex": r"\A +"}, "")]
    if rules.dummy_prefix:
        steps.append({"type": "Prepend", "prepend": rules.space})
    if rules.marked:
        steps.append(_replace({"String": " "}, MARK))
    if rules.squeeze:
        steps.append(_replace({"Regex": rf"{rules.space}+\z"}, ""))
    return {"type": "Sequence", "normalizers": steps} if steps else None


def _pre_tokenizer(rules: Rules) -> Json:
    """Words that no piece reaches across: only so that the library remembers them."""
    space = rules.space
    pattern = rf"{space}*[^{space}\n]+\n*|{space}+\n*|\n+"
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def _decoder(rules: Rules) -> Json:
    steps: list[Json] = [_replace({"String": MARK}, " ")] if rules.marked else []
    steps += [{"type": "ByteFallback"}, {"type": "Fuse"}]
    if rules.dummy_prefix or rules.squeeze:
        steps.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return {"type": "Sequence", "decoders": steps}


def _replace(pattern: Json, content: str) -> Json:
    return {"type": "Replace", "pattern": pattern, "content": content}


def _rules(normalizer: Json | None, pre_tokenizer: Json | None) -> Rules:
    """The rules that these steps may stand for; whether they do is seen by writing them down again."""
    if pre_tokenizer is None:
        raise ValueError("nothing cuts the text into words")
    steps = {} if normalizer is None else {step["type"]: step for step in normalizer["normalizers"]}
    squeeze = any("Regex" in step.get("pattern", {}) for step in (normalizer or {"normalizers": []})["normalizers"])
    charsmap = base64.b64decode(steps["Precompiled"]["precompiled_charsmap"]) if "Precompiled" in steps else b""
    marked = MARK in pre_tokenizer["pattern"]["Regex"]
    return Rules(charsmap=charsmap, dummy_prefix="Prepend" in steps, squeeze=squeeze, marked=marked)


def _kinds(data: Json, pieces: list[str]) -> list[Kind]:
    kinds = [Kind.NORMAL] * len(pieces)
    if data["model"]["byte_fallback"]:
        bytes_ = {*BYTE_PIECES}
        kinds = [Kind.BYTE if piece in bytes_ else Kind.NORMAL for piece in pieces]
    for token in data["added_tokens"]:
        kinds[token["id"]] = Kind.CONTROL if token["special"] else Kind.USER_DEFINED
    unknown = data["model"]["unk_id"] if "unk_id" in data["model"] else pieces.index(data["model"]["unk_token"])
    kinds[unknown] = Kind.UNKNOWN
    return kinds


def _scores(kinds: list[Kind]) -> list[float]:
    """The scores that SentencePiece gives BPE's pieces: minus their order, 0 for all that is not learned."""
    order = 0
    scores = []
    for kind in kinds:
        scores.append(-float(order) if kind == Kind.NORMAL else 0.0)
        order += kind == Kind.NORMAL
    return scores
