"""A WordPiece tokenizer: what `WordPiece.train` makes, and what BERT's and its many children's are.

Wu et al., 2016 (section 4.1); Devlin et al., 2019. The text is normalised, cut into words, and each word into the
longest tokens from left to right (wordpiece_match.py), `##` before all but its first; a word that cannot be spelled is
one [UNK]. Case, accents and spaces are lost in most of these tokenizers, so they do not give every text back. Texts
repeat their words: the ids of a word are remembered, and a text is a look-up for each of its words.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from hornbook.core.files import write_json
from hornbook.text import template
from hornbook.text.normalize_bert import BertRules
from hornbook.text.plain import whole
from hornbook.text.roles import roles_of
from hornbook.text.wordpiece_match import Matcher
from hornbook.text.wordpiece_rules import configuration, cutter

Json = dict[str, Any]
MAX_WORDS = 1 << 17  # remembered, some 30 MB; then all are forgotten
MAX_LETTERS = 48  # of a word that is remembered; longer ones hardly come again
_ODD = re.compile(r"[\v\f\x1c-\x1f\x85]")  # spaces for Python's split, control characters or spaces for a normaliser

CLEAN_UP = {
    " .": ".", " ?": "?", " !": "!", " ,": ",", " ' ": "'", " n't": "n't", " 'm": "'m", " do not": " don't",
    " 's": "'s", " 've": "'ve", " 're": "'re",
}  # fmt: skip


class WordPieceTokenizer:
    """A tokenizer.json whose model is WordPiece, with every rule that is in it; `ours` says whether it can be one."""

    def __init__(self, data: Json, config: Json) -> None:
        self._data = {**data, "truncation": None, "padding": None}
        self._config = config
        model = data["model"]
        self.tokens_to_ids: dict[str, int] = model["vocab"]
        self.special = {token["content"]: token["id"] for token in data["added_tokens"]}
        self.unknown = self.tokens_to_ids[model["unk_token"]]
        self.longest_word = int(model["max_input_chars_per_word"])
        self.vocab = max(*self.tokens_to_ids.values(), *self.special.values()) + 1
        self.template = template.read(data.get("post_processor"))
        self.roles = roles_of(config, self.special)
        self.end = self.roles.get("eos", self.roles.get("sep", self.unknown))
        self.kind, self.lossless = "WordPiece", False

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a text; only with `special` does the spelling of a special token become its id."""
        text = whole(text)
        if not special:
            return self._encode(text)
        ids: list[int] = []
        for number, part in enumerate(self._special_pattern.split(text)):
            ids += [self.special[part]] if number % 2 else self._encode(part)
        return ids

    def encode_batch(self, texts: list[str], *, special: bool = False) -> list[list[int]]:
        """The ids of many texts, in one thread: Python runs no two."""
        return [self.encode(text, special=special) for text in texts]

    def wrap(self, ids: Sequence[int], pair: Sequence[int] | None = None) -> tuple[list[int], list[int]]:
        """The ids of one text or two with special tokens around them, and the segment of each id."""
        return self.template.wrap(ids, pair)

    def decode(self, ids: Sequence[int]) -> str:
        """Words with a space before each but the first, and none before a full stop: not the text, one of its kind."""
        cleanup = (self._data.get("decoder") or {}).get("cleanup", False)
        words: list[str] = []
        for number, i in enumerate(ids):
            token = self._token(i)
            if number:
                token = token[len(self.prefix) :] if token.startswith(self.prefix) else f" {token}"
            words.append(_clean_up(token) if cleanup else token)
        return "".join(words)

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes of that text."""
        return self.decode(ids).encode()

    @property
    def prefix(self) -> str:
        """What a token begins with that goes on a word, `##`."""
        prefix: str = self._data["model"]["continuing_subword_prefix"]
        return prefix

    @property
    def as_bert(self) -> bool:
        """Whether the rules are those that BERT's own files can name."""
        kinds = [(self._data.get(part) or {}).get("type") for part in ("normalizer", "pre_tokenizer")]
        usual = (self.prefix, self.longest_word) == ("##", 100)
        cleans = usual and (self._data.get("normalizer") or {}).get("clean_text", True)
        return cleans and kinds == ["BertNormalizer", "BertPreTokenizer"]

    @property
    def configuration(self) -> Json:
        """The content of tokenizer_config.json, with BERT's names for the rules."""
        rules = BertRules.of(self._data.get("normalizer") or {})
        names = {i: token for token, i in self.special.items()}
        return {**configuration(rules, {role: names[i] for role, i in self.roles.items()}), **self._config}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides ids."""
        rules = [self._data.get(name) for name in ("normalizer", "pre_tokenizer", "model")]
        return hashlib.sha256(json.dumps([rules, self.special], sort_keys=True).encode()).hexdigest()

    def save(self, folder: Path) -> None:
        """Write tokenizer.json, tokenizer_config.json and, where ids leave no gap, BERT's own vocab.txt."""
        from hornbook.text import vocab_txt

        write_json(folder / "tokenizer.json", self._data)
        write_json(folder / "tokenizer_config.json", self.configuration if self.as_bert else self._config)
        if vocab_txt.obstacle(self) is None:
            vocab_txt.write(self, folder)

    def _token(self, i: int) -> str:
        try:
            return self._tokens[i]
        except KeyError:
            raise ValueError(f"id {i} is not one of this tokenizer's {self.vocab} ids") from None

    @cached_property
    def _tokens(self) -> dict[int, str]:
        return {i: token for token, i in (self.tokens_to_ids | self.special).items()}

    @cached_property
    def _special_pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.special, key=len, reverse=True)
        return re.compile(f"({'|'.join(map(re.escape, longest_first))})")

    def _encode(self, text: str) -> list[int]:
        if _ODD.search(text):
            return self._chunks.look_up(text)
        ids: list[int] = []
        for chunk in text.split():
            ids += self._chunks[chunk]
        return ids

    @cached_property
    def _chunks(self) -> "Chunks":
        spelled = {token: i for token, i in self.tokens_to_ids.items() if token not in self.special}
        matcher = Matcher(spelled, prefix=self.prefix)
        words = Words(matcher, unknown=self.unknown, longest=self.longest_word)
        return Chunks(cutter(self._data), words)

    def __getstate__(self) -> Json:
        """A worker process gets the tables and remembers words of its own."""
        cached = ("_chunks", "_tokens", "_special_pattern")
        return {key: value for key, value in self.__dict__.items() if key not in cached}


