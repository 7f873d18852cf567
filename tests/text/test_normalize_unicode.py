"""The classes of characters are those that `tokenizers` has, on the planes in use and a part of the others."""

from tokenizers import normalizers, pre_tokenizers

from hornbook.text.normalize_bert import classes

CODES = [code for code in (*range(0x20000), *range(0x20000, 0x110000, 97)) if not 0xD800 <= code < 0xE000]
ALL = list(map(chr, CODES))


def test_every_class_is_the_reference_s() -> None:
    plain = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    clean = normalizers.BertNormalizer(**{**plain, "clean_text": True})
    spaced = normalizers.BertNormalizer(**{**plain, "handle_chinese_chars": True})
    stripped = normalizers.BertNormalizer(**{**plain, "strip_accents": True})
    cut = pre_tokenizers.BertPreTokenizer()
    assert classes()["control"] & set(CODES) == {ord(c) for c in ALL if clean.normalize_str(f"a{c}b") == "ab"}
    assert classes()["chinese"] & set(CODES) == {ord(c) for c in ALL if spaced.normalize_str(c) == f" {c} "}
    assert classes()["marks"] & set(CODES) == {ord(c) for c in ALL if stripped.normalize_str(f"a{c}") == "a"}
    found = {ord(c) for c in ALL if [word for word, _ in cut.pre_tokenize_str(f"a{c}b")] == ["a", c, "b"]}
    assert classes()["punctuation"] & set(CODES) == found
