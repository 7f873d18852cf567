"""A small corpus with something of everything: two sources, Chinese, tags, duplicates, near duplicates, bad lines."""

import json
from pathlib import Path

POEM = "落日雙闕昏回輿九重暮長煙散初碧皎月澄輕素搴幌翫琴書開軒引雲霧斜漢耿層閣清風搖玉樹"
STORY = "The cat <b>sat</b> & looked at number {number} of the garden, and then it went home again. " * 3
RECIPE = """
bad_share: 0.1
validation: 0
steps:
  - normalise
  - {type: minimum_length, characters: 20}
  - exact_duplicates
  - {type: near_duplicates, threshold: 0.7}
"""


def write_sources(folder: Path) -> list[Path]:
    """A JSONL file of stories and a folder of poems."""
    rows = [{"text": STORY.format(number=number * 7919)} for number in range(60)]
    rows += [{"text": rows[0]["text"]}, {"text": "tiny"}, {"text": "<i>"}]
    web, poems = folder / "web.jsonl", folder / "poems"
    poems.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({**row, "url": "https://example.org/a", "language": "en"}) for row in rows]
    web.write_text("\n".join([*lines, "{broken"]), encoding="utf-8")
    for number, text in enumerate(
        [POEM, POEM + "遠", "太宗皇帝", "華林滿芳景洛陽徧陽春朱顏含遠日翠色影長津喬柯囀嬌鳥低枝映美人"]
    ):
        (poems / f"{number}.txt").write_text(text, encoding="utf-8")
    return [web, poems]


def write_recipe(folder: Path) -> Path:
    """A recipe that is only a corpus section, and names no source."""
    path = folder / "web.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def make_corpus(folder: Path) -> Path:
    """The corpus of all that, in FOLDER/clean."""
    from hornbook.corpus_run import run_corpus

    sources = ",".join(map(str, write_sources(folder / "files")))
    return run_corpus(str(write_recipe(folder)), [f"source=[{sources}]"], out=folder / "clean")