class Words(dict[str, list[int]]):
    """The ids of a word."""

    def __init__(self, matcher: Matcher, *, unknown: int, longest: int) -> None:
        self.matcher, self.unknown, self.longest = matcher, unknown, longest

    def __missing__(self, word: str) -> list[int]:
        ids = self.matcher.match(word) if len(word) <= self.longest else None
        ids = [self.unknown] if ids is None else ids
        return _remember(self, word, ids)


class Chunks(dict[str, list[int]]):
    """The ids of what stands between two spaces of a text, a word with its punctuation or a whole Chinese sentence."""

    def __init__(self, cut: Callable[[str], list[str]], words: Words) -> None:
        self.cut, self.words = cut, words

    def __missing__(self, chunk: str) -> list[int]:
        return _remember(self, chunk, self.look_up(chunk))

    def look_up(self, text: str) -> list[int]:
        """The ids of a text, word by word."""
        ids: list[int] = []
        for word in self.cut(text):
            ids += self.words[word]
        return ids


def _remember(known: dict[str, list[int]], word: str, ids: list[int]) -> list[int]:
    if len(word) <= MAX_LETTERS:
        if len(known) >= MAX_WORDS:
            known.clear()
        known[word] = ids
    return ids


def ours(data: Json, config: Json) -> WordPieceTokenizer | None:
    """The tokenizer that a file describes, or None where it has a rule that is not known here."""
    model, added = data["model"], data.get("added_tokens") or []
    odd = ("lstrip", "rstrip", "single_word", "normalized")
    plain = all(token["special"] and not any(token[flag] for flag in odd) for token in added)
    try:
        cutter(data)
        return WordPieceTokenizer(data, config) if added and plain and model["continuing_subword_prefix"] else None
    except (KeyError, ValueError):
        return None


def _clean_up(text: str) -> str:
    for before, after in CLEAN_UP.items():
        text = text.replace(before, after)
    return text
