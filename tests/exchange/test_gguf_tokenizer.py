"""Tokenizers inside GGUF files: the ids of those they were made from, and a sentence for what is not known."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.exchange import gguf_tokenizer
from hornbook.exchange.gguf import GGUF, write
from hornbook.exchange.gguf_blocks import NAMED
from hornbook.text.bpe import BPE
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.chat import Renderer
from hornbook.text.files import describe
from hornbook.text.sentencepiece import Kind
from hornbook.text.tokenizer import Tokenizer

TEXT = "Hello world, it's 2026: the hat, the cat and 天地玄黄 sat on the mat.\n\n  def f(x): return x\n" * 4
ODD = "Hello  hello\tcat's 1234 <|im_end|> 天地 é 👩\u200d👩 \x00 [tool] end"


def small(split: str = "gpt2") -> ByteBPE:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    return BPE(vocab=320, split=split, special=special).train([TEXT], processes=1)


def file_with(folder: Path, metadata: dict[str, Any]) -> GGUF:
    path = folder / "x.gguf"
    write(path, metadata, {"w": (NAMED["F32"], torch.ones(2))})
    return GGUF(path)


def byte_level(tokenizer: ByteBPE, **change: Any) -> dict[str, Any]:
    """The metadata of a tokenizer, by hand."""
    model = describe(tokenizer)["model"]
    ids = {**model["vocab"], **tokenizer.special}
    tokens = sorted(ids, key=ids.__getitem__)
    metadata = {
        "model": "gpt2",
        "pre": "gpt-2",
        "tokens": tokens,
        "token_type": [3 if token in tokenizer.special else 1 for token in tokens],
        "merges": [" ".join(pair) for pair in model["merges"]],
        "eos_token_id": tokenizer.special["<|im_end|>"],
        "bos_token_id": tokenizer.special["<|im_start|>"],
    }
    return {f"tokenizer.ggml.{key}": value for key, value in (metadata | change).items() if value is not None}


def read(folder: Path, metadata: dict[str, Any]) -> Tokenizer:
    tokenizer = gguf_tokenizer.read(file_with(folder, metadata))
    assert tokenizer is not None
    return tokenizer


def test_byte_level_bpe_is_ours(tmp_path: Path) -> None:
    made = small()
    tokenizer = read(tmp_path, byte_level(made))
    assert isinstance(tokenizer, ByteBPE)
    assert tokenizer.encode(ODD) == made.encode(ODD)
    assert tokenizer.encode(ODD, special=True) == made.encode(ODD, special=True)
    assert tokenizer.special == made.special
    assert tokenizer.end == made.special["<|im_end|>"]
    assert tokenizer.roles["bos"] == made.special["<|im_start|>"]
    assert tokenizer.wrap([5])[0] == [5]


def test_numbers_are_cut_as_the_name_says(tmp_path: Path) -> None:
    tokenizer = read(tmp_path, byte_level(small(), pre="smollm"))
    digits = [tokenizer.encode(digit)[0] for digit in "2026"]
    assert tokenizer.encode("2026") == digits
    assert tokenizer.decode(tokenizer.encode(ODD)) == ODD


def test_a_token_of_the_users_own_is_found_in_any_text(tmp_path: Path) -> None:
    made = small()
    metadata = byte_level(made)
    metadata["tokenizer.ggml.tokens"] = [*metadata["tokenizer.ggml.tokens"], "[tool]", "[PAD321]", "[PAD322]"]
    metadata["tokenizer.ggml.token_type"] = [*metadata["tokenizer.ggml.token_type"], 4, 5, 5]
    tokenizer = read(tmp_path, metadata)
    assert tokenizer.vocab == made.vocab + 1  # what only fills the table up is no token
    assert made.vocab in tokenizer.encode("a [tool] b")
    assert "[tool]" not in tokenizer.special
    assert made.special["<|im_end|>"] not in tokenizer.encode(ODD)


@pytest.mark.parametrize(("pre", "said", "front"), [("gpt-2", None, 0), ("gpt-2", True, 1), ("llama-bpe", None, 1)])
def test_what_begins_a_text(pre: str, said: bool | None, front: int, tmp_path: Path) -> None:
    made = small()
    tokenizer = read(tmp_path, byte_level(made, pre=pre, add_bos_token=said))
    assert tokenizer.wrap([5])[0] == [made.special["<|im_start|>"]] * front + [5]
    tokenizer.save(tmp_path / "folder")
    from hornbook.text.tokenizer import load

    assert load(tmp_path / "folder").wrap([5])[0] == tokenizer.wrap([5])[0]


def test_transformers_reads_what_was_inside(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = read(tmp_path, byte_level(small(), pre="qwen2", add_bos_token=True))
    tokenizer.save(tmp_path / "folder")
    theirs = AutoTokenizer.from_pretrained(tmp_path / "folder")
    plain = ODD.replace("<|im_end|>", "")
    assert theirs(plain)["input_ids"] == tokenizer.wrap(tokenizer.encode(plain))[0]
    assert theirs.eos_token_id == tokenizer.end


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pre": "klingon"}, r"tokenizer.ggml.pre is 'klingon', so how a text is cut is not known; known are gpt-2"),
        ({"pre": None}, r"tokenizer.ggml.pre is 'default'"),
        ({"model": "rwkv"}, r"tokenizer.ggml.model is 'rwkv'; known are gpt2, llama"),
        ({"tokens": None}, "tokenizer.ggml.tokens is missing"),
        ({"merges": None}, "tokenizer.ggml.merges is missing"),
        ({"merges": ["a b c"]}, "tokenizer.ggml.merges has 'a b c', which is not a pair"),
        ({"token_type": [1]}, "tokenizer.ggml.token_type is not as long as tokenizer.ggml.tokens"),
        ({"eos_token_id": 1000}, "tokenizer.ggml.eos_token_id is 1000, and there are 318 tokens"),
        ({"tokens": ["a"] * 318}, "tokenizer.ggml.tokens names a token twice"),
    ],
)
def test_what_is_not_known_is_one_sentence(change: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"x.gguf: {sentence}"):
        read(tmp_path, byte_level(small(), **change))


def test_a_model_may_have_no_tokenizer(tmp_path: Path) -> None:
    assert gguf_tokenizer.read(file_with(tmp_path, {"a": 1})) is None


def test_the_chat_template_is_found_with_its_words(tmp_path: Path) -> None:
    made = small()
    template = "{{ bos_token }}{% for m in messages %}{{ m['role'] + ': ' + m['content'] + eos_token }}{% endfor %}"
    file = file_with(tmp_path, byte_level(made) | {"tokenizer.chat_template": template})
    tokenizer = gguf_tokenizer.read(file)
    assert tokenizer is not None
    renderer = gguf_tokenizer.renderer(file, tokenizer)
    assert isinstance(renderer, Renderer)
    ids = renderer.prompt([{"role": "user", "content": "hello"}])
    assert tokenizer.decode(ids) == "<|im_start|>user: hello<|im_end|>"
    assert ids[0] == made.special["<|im_start|>"]
    plain = file_with(tmp_path, byte_level(made))
    assert gguf_tokenizer.renderer(plain, tokenizer) is None


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """SentencePiece's own BPE, trained by its library."""
    import sentencepiece

    folder = tmp_path_factory.mktemp("pieces")
    (folder / "text.txt").write_text(TEXT * 5, encoding="utf-8")
    options = {
        "model_type": "bpe",
        "vocab_size": 340,
        "byte_fallback": True,
        "user_defined_symbols": ["[tool]", "\u2581\u2581"],
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "minloglevel": 2,
        "hard_vocab_limit": False,
    }
    sentencepiece.SentencePieceTrainer.train(input=str(folder / "text.txt"), model_prefix=str(folder / "m"), **options)
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "m.model"))


