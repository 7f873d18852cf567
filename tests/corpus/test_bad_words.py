"""Bad words: found as words, in the language of the document, and some let through."""

import pickle
from pathlib import Path

import pytest

from hornbook.corpus.bad_words import BadWordFilter, BadWords, WordList
from hornbook.corpus.document import Document


@pytest.fixture
def config(tmp_path: Path) -> BadWords:
    (tmp_path / "en").write_text("darn\nheck no\n", encoding="utf-8")
    (tmp_path / "zh").write_text("混蛋\n性\n", encoding="utf-8")
    return BadWords(lists={"en": tmp_path / "en", "zh": tmp_path / "zh"})


@pytest.mark.parametrize(("text", "language", "dropped"), [
    ("Oh DARN!", None, True), ("Darning socks.", None, False), ("I say heck no.", None, True),
    ("heck nobody", None, False),
    ("你這個混蛋。", None, True), ("中性的說法。", None, False), ("Oh darn!", "fr", False),
    ("Oh darn 混蛋", "zh", True),
])  # fmt: skip
def test_a_word_is_found_in_its_language(config: BadWords, text: str, language: str | None, dropped: bool) -> None:
    step: BadWordFilter = pickle.loads(pickle.dumps(config)).build()
    assert step.reason(Document("a", text, "s", language=language)) == ("bad words" if dropped else None)


def test_a_share_is_kept_whatever_the_order(config: BadWords) -> None:
    step = BadWords(lists=config.lists, keep=0.3).build()
    documents = [Document(str(i), f"Darn {i}.", "s") for i in range(1_000)]
    kept = {document.id for document in step(documents).kept}
    assert 250 < len(kept) < 350
    assert {document.id for document in step(documents[::-1]).kept} == kept
    assert len(BadWords(lists=config.lists, keep=1.0).build()(documents).kept) == 1_000


def test_a_step_without_lists_is_refused() -> None:
    with pytest.raises(ValueError, match="lists: no language has a list"):
        BadWords()


@pytest.mark.parametrize("language", ["ar", "de", "en", "es", "fr", "hi", "ja", "ko", "ru", "zh"])
def test_every_word_of_the_real_lists_is_found(shared_data: Path, language: str) -> None:
    path = shared_data / f"web/badwords/ldnoobw_{language}.txt"
    step = BadWords(lists={language: path}).build()
    words = path.read_text(encoding="utf-8").split("\n")
    missed = [word for word in words if word and not step.lists[language].found_in(f"And {word}, so.")]
    assert missed in ([], ["性"], ["sm", "グロ", "女の子"])
    assert WordList.of(["a.b"]).found_in("see a.b!")
