# ruff: noqa: RUF001  # letters of many scripts are what is tested
import codecs
import sys
import zipfile
from pathlib import Path

import pytest

from hornbook.corpus.encoding import codec, decode

TEXTS = {
    "gb18030": "子曰：“学而时习之，不亦说乎？”今天的天气很好，我们一起去公园散步吧。",
    "big5": "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心，並應以兄弟關係的精神相對待。",
    "shift_jis": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "euc-jp": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "iso-2022-jp": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "euc-kr": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "windows-1250": "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem.",
    "windows-1251": "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "koi8-r": "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "windows-1252": "Un café très agréable, où l’été ne finit jamais; ça va être génial à “Besançon”.",
    "windows-1253": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα “αυτά”.",
    "windows-1254": "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler.",
    "windows-1255": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
    "windows-1256": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق.",
    "windows-1257": "Visi žmonės gimsta laisvi ir lygūs savo „orumu“ ir teisėmis. Jiems suteiktas protas ir sąžinė",
    "windows-874": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
}
PYTHON = {"windows-874": "cp874"}
PAGE = "<html><head>{meta}<title>x</title></head><body><div class=a><p>{text}</p></div></body></html>"


@pytest.mark.parametrize("name", TEXTS)
def test_a_page_is_read_whoever_says_its_encoding(name: str) -> None:
    """Its own <meta>, the server, or nobody."""
    python = PYTHON.get(name, name)
    plain = PAGE.format(meta="", text=TEXTS[name])
    for meta in (
        f"<meta charset={name}>",
        f'<META http-equiv="Content-Type" content="text/html; charset={name.upper()}">',
    ):
        page = PAGE.format(meta=meta, text=TEXTS[name])
        assert decode(page.encode(python)) == (page, codec(name))
    assert decode(plain.encode(python), name) == (plain, codec(name))
    assert decode(plain.encode(python))[0] == plain


def test_what_is_utf_8_is_that_whatever_is_said() -> None:
    page = PAGE.format(meta="<meta charset=iso-8859-1>", text="Größe, 論語")
    assert decode(page.encode(), "windows-1251") == (page, "utf-8")
    assert decode(codecs.BOM_UTF8 + page.encode(), "gbk") == (page, "utf-8")
    cut = page.encode()[: -len("語</p></div></body></html>".encode()) + 2]
    assert decode(cut) == (page[: page.index("語")], "utf-8")  # an archive cut the page inside a character


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_its_mark(encoding: str) -> None:
    mark = codecs.BOM_UTF16_LE if encoding == "utf-16-le" else codecs.BOM_UTF16_BE
    assert decode(mark + "論語<p>".encode(encoding)) == ("論語<p>", "utf-16")


def test_a_wrong_word_gives_way_to_the_bytes() -> None:
    page = PAGE.format(meta="<meta charset=gb2312>", text=TEXTS["gb18030"] * 3)
    assert decode(page.encode("gbk"), "utf-8") == (page, "gb18030")
    page = PAGE.format(meta="<meta charset=utf-8>", text=TEXTS["shift_jis"] * 3)
    assert decode(page.encode("shift_jis")) == (page, "cp932")


def test_a_little_damage_is_marked_and_the_rest_read() -> None:
    data = PAGE.format(meta="<meta charset=utf-8>", text="論語" * 200).encode()
    place = data.index("語".encode())
    text, encoding = decode(data[:place] + b"\xff" + data[place:])
    assert (text.encode(), encoding) == (data[:place] + "\ufffd".encode() + data[place:], "utf-8")


def test_no_text_is_no_page() -> None:
    with pytest.raises(ValueError, match="neither UTF-8 nor in the encoding it names"):
        decode(bytes(range(1, 256)) * 40)
    with pytest.raises(ValueError, match="binary data"):
        decode(b"\x89PNG\r\n" + b"\0" * 100 + b"\xff" * 100)


@pytest.mark.parametrize("label", ["base64", "utf-7", "unicode_escape", "rot13", "utf-16", "zlib", "no such", "\0", ""])
def test_only_encodings_of_the_web_are_names(label: str) -> None:
    """`unicode_escape` and its like would turn a page into something else."""
    assert codec(label) is None


@pytest.mark.parametrize(
    ("label", "python"),
    [("UTF-8", "utf-8"), ("latin1", "cp1252"), ("gbk", "gb18030"), ("x-sjis", "cp932"), ("ks_c_5601-1987", "cp949")],
)
def test_names_mean_what_browsers_mean(label: str, python: str) -> None:
    assert codec(label) == python


def test_without_the_detector_the_fault_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resiliparse.parse.encoding", None)
    with pytest.raises(ValueError, match=r"names no encoding; pip install 'hornbook\[web\]'"):
        decode(TEXTS["windows-1251"].encode("cp1251"))
    assert decode(b"<meta charset=windows-1251>" + TEXTS["windows-1251"].encode("cp1251"))[1] == "cp1251"


def test_hostile_markup_takes_little_time() -> None:
    for data in (b"<" * 2_000_000 + b"\xe9", b"<script" * 300_000 + b"\xe9", b"<meta " * 300_000 + b"\xe9"):
        decode(data)


def test_declarations_of_human_rights_undeclared(shared_data: Path) -> None:
    """Of 20 languages in the encodings they were written in before UTF-8: each is recognised."""
    encodings = {
        "cmn_hans": "gb18030", "cmn_hant": "big5", "jpn": "shift_jis", "kor": "euc_kr", "rus": "cp1251",
        "ukr": "cp1251", "bul": "cp1251", "ell_monotonic": "cp1253", "tur": "cp1254",
        "heb": "cp1255", "arb": "cp1256", "lit": "cp1257",
        "lav": "cp1257", "ces": "cp1250", "pol": "cp1250", "hun": "cp1250", "fra": "cp1252", "spa": "cp1252",
        "tha": "cp874", "swe": "cp1252",
    }  # fmt: skip
    with zipfile.ZipFile(shared_data / "text" / "nltk" / "udhr2.zip") as archive:
        names = {Path(name).stem: name for name in archive.namelist()}
        texts = {name: archive.read(names[name]).decode("utf-8-sig")[500:2_500] for name in encodings}
    wrong = []
    for name, encoding in encodings.items():
        data = PAGE.format(meta="", text=texts[name]).encode(encoding, "ignore")
        if decode(data)[0] != data.decode(encoding):
            wrong.append(name)
    assert wrong == []
