"""Texts to cut, and SentencePiece models trained on them by the published library: the references of these tests."""

import functools
import io
import json
import random
from pathlib import Path
from typing import Any

import sentencepiece

WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "he",
    "was",
    "that",
    "his",
    "it",
    "with",
    "is",
    "for",
    "as",
    "had",
    "not",
    "which",
]
OWN = ("<sep>", "▁▁", "lower")


def sentences() -> list[str]:
    """English, Chinese, Japanese and Hindi enough to train a few hundred pieces on; the same every time."""
    draw, made = random.Random(0), []
    for number in range(600):
        words = [draw.choice(WORDS) + draw.choice(["", "", "s", "ing", "ly", ","]) for _ in range(draw.randint(3, 14))]
        made.append(" ".join(words).capitalize() + draw.choice([".", "!", "...", f" {number}."]))
        made.append(
            "".join(draw.choice("床前明月光疑是地上霜舉頭望低思故鄉春眠不覺曉處聞啼鳥") for _ in range(9)) + "。"
        )
    return [*made, *["これはテストです、カタカナも。", "यह एक परीक्षण है।", "Ünïcödé naïve café ½ ﬁn"] * 9]


ODD = [
    "",
    " ",
    "   ",
    " a  b ",
    "\t tab\n and lines\r\n",
    "▁",
    "a▁b ▁▁",
    "\0a\0",
    "\ufeffbom \u200bzero\u200d width",
    "ﬁne ½ ㎏ ｶﾞ ﷺ ¨ a¨ ①②",
    "e\u0301 a\u030a \u1100\u1161\u11a8 각 n\u0303\u0303",
    "👩‍👩‍👧 👍🏽 🇩🇪 \U0010ffff",
    "<s> </s> <unk> <0x41> <sep>the<sep> ▁▁ lower slower",
    "......." * 5 + "-=-=-=" * 9,
    "a" * 300,
    " " * 40 + "x",
    "नमस्ते दुनिया हिन्दी",
    "Ελληνικά кириллица עברית العربية ไทย",
    "the of and the of and, thes ofing",
    "half a pair: \ud83d and \udc00",
    "床前明月光、疑是地上霜。Python编程2026年",
]


@functools.cache
def trained(**options: Any) -> bytes:
    """The bytes of a .model file that sentencepiece learned."""
    written = io.BytesIO()
    given = {"vocab_size": 420, "character_coverage": 0.995, "num_threads": 1, "minloglevel": 2, **options}
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(sentences()), model_writer=written, **given)
    return written.getvalue()


def published(model: bytes) -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_proto=model)


def whole(text: str) -> str:
    """What UTF-8 can hold of a text."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def real_texts(shared_data: Path) -> dict[str, list[str]]:
    """The lines of every text of the real data, and the published vectors."""
    lines = {
        path.name: path.read_text(encoding="utf-8", errors="replace").split("\n")
        for path in sorted((shared_data / "text").rglob("*"))
        if path.suffix in (".txt", ".json", ".jsonl", ".en")
    }
    vectors = (shared_data / "tokenizers" / "vectors" / "published_vectors.jsonl").read_text(encoding="utf-8")
    lines["vectors"] = [json.loads(line)["text"] for line in vectors.strip().split("\n")]
    return lines
