"""Two languages that a tiny model can learn in seconds: each has words of its own and its own order of them."""

import json
import random
from pathlib import Path

SHORE = ["the gull", "a wave", "the old boat", "a grey stone", "the tide"], ["meets", "carries", "hides"]
MINE = ["some coal", "one lamp", "a deep shaft", "that cart", "the iron rope"], ["below", "behind", "under"]


def shore(draw: random.Random) -> str:
    """A subject, a verb, an object."""
    nouns, verbs = SHORE
    return f"{draw.choice(nouns)} {draw.choice(verbs)} {draw.choice(nouns)}."


def mine(draw: random.Random) -> str:
    """Two things and where they are, the place first."""
    things, places = MINE
    return f"{draw.choice(places)} {draw.choice(things)}: {draw.choice(things)}!"


def write(folder: Path, documents: int = 60, sentences: int = 12) -> dict[str, str]:
    """A file of documents in each language; {name: path}, as a corpus wants its sources."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, speak in (("shore", shore), ("mine", mine)):
        draw = random.Random(name)
        texts = [" ".join(speak(draw) for _ in range(sentences)) for _ in range(documents)]
        paths[name] = str(folder / f"{name}.jsonl")
        Path(paths[name]).write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return paths
