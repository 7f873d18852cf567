"""SentencePiece's `.model` files, read and written without its library: pieces, scores, kinds, and the normaliser.

The layout is that of its sentencepiece_model.proto: field 1 of the file is a piece (text, score, kind), field 2 how it
was trained (the algorithm, which pieces begin and end a text), field 3 the normaliser. Files of the types `word` and
`char`, and those that put spaces after words instead of before them, are refused. What training alone needs to know
(the input's name, seeds ...) is not kept.
"""

import struct
from collections.abc import Callable
from pathlib import Path

from hornbook.core.errors import UserError
from hornbook.core.files import new_file
from hornbook.text.protobuf import bytes_field, fields, float_field, number_field, signed
from hornbook.text.sentencepiece import Kind, SentencePiece
from hornbook.text.sentencepiece_bpe import SentencePieceBPE
from hornbook.text.sentencepiece_rules import Rules
from hornbook.text.unigram_tokenizer import UnigramTokenizer

ALGORITHMS: dict[int, type[SentencePiece]] = {1: UnigramTokenizer, 2: SentencePieceBPE}
OTHERS = {3: "word", 4: "char"}
UNK_ID, BOS_ID, EOS_ID, PAD_ID = 40, 41, 42, 43  # fields of the training part; the pieces' names follow 5 higher
NAMES = {45: "<unk>", 46: "<s>", 47: "</s>", 48: "<pad>"}  # field -> what it is where the file does not say


def read(path: Path) -> SentencePiece:
    """Open a .model file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; name a SentencePiece .model file") from None
    try:
        return parse(data)
    except (ValueError, UnicodeDecodeError, struct.error, TypeError) as error:
        raise UserError(
            f"{path}: no whole SentencePiece model ({error}); copy the file again from where it came"
        ) from None


def parse(data: bytes) -> SentencePiece:
    """The tokenizer in the bytes of a .model file; ValueError where they are none."""
    pieces, scores, kinds, training, rules = [], [], [], dict[int, int | bytes](), Rules()
    for number, value in fields(data):
        if isinstance(value, int):
            continue
        if number == 1:
            piece = dict(fields(value))
            pieces.append(_bytes(piece.get(1, b"")).decode())
            scores.append(struct.unpack("<f", _bytes(piece.get(2, bytes(4))))[0])
            kinds.append(piece.get(3, Kind.NORMAL))
        elif number == 2:
            training = dict(fields(value))
        elif number == 3:
            rules = _rules(dict(fields(value)))
    if not pieces:
        raise ValueError("it holds no piece")
    algorithm = training.get(3, 1)
    if algorithm not in ALGORITHMS:
        raise ValueError(f"its type is {OTHERS.get(int(algorithm), algorithm)}, and unigram and bpe are read")
    if training.get(24):
        raise ValueError("it puts spaces after words, which is not supported")
    end = _bytes(training.get(47, NAMES[47].encode())).decode()
    return ALGORITHMS[int(algorithm)].from_pieces(pieces, scores, [int(k) for k in kinds], rules=rules, end=end)


def write(tokenizer: SentencePiece, path: Path) -> None:
    """Write a .model file, which SentencePiece opens with the same pieces and ids."""
    with new_file(path) as file:
        file.write(serialize(tokenizer))


def serialize(tokenizer: SentencePiece) -> bytes:
    """The bytes of a .model file."""
    rows = zip(tokenizer.pieces, tokenizer.scores, tokenizer.kinds, strict=True)
    pieces = [
        bytes_field(1, bytes_field(1, piece.encode()) + float_field(2, score) + number_field(3, kind))
        for piece, score, kind in rows
    ]
    rules = tokenizer.rules
    normalizer = [
        bytes_field(1, rules.name.encode()),
        bytes_field(2, rules.charsmap),
        number_field(3, rules.dummy_prefix),
        number_field(4, rules.squeeze),
        number_field(5, rules.marked),
    ]
    return b"".join([*pieces, bytes_field(2, _training(tokenizer)), bytes_field(3, b"".join(normalizer))])


def _training(tokenizer: SentencePiece) -> bytes:
    """The training part: the algorithm, and which pieces are unknown, begin, end and fill up a text."""
    algorithm = next(number for number, kind in ALGORITHMS.items() if isinstance(tokenizer, kind))
    ids = {UNK_ID: tokenizer.unknown, EOS_ID: tokenizer.end}
    for field, name in ((BOS_ID, "<s>"), (PAD_ID, "<pad>")):
        ids[field] = tokenizer.special.get(name, -1)
    own = [piece for piece, kind in zip(tokenizer.pieces, tokenizer.kinds, strict=True) if kind == Kind.USER_DEFINED]
    return b"".join(
        [
            number_field(3, algorithm),
            number_field(4, tokenizer.vocab),
            *(bytes_field(31, piece.encode()) for piece in own),
            number_field(35, bool(tokenizer.byte_ids)),
            *(number_field(field, i) for field, i in sorted(ids.items())),
            *(bytes_field(field + 5, tokenizer.pieces[i].encode()) for field, i in sorted(ids.items()) if i >= 0),
        ]
    )


def _rules(spec: dict[int, int | bytes]) -> Rules:
    return Rules(
        name=_bytes(spec.get(1, b"identity")).decode(),
        charsmap=_bytes(spec.get(2, b"")),
        dummy_prefix=bool(spec.get(3, True)),
        squeeze=bool(spec.get(4, True)),
        marked=bool(spec.get(5, True)),
    )


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError(f"{signed(value)} stands where bytes should")
    return value


IN_FOLDERS: dict[str, Callable[[Path], SentencePiece]] = {  # how Llama's and T5's folders call the file
    "tokenizer.model": lambda folder: read(folder / "tokenizer.model"),
    "spiece.model": lambda folder: read(folder / "spiece.model"),
}
