"""The tokenizer inside a GGUF file, and its chat template.

Two kinds: `gpt2` is byte-level BPE, whose cutting of a text is only named (`tokenizer.ggml.pre`), and `llama` is
SentencePiece's BPE by scores. A control token is special; one defined by a user (Gemma's runs of spaces) is found in
any text. The names of cuttings are those of llama.cpp, src/llama-vocab.cpp, their patterns as their makers published
them. Leaves out WordPiece, Unigram and RWKV's tokenizer, none of which the families here use.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.files import write_json
from hornbook.exchange.gguf import GGUF
from hornbook.exchange.gguf_cuts import CUTS, Cut
from hornbook.text import tokenizer as text
from hornbook.text.chat import Renderer
from hornbook.text.sentencepiece import Kind
from hornbook.text.sentencepiece_bpe import SentencePieceBPE
from hornbook.text.sentencepiece_rules import MARK, Rules
from hornbook.text.template import PLAIN, Part, Template, describe
from hornbook.text.tokenizer import Tokenizer

Metadata = Mapping[str, Any]

KEY = "tokenizer.ggml."
ROLES = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}  # ours -> theirs, in <role>_token_id


def read(file: GGUF) -> Tokenizer | None:
    """The tokenizer of a file; None where it has none."""
    kind = file.metadata.get(f"{KEY}model", "none")
    if kind in ("none", "no_vocab"):
        return None
    if kind not in READERS:
        raise UserError(f"{file.path}: {KEY}model is {kind!r}; known are {', '.join(READERS)}")
    tokens = file.metadata.get(f"{KEY}tokens")
    if not isinstance(tokens, list) or not tokens:
        raise UserError(f"{file.path}: {KEY}tokens is missing; copy or download it again")
    for name, size in (("token_type", len(tokens)), ("scores", len(tokens))):
        if len(file.metadata.get(KEY + name, tokens)) != size:
            raise UserError(f"{file.path}: {KEY}{name} is not as long as {KEY}tokens; copy or download it again")
    return READERS[kind](file, tokens)


def renderer(file: GGUF, tokenizer: Tokenizer) -> Renderer | None:
    """The chat template of a file, if it has one."""
    source = file.metadata.get("tokenizer.chat_template")
    tokens = {f"{role}_token": token for role, token in _roles(file).items()}
    return None if source is None else Renderer(tokenizer, source, tokens)


def _roles(file: GGUF) -> dict[str, str]:
    """The tokens that do something: bos, eos, unk, pad."""
    tokens, found = file.metadata[f"{KEY}tokens"], {}
    for role, theirs in ROLES.items():
        i = file.metadata.get(f"{KEY}{theirs}_token_id")
        if i is not None and not 0 <= i < len(tokens):
            raise UserError(f"{file.path}: {KEY}{theirs}_token_id is {i}, and there are {len(tokens)} tokens")
        if i is not None:
            found[role] = tokens[i]
    return found


def _template(file: GGUF, opens: bool) -> Template:
    """What stands before a text: the token that begins one, where the file (or its kind, `opens`) wants it."""
    bos = _roles(file).get("bos")
    if bos is None or not file.metadata.get(f"{KEY}add_bos_token", opens):
        return PLAIN
    ids = (file.metadata[f"{KEY}bos_token_id"],)
    first, second = (Part(bos, segment, ids) for segment in (0, 1))
    a, b = Part("A", 0), Part("B", 1)
    return Template((first, a), (first, a, second, b))


def _sentencepiece(file: GGUF, tokens: list[str]) -> Tokenizer:
    """SentencePiece's BPE. The converter spells the spaces in pieces of the user's own out; here they are marked."""
    kinds = list(file.metadata.get(f"{KEY}token_type", [int(Kind.NORMAL)] * len(tokens)))
    roles = _roles(file)
    if Kind.UNKNOWN not in kinds and "unk" in roles:  # Gemma's files call it a control token
        kinds[tokens.index(roles["unk"])] = int(Kind.UNKNOWN)
    own = int(Kind.USER_DEFINED)
    pieces = [piece.replace(" ", MARK) if kind == own else piece for piece, kind in zip(tokens, kinds, strict=True)]
    rules = Rules(
        dummy_prefix=file.metadata.get(f"{KEY}add_space_prefix", True),
        squeeze=file.metadata.get(f"{KEY}remove_extra_whitespaces", False),
    )
    scores = file.metadata.get(f"{KEY}scores", [0.0] * len(tokens))
    try:
        tokenizer = SentencePieceBPE.from_pieces(pieces, scores, kinds, rules=rules, end=roles.get("eos"))
    except ValueError as error:
        raise UserError(f"{file.path}: {KEY}tokens: {error}; copy or download it again") from None
    tokenizer.template = _template(file, opens=True)
    tokenizer.roles |= {role: tokens.index(token) for role, token in roles.items()}
    return tokenizer


def _byte_level(file: GGUF, tokens: list[str]) -> Tokenizer:
    """Byte-level BPE, as the tokenizer.json that says the same."""
    name = file.metadata.get(f"{KEY}pre", "default")
    if name not in CUTS:
        raise UserError(
            f"{file.path}: {KEY}pre is {name!r}, so how a text is cut is not known; known are {', '.join(CUTS)}"
        )
    merges = file.metadata.get(f"{KEY}merges")
    if not isinstance(merges, list):
        raise UserError(f"{file.path}: {KEY}merges is missing; copy or download it again")
    roles, cut = _roles(file), CUTS[name]
    data = {
        "version": "1.0",
        "added_tokens": _added(file, tokens),
        "normalizer": {"type": "NFC"} if cut.composed else None,
        "pre_tokenizer": cut.describe(),
        "post_processor": describe(_template(file, cut.opens)),
        "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
        "model": _bpe(file, tokens, merges, cut),
    }
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    with TemporaryDirectory() as folder:
        write_json(Path(folder) / "tokenizer.json", data)
        write_json(Path(folder) / "tokenizer_config.json", config | {f"{role}_token": t for role, t in roles.items()})
        return text.load(Path(folder))


def _added(file: GGUF, tokens: list[str]) -> list[dict[str, Any]]:
    """The tokens that are not made by merging."""
    kinds = file.metadata.get(f"{KEY}token_type")
    if kinds is None:  # files of 2023
        roles = set(_roles(file).values())
        kinds = [Kind.CONTROL if token in roles else Kind.NORMAL for token in tokens]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return [
        {"id": i, "content": token, **flags, "special": kind != Kind.USER_DEFINED}
        for i, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind in (Kind.UNKNOWN, Kind.CONTROL, Kind.USER_DEFINED)
    ]


def _bpe(file: GGUF, tokens: list[str], merges: list[str], cut: Cut) -> dict[str, Any]:
    """The model of a tokenizer.json. Tokens at the end that only fill the table up are left out."""
    kinds = file.metadata.get(f"{KEY}token_type", [])
    used = len(tokens)
    while used and len(kinds) == len(tokens) and kinds[used - 1] == Kind.UNUSED:
        used -= 1
    vocab = {token: i for i, token in enumerate(tokens[:used])}
    if len(vocab) != used:
        raise UserError(f"{file.path}: {KEY}tokens names a token twice; copy or download it again")
    pairs = [merge.split(" ") for merge in merges]
    for merge, pair in zip(merges, pairs, strict=True):
        if len(pair) != 2:
            raise UserError(f"{file.path}: {KEY}merges has {merge!r}, which is not a pair; copy or download it again")
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": cut.whole,
        "vocab": vocab,
        "merges": pairs,
    }


READERS = {"gpt2": _byte_level, "llama": _sentencepiece}
