"""Texts of ../shared/data as documents: good and bad, from a headline to a chapter, in some 380 languages.

`made` needs none of it. Standard library only: the script that asks datatrove reads them in an interpreter of its own.
"""

import gzip
import hashlib
import html
import json
import random
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

PIECE_CHARACTERS = 4_000


def english(data: Path) -> Iterator[str]:
    """Web pages, news, encyclopedia, novels, stories, plays, speeches, mostly in English."""
    for line in _read(data / "text/c4_demo/c4_demo.jsonl").splitlines():
        yield json.loads(line)["text"]
    for folder in ("cs336_a4/documents_with_line_duplicates", "cs336_a4/documents_with_fuzzy_duplicates"):
        yield from (_read(path) for path in sorted((data / "web" / folder).glob("*.txt")))
    articles = json.loads(_read(data / "web/article-extraction-benchmark/ground-truth.json"))
    yield from (article["articleBody"] for article in articles.values())
    yield from (line.partition(" ")[2] for line in _read(data / "web/neardup_minhash/articles_100.train").splitlines())
    yield from (_read(path) for path in sorted((data / "web/cs336_a4").glob("*.txt")))
    for path in sorted((data / "web/dolma_tests/multiple_files").glob("*.gz")):
        yield from (json.loads(line)["text"] for line in gzip.decompress(path.read_bytes()).splitlines())
    yield from re.split(r"\n (?== [^=]+ = \n)", _read(data / "text/wikitext-2/valid.txt"))[:30]
    yield from _read(data / "text/tinystories/tinystories_200k.txt").split("<|endoftext|>")[:60]
    for name, most in LONG.items():
        yield from pieces(_read(data / "text" / name))[:most]
    with zipfile.ZipFile(data / "text/nltk/inaugural.zip") as speeches:
        yield from (speeches.read(name).decode("latin-1") for name in speeches.namelist()[1:] if "-19" in name)


LONG = {
    "gutenberg/alice_11.txt": 20,
    "gutenberg/botchan_en.txt": 20,
    "the-verdict/the-verdict.txt": 5,
    "tinyshakespeare/input.txt": 40,
    "wiki_demo/wiki_demo.txt": 80,
    "minbpe/taylorswift.txt": 20,
    "cs336/corpus.en": 15,
    "cs336/german.txt": 1,
}


def pages(data: Path) -> Iterator[str]:
    """Web pages with nothing but their tags taken off: menus, scripts, lists, what the filters are there for."""
    for path in sorted((data / "web/article-extraction-benchmark/html").glob("*.gz"))[:40]:
        text = re.sub(r"(?s)<[^>]*>", "", gzip.decompress(path.read_bytes()).decode(errors="replace"))
        yield html.unescape(text)[:20_000]


def languages(data: Path) -> Iterator[str]:
    """The Declaration of Human Rights in many languages, the first 3,000 characters of each."""
    with zipfile.ZipFile(data / "text/nltk/udhr2.zip") as archive:
        yield from (archive.read(name).decode("utf-8")[:3_000] for name in archive.namelist() if name.endswith(".txt"))


def chinese(data: Path) -> Iterator[str]:
    """Classics, poems and instructions; see also `headlines`."""
    folder = data / "text/chinese-poetry"
    for book in ("论语__lunyu.json", "四书五经__mengzi.json"):
        yield from ("\n".join(chapter["paragraphs"]) for chapter in json.loads(_read(folder / book)))
    for poems in ("全唐诗__poet.tang.0.json", "宋词__ci.song.0.json"):
        yield from ("\n".join(poem["paragraphs"]) for poem in json.loads(_read(folder / poems))[:100])
    rows = json.loads(gzip.decompress((data / "instruction/alpaca-chinese/zh-data-first-3000.json.gz").read_bytes()))
    answers = (" ".join(str(value) for value in row.values()) for row in rows)
    yield from [answer for answer in answers if len(answer) > 200][:200]


def headlines(data: Path) -> list[str]:
    """Chinese headlines, one a line."""
    return [line.split("\t")[0] for line in _read(data / "classification/thucnews-titles/dev.txt").splitlines()]


def pieces(text: str) -> list[str]:
    """A long text in pieces of whole lines."""
    found, piece = [], ""
    for line in text.splitlines(keepends=True):
        piece += line
        if len(piece) >= PIECE_CHARACTERS:
            found.append(piece)
            piece = ""
    return [*found, piece] if piece else found


def key(text: str) -> str:
    """What a text is called in the golden file."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]


def made() -> Iterator[str]:
    """120 texts of made-up sentences, each with some fault: most rules are broken by some, nearly broken by others."""
    sentence = (
        "the cat and a dog have been to that old house with it's red-brown roof, where $5.50 (or so) don't matter"
    )
    words = sentence.split()
    faults = {
        "bullets": lambda line, numbers: f"- {line}" if numbers.random() < 0.95 else line,
        "dots": lambda line, numbers: line.rstrip(".") + "..." * (numbers.random() < 0.35),
        "hashes": lambda line, numbers: line.replace(" ", " #") if numbers.random() < 0.2 else line,
        "short": lambda line, numbers: line[: numbers.choice((12, 25, 60))],
        "open": lambda line, numbers: line.rstrip(".") if numbers.random() < 0.85 else line,
        "code": lambda line, numbers: line + (" Use javascript {}." if numbers.random() < 0.1 else " Yes!"),
        "policy": lambda line, numbers: line + numbers.choice((" See our privacy policy.", "[1]", " lorem ipsum.", "")),
        "numbers": lambda line, numbers: re.sub(r"[aeiou]\w+", lambda _: str(numbers.randrange(999)), line),
        "long": lambda line, numbers: line.replace("house", "supercalifragilisticexpialidociously" * 3),
        "again": lambda line, numbers: (
            line if numbers.random() < 0.7 else "Home news sport weather and more of the same."
        ),
    }
    for number in range(12):
        for name, fault in faults.items():
            numbers = random.Random(f"{name} {number}")
            lines = [" ".join(numbers.choices(words, k=numbers.randrange(3, 25))).capitalize() + "." for _ in range(14)]
            yield "\n\n"[number % 2 :].join(fault(line, numbers) for line in lines[: 2 + number])


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace").replace("\r\n", "\n")
