"""The perplexity step: a band of percentiles of the reference, on a model trained by the command."""

import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hornbook.cli import app
from hornbook.core.errors import UserError
from hornbook.corpus.document import Document
from hornbook.corpus.perplexity import Perplexity
from hornbook.corpus.perplexity_model import load


def prose(seed: int, sentences: int) -> str:
    chance = random.Random(seed)
    who, what, where = ["the king", "a fool", "my lady"], ["loves", "hates"], ["the sea", "wine", "an old horse"]
    return " ".join(f"{chance.choice(who)} {chance.choice(what)} {chance.choice(where)}." for _ in range(sentences))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("perplexity")
    (folder / "reference.txt").write_text(prose(0, 6_000))
    done = CliRunner().invoke(
        app, ["corpus", "train-perplexity", str(folder / "reference.txt"), "--out", str(folder / "model")]
    )
    assert done.exit_code == 0, done.output
    assert "model: perplexity of the reference" in done.output
    return folder / "model"


def test_the_band(model: Path) -> None:
    noise = "".join(random.Random(1).choices("abcdefgh ", k=800))
    documents = [
        Document("like it", prose(2, 60), "s", metadata={"x": "1"}),
        Document("again and again", "the sea the sea " * 60, "s"),
        Document("noise", noise, "s"),
        Document("signs", "?! ...", "s"),
    ]
    result = Perplexity(model=model, low=1).build()(documents)
    assert result.kept[0].id == "like it"
    assert float(result.kept[0].metadata["perplexity"]) == pytest.approx(load(model)(documents[0].text), abs=0.06)
    assert result.kept[0].metadata["x"] == "1"
    reasons = {each.id: reason for each, reason in result.dropped}
    assert reasons["noise"] == "surprises too much"
    assert reasons["signs"] == "no words"


def test_a_text_that_says_the_same_surprises_too_little(model: Path) -> None:
    percentiles = load(model).percentiles
    text = "a fool loves wine. " * 60
    assert (load(model)(text) < percentiles[1]) == bool(
        Perplexity(model=model, low=1)([Document("a", text, "s")]).dropped
    )
    narrow = Perplexity(model=model, low=99, high=100)([Document("a", prose(3, 60), "s")])
    assert [reason for _, reason in narrow.dropped] == ["surprises too little"]


def test_mistakes_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no n-gram model"):
        Perplexity(model=tmp_path).build()
    with pytest.raises(ValueError, match="no band of percentiles"):
        Perplexity(model=tmp_path, low=60, high=30)
    with pytest.raises(ValueError, match="is not above 0"):
        Perplexity(model=tmp_path, beyond=0)
