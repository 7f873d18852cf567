"""Tokenizers as metadata: what is written is read back as the same tokenizer, and says what llama.cpp looks for."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.exchange import gguf_tokenizer
from hornbook.exchange.gguf import GGUF, write
from hornbook.exchange.gguf_blocks import NAMED
from hornbook.exchange.gguf_vocab import metadata_of
from hornbook.text.bpe import BPE
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.chat import Renderer
from hornbook.text.sentencepiece_bpe import SentencePieceBPE
from hornbook.text.sentencepiece_rules import Rules
from hornbook.text.tokenizer import Tokenizer

TEXT = "Hello world, it's 2026: the hat, the cat and 天地玄黄 sat on the mat.\n\n  def f(x): return x\n" * 4
ODD = "Hello  hello\tcat's 1234 <|im_end|> 天地 é 👩\u200d👩 \x00 end"


def small(split: str = "gpt2") -> ByteBPE:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    return BPE(vocab=320, split=split, special=special).train([TEXT], processes=1)


def again(metadata: dict[str, Any], folder: Path) -> Tokenizer:
    write(folder / "x.gguf", metadata, {"w": (NAMED["F32"], torch.ones(2))})
    tokenizer = gguf_tokenizer.read(GGUF(folder / "x.gguf"))
    assert tokenizer is not None
    return tokenizer


@pytest.mark.parametrize(("split", "name"), [("gpt2", "gpt-2"), ("cl100k", "llama-bpe"), ("han", "hornbook-han")])
def test_ours_come_back_as_they_were(split: str, name: str, tmp_path: Path) -> None:
    tokenizer = small(split)
    metadata = metadata_of(tokenizer, tokenizer.vocab, roles={}, chat=None)
    assert metadata["tokenizer.ggml.pre"] == name
    assert metadata["tokenizer.ggml.model"] == "gpt2"
    assert metadata["tokenizer.ggml.eos_token_id"] == tokenizer.end
    assert metadata["tokenizer.ggml.add_bos_token"] is False
    back = again(metadata, tmp_path)
    assert isinstance(back, ByteBPE)
    assert (back.fingerprint, back.special, back.end) == (tokenizer.fingerprint, tokenizer.special, tokenizer.end)
    assert back.encode(ODD, special=True) == tokenizer.encode(ODD, special=True)


def test_a_short_table_is_filled_up(tmp_path: Path) -> None:
    tokenizer = small()
    metadata = metadata_of(tokenizer, tokenizer.vocab + 2, roles={"bos": 3}, chat=None)
    assert metadata["tokenizer.ggml.tokens"][-2:] == [f"[PAD{tokenizer.vocab + i}]" for i in range(2)]
    assert metadata["tokenizer.ggml.token_type"][-3:-1] == [3, 5]
    assert metadata["tokenizer.ggml.bos_token_id"] == 3
    assert again(metadata, tmp_path).vocab == tokenizer.vocab
    with pytest.raises(UserError, match=r"tokenizer: has \d+ ids and the model 100"):
        metadata_of(tokenizer, 100, roles={}, chat=None)


def test_a_conversation_ends_in_a_token_of_its_own() -> None:
    tokenizer = small()
    metadata = metadata_of(tokenizer, tokenizer.vocab, roles={}, chat=Renderer(tokenizer))
    assert metadata["tokenizer.ggml.eot_token_id"] == tokenizer.special["<|im_end|>"]
    assert "<|im_start|>" in metadata["tokenizer.chat_template"]


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
PIECES = ["<unk>", "<s>", "</s>", *BYTES, "\u2581\u2581", "\u2581the", "\u2581", "t", "h", "e", "th", "he"]
KINDS = [2, 3, 3, *[6] * 256, 4, *[1] * 7]
SCORES = [0.0] * 260 + [-1.0, -2.0, -3.0, -4.0, -5.0, -0.1, -0.5]


def test_pieces_come_back_as_they_were(tmp_path: Path) -> None:
    rules = Rules(squeeze=False, dummy_prefix=False)
    tokenizer = SentencePieceBPE.from_pieces(PIECES, SCORES, KINDS, rules=rules)
    metadata = metadata_of(tokenizer, len(PIECES) + 1, roles={}, chat=None)
    assert metadata["tokenizer.ggml.model"] == "llama"
    assert metadata["tokenizer.ggml.tokens"][259] == "  "  # the user's own, as the converter spells it
    assert metadata["tokenizer.ggml.scores"][-2:] == [-0.5, -1000.0]
    assert metadata["tokenizer.ggml.add_space_prefix"] is False
    back = again(metadata, tmp_path)
    assert isinstance(back, SentencePieceBPE)
    assert back.pieces[: len(PIECES)] == tuple(PIECES)
    for text in ("the the", "  the", "hat", ODD):
        assert back.encode(text) == tokenizer.encode(text)


def test_what_gguf_has_no_word_for_is_refused(tmp_path: Path) -> None:
    from hornbook.text.tokenizer import load

    odd = SentencePieceBPE.from_pieces(PIECES, SCORES, KINDS, rules=Rules(marked=False))
    with pytest.raises(UserError, match="tokenizer: GGUF cannot say its normaliser"):
        metadata_of(odd, 300, roles={}, chat=None)
    small().save(tmp_path)
    path = tmp_path / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8").replace(r"\\p{N}+", r"\\p{N}{1,2}"), encoding="utf-8")
    with pytest.raises(UserError, match="tokenizer: GGUF has no name for the way it cuts"):
        metadata_of(load(tmp_path), 320, roles={}, chat=None)