def sentencepiece_metadata(processor: Any, **change: Any) -> dict[str, Any]:
    """As llama.cpp's converter writes it: spaces of the user's own pieces spelled out."""
    kinds = []
    for i in range(len(processor)):
        asked = (
            (processor.is_unknown, Kind.UNKNOWN),
            (processor.is_control, Kind.CONTROL),
            (processor.is_byte, Kind.BYTE),
        )
        kinds.append(next((int(kind) for ask, kind in asked if ask(i)), int(Kind.NORMAL)))
    tokens = [processor.id_to_piece(i) for i in range(len(processor))]
    for own in ("[tool]", "\u2581\u2581"):
        kinds[tokens.index(own)] = int(Kind.USER_DEFINED)
    tokens[tokens.index("\u2581\u2581")] = "  "
    metadata = {
        "model": "llama",
        "pre": "default",
        "tokens": tokens,
        "scores": [processor.get_score(i) for i in range(len(processor))],
        "token_type": kinds,
        "bos_token_id": processor.bos_id(),
        "eos_token_id": processor.eos_id(),
        "unknown_token_id": processor.unk_id(),
    }
    return {f"tokenizer.ggml.{key}": value for key, value in (metadata | change).items()}


@pytest.mark.parametrize("text", [ODD, "the hat", " the  cat ", "", "[tool][tool]x", "天地玄黄é"])
def test_pieces_give_sentencepieces_ids(text: str, pieces: Any, tmp_path: Path) -> None:
    tokenizer = read(tmp_path, sentencepiece_metadata(pieces))
    assert tokenizer.encode(text) == pieces.encode(text)
    assert tokenizer.decode(tokenizer.encode(text)) == pieces.decode(pieces.encode(text))
    assert tokenizer.end == pieces.eos_id()
    assert tokenizer.wrap([9])[0] == [pieces.bos_id(), 9]


def test_pieces_without_a_space_in_front(pieces: Any, tmp_path: Path) -> None:
    metadata = sentencepiece_metadata(pieces, add_space_prefix=False, add_bos_token=False)
    tokenizer = read(tmp_path, metadata)
    assert tokenizer.encode(" the hat") == pieces.encode("the hat")
    assert tokenizer.wrap([9])[0] == [9]


def test_an_unknown_token_that_is_called_control(pieces: Any, tmp_path: Path) -> None:
    """As in the files of Gemma."""
    metadata = sentencepiece_metadata(pieces)
    kinds = [3 if kind == Kind.UNKNOWN else kind for kind in metadata["tokenizer.ggml.token_type"]]
    tokenizer = read(tmp_path, metadata | {"tokenizer.ggml.token_type": kinds})
    assert tokenizer.encode(ODD) == pieces.encode(ODD)
    without = {key: value for key, value in metadata.items() if "unknown" not in key}
    with pytest.raises(UserError, match=r"x.gguf: tokenizer.ggml.tokens: no piece is of the kind UNKNOWN"):
        read(tmp_path, without | {"tokenizer.ggml.token_type": kinds})
