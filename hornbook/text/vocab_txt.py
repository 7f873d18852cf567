"""vocab.txt: BERT's way to write its vocabulary down, a token a line, the id is the line's number from 0.

The rules lie beside it in tokenizer_config.json (`do_lower_case`, `strip_accents`, `tokenize_chinese_chars`, the names
of special tokens); what is not said there is as in `BertTokenizer`: lower case, accents stripped, ideographs alone.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from hornbook.core.errors import UserError
from hornbook.core.files import write_json, write_text
from hornbook.text.normalize_bert import BertRules
from hornbook.text.residues import ResidueTokenizer, claims
from hornbook.text.roles import named_token
from hornbook.text.wordpiece_rules import BERT, configuration, describe
from hornbook.text.wordpiece_tokenizer import WordPieceTokenizer

if TYPE_CHECKING:
    from hornbook.text.tokenizer import Tokenizer


def read(folder: Path) -> "Tokenizer":
    """Open a folder with vocab.txt; that of ESM holds the letters of proteins."""
    from hornbook.text.files import configuration_of

    path = folder / "vocab.txt"
    return ResidueTokenizer(_lines(path)) if claims(configuration_of(folder)) else read_file(path)


def read_file(path: Path) -> WordPieceTokenizer:
    """Open a vocabulary of any name, with the configuration that lies beside it."""
    from hornbook.text.files import configuration_of

    vocab = {token: i for i, token in enumerate(_lines(path))}
    config = configuration_of(path.parent)
    roles = {role: named_token(config, role) or usual for role, usual in BERT.items()}
    if roles["unk"] not in vocab:
        raise UserError(
            f"{path}: holds no {roles['unk']}, the token for unknown words; add it, or name yours as unk_token in "
            "tokenizer_config.json"
        )
    lowercase, accents = config.get("do_lower_case", True), config.get("strip_accents")
    rules = BertRules(
        chinese=config.get("tokenize_chinese_chars", True),
        accents=lowercase if accents is None else accents,
        lowercase=lowercase,
    )
    data = describe(vocab, rules=rules, roles=roles)
    return WordPieceTokenizer(data, {**configuration(rules, roles), **config})


def write(tokenizer: "Tokenizer", folder: Path) -> None:
    """Write vocab.txt; the tokenizer can be written so (see `obstacle`)."""
    assert isinstance(tokenizer, WordPieceTokenizer)
    ordered = sorted(tokenizer.tokens_to_ids, key=tokenizer.tokens_to_ids.__getitem__)
    write_text(folder / "vocab.txt", "".join(f"{token}\n" for token in ordered))


def write_folder(tokenizer: "Tokenizer", folder: Path) -> None:
    """Write vocab.txt and, for the rules, tokenizer_config.json."""
    assert isinstance(tokenizer, WordPieceTokenizer)
    write(tokenizer, folder)
    write_json(folder / "tokenizer_config.json", tokenizer.configuration)


def obstacle(tokenizer: "Tokenizer") -> str | None:
    """Why vocab.txt cannot hold a tokenizer; None where it can."""
    if not isinstance(tokenizer, WordPieceTokenizer):
        return f"holds WordPiece tokenizers with BERT's rules, and this one is {tokenizer.kind}"
    if not tokenizer.as_bert:
        return "holds tokenizers with BERT's normaliser and pre-tokenizer, and this one has others"
    ids = tokenizer.tokens_to_ids
    if sorted(ids.values()) != list(range(tokenizer.vocab)):
        return "numbers its lines, and this tokenizer's ids leave gaps or have tokens beside the vocabulary"
    if any("\n" in token or "\r" in token for token in ids):
        return "has a token a line, and this tokenizer has a token with a line end in it"
    return None


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines: BERT's vocabulary holds U+2028
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); copy the file again") from None
    return lines[:-1] if lines[-1] == "" else lines
