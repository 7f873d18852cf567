"""`hornbook serve` as a person mistypes it, and its options with a real process; more of that is in tests/serve."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hornbook.adapt.lora import Lora
from hornbook.cli import app
from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from tests.serve.served import Server, decoder
from tests.serve.test_shelf import learned


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["x", "--host", "0.0.0.0"], "--host 0.0.0.0: others could use the models; give --api-key-file"),
        (["x", "--api-key-file", "EMPTY"], "holds no key"),
        (["no/such", "--port", "0"], "no/such"),
        (["x", "--port", "99999"], "--port 99999"),
        (["BASE", "--port", "0", "--quantise", "int3"], "'int3' is no way to store a matrix; take int8, int4"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    if "BASE" in arguments:
        decoder("chatml").save(tmp_path / "base")
    places = {"EMPTY": str(tmp_path / "empty"), "BASE": str(tmp_path / "base")}
    words = [places.get(word, word) for word in arguments]
    with pytest.raises(UserError, match=sentence):
        CliRunner().invoke(app, ["serve", *words], catch_exceptions=False, env={"HORNBOOK_API_KEY": ""})


def test_the_help_names_the_options() -> None:
    text = CliRunner().invoke(app, ["serve", "--help"]).output
    assert all(option in text for option in ("--host", "--port", "--slots", "--queue", "--api-key-file"))


def test_adapters_are_asked_side_by_side_and_each_answers_as_alone(tmp_path: Path) -> None:
    base = tmp_path / "base"
    decoder("chatml").save(base)
    words, alone = [], {"base": LanguageModel.load(base)}
    for seed, name in enumerate(("law", "verse", "talk")):
        folder = learned(tmp_path / name / "adapter", base, Lora(rank=2 + seed, alpha=40.0), seed)
        words += ["--adapter", str(folder)]
        alone[name] = LanguageModel.load(folder)
    asked = [(name, text) for text in ("The small", "The small red", "old grey") for name in alone]
    wanted = [alone[name].generate(text, max_new_tokens=24, temperature=0) for name, text in asked]
    vectors = {name: lm.embed(["green hills"])[0].tolist() for name, lm in alone.items()}
    with Server(str(base), *words, "--slots", "4") as server, ThreadPoolExecutor(12) as threads:

        def ask(one: tuple[str, str]) -> Any:
            body = {"model": one[0], "prompt": one[1], "max_tokens": 24, "temperature": 0}
            return server.post("/v1/completions", body)[1]["choices"][0]["text"]

        assert list(threads.map(ask, asked)) == wanted
        assert list(threads.map(ask, asked)) == wanted, "and with what is remembered"
        for name, vector in vectors.items():
            found = server.post("/v1/embeddings", {"model": name, "input": "green hills"})[1]["data"][0]["embedding"]
            assert found == pytest.approx(vector, abs=1e-5)
        assert server.gauge("hornbook_engine_slots", "base") == 4
        assert 'model="law"' not in "".join(server.get("/metrics")[1].split("hornbook_engine_slots")[1:2])
    assert len(set(wanted)) > 6


@pytest.mark.parametrize("kind", ["int8", "bf16"])
def test_a_quantised_model_is_served_as_it_writes_by_itself(tmp_path: Path, kind: Any) -> None:
    decoder("chatml").save(tmp_path / "base")
    lm = LanguageModel.load(tmp_path / "base", quantise=kind)
    text = lm.generate("The small", max_new_tokens=12, temperature=0)
    with Server(str(tmp_path / "base"), "--quantise", kind) as server:
        body = {"prompt": "The small", "max_tokens": 12, "temperature": 0}
        assert server.post("/v1/completions", body)[1]["choices"][0]["text"] == text
