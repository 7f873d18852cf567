"""What text metrics are computed of: texts that were written, texts they are held against, and how they are cut.

The script says how: Chinese by character, what is written with spaces by word. It is looked up in the references, since
what was written may be in a wrong language. A text of two scripts is refused until somebody says which is meant.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import regex

from hornbook.core.errors import UserError
from hornbook.corpus.words import RUNS, SPACED, UNSPACED

Language = Literal["en", "zh", "words", "characters"]
LANGUAGES = get_args(Language)
SOME, MOST = 0.05, 0.5  # of characters without spaces among these and words: less is a quotation, more is the language
NOT_HAN = 0.1  # of those characters: Chinese has fewer, Japanese has kana
FOREIGN = 0.01  # of letters beyond a-z: English has fewer, French and German have more
HAN, LETTERS, ENGLISH = regex.compile(r"\p{Han}"), regex.compile(r"\p{L}"), regex.compile(r"[a-zA-Z]")
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True)
class Segments:
    """Texts, one for each thing that was asked."""

    written: Sequence[str]
    references: Sequence[Sequence[str]] = ()
    """For each text those that it is held against, one or more; empty where there are none at all."""
    language: Language = "en"

    def __post_init__(self) -> None:
        if self.references and len(self.references) != len(self.written):
            raise ValueError(
                f"{len(self.written)} texts and {len(self.references)} references; every text wants its own"
            )
        if not any(text.strip() for text in self.written):
            raise UserError(f"nothing was written: all of {len(self.written)} segments are empty; give others")


def language_of(written: Sequence[str], references: Iterable[Sequence[str]] = ()) -> Language:
    """How texts are cut, by the script of the references, or of what was written where there are none.

    en: rouge-score's words of a-z and 0-9, SQuAD's articles; words: of any script with spaces; zh: by character, other
    words whole; characters: the same for Japanese, Thai and others that write no spaces. Raises UserError in doubt.

    >>> language_of(["The cat sat."]), language_of(["猫坐在垫子上。"]), language_of(["Le chat était assis à côté."])
    ('en', 'zh', 'words')
    """
    texts = [text for some in references for text in some]
    texts = texts if any(text.strip() for text in texts) else list(written)
    unspaced, words = (sum(len(pattern.findall(text)) for text in texts) for pattern in (UNSPACED, SPACED))
    share = unspaced / max(unspaced + words, 1)
    if SOME <= share < MOST:
        raise UserError(
            f"the language cannot be told: {words:,} words and {unspaced:,} characters of scripts without spaces; say "
            "--language en, or zh for texts whose Chinese is to be cut by character"
        )
    if share >= MOST:
        others = unspaced - sum(len(HAN.findall(text)) for text in texts)
        return "characters" if others > NOT_HAN * unspaced else "zh"
    letters, english = (sum(len(pattern.findall(text)) for text in texts) for pattern in (LETTERS, ENGLISH))
    return "words" if letters - english > FOREIGN * letters else "en"


def bare_words(text: str) -> list[str]:
    """Words in small letters without signs; scripts that write no spaces by character.

    >>> bare_words("Don't! 我用GPT-2。")
    ['don', 't', '我', '用', 'gpt', '2']
    """
    found: list[str] = []
    for run in RUNS.findall(text.lower()):
        found += [run] if UNSPACED.match(run) else WORD.findall(run)
    return found
