"""What a model's name stands for, and that no mistake waits for the network."""

import json
import subprocess
import sys
import time
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from hornbook.core.errors import UserError
from hornbook.generate import hub


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """The downloads that were asked for; the working folder is an empty one."""
    calls = []

    def download(hub_id, **options):
        calls.append((hub_id, options))
        return "downloaded"

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.chdir(tmp_path)
    return calls


def make_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def test_a_run_is_its_last_model(tmp_path):
    base = make_model(tmp_path / "run" / "model")
    assert hub.find(tmp_path / "run") == base
    tuned, judge = (make_model(tmp_path / "run" / name / "model") for name in ("instruct", "reward"))
    keeps = {"pretrain": "language model", "instruct": "language model", "reward": "reward model", "rank": "rows"}
    journal = {name: {"fingerprint": "", "keeps": kept} for name, kept in keeps.items()}
    (tmp_path / "run" / "stages.json").write_text(json.dumps({"corpus": {"fingerprint": ""}, **journal}))
    assert hub.find(str(tmp_path / "run")) == tuned
    assert hub.find(base) == base
    assert hub.of_run(tmp_path / "run") == [tuned, judge, base]


def test_a_run_of_one_classifier_is_that_classifier(tmp_path):
    (tmp_path / "run").mkdir()
    model = make_model(tmp_path / "run" / "spam" / "model")
    (tmp_path / "run" / "stages.json").write_text('{"spam": {"fingerprint": "", "keeps": "classifier"}}')
    assert hub.find(tmp_path / "run") == model


@pytest.mark.parametrize("name", ["openai-community/gpt2", "Qwen/Qwen3-0.6B", "a/b_c.d"])
def test_a_hub_id_is_downloaded(asked, name):
    assert hub.find(name) == Path("downloaded")
    assert {hub_id for hub_id, _ in asked} == {name}


def test_torchs_files_are_asked_for_only_where_there_are_no_safetensors(asked, tmp_path):
    hub.find("a/b")
    assert [hub.PICKLED[0] in options["allow_patterns"] for _, options in asked] == [False, False, True]
    (make_model(tmp_path / "downloaded") / "model.safetensors").touch()
    asked.clear()
    hub.find("a/b")
    assert [hub.PICKLED[0] in options["allow_patterns"] for _, options in asked] == [False, False]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("x.gguf", "x.gguf: no such file (did you mean 'y.gguf'?); give a run"),
        ("runs/dmo", "runs/dmo: no such folder (did you mean 'demo'?); give a run"),
        ("runs/quite-another", "runs/quite-another: no such folder; give a run"),
        ("dmo", "dmo: no such folder; give a run"),
        ("other/demo/model", "other/demo/model: no such folder; give a run, a model folder, or a hub id such as"),
        ("gpt2", "gpt2: no such folder; give a run"),
        ("./mine", "./mine: no such folder; give a run"),
        ("../x/mine", "../x/mine: no such folder; give a run"),
        ("/no/where", "/no/where: no such folder; give a run"),
        ("a b/c", "a b/c: no such folder; give a run"),
        ("模型/一", "模型/一: no such folder; give a run"),
    ],
)
def test_what_is_no_hub_id_is_refused_without_asking(asked, tmp_path, name, sentence):
    (tmp_path / "runs" / "demo").mkdir(parents=True)
    (tmp_path / "y.gguf").touch()
    with pytest.raises(UserError) as error:
        hub.find(name)
    assert str(error.value).startswith(sentence)
    assert asked == []


def test_the_default_place_of_runs_is_no_hub_id(asked):
    with pytest.raises(UserError, match="runs/demo: no such folder"):
        hub.find("runs/demo")
    assert asked == []


def test_a_silent_network_ends_in_a_sentence_within_seconds(monkeypatch, tmp_path):
    def silent(hub_id, *, local_files_only=False, **options):
        if local_files_only:
            raise LocalEntryNotFoundError("nothing was downloaded before\nand more lines")
        time.sleep(5)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", silent)
    monkeypatch.setattr(hub, "PATIENCE", 0.1)
    monkeypatch.chdir(tmp_path)
    began = time.monotonic()
    with pytest.raises(UserError) as error:
        hub.find("org/name")
    assert time.monotonic() - began < 3
    assert str(error.value) == (
        "org/name: no such folder here, and not to be had from the hub (nothing was downloaded before)"
    )


def test_a_mistyped_name_is_answered_before_torch_is_imported(tmp_path):
    program = (
        "import sys, hornbook\n"
        "try: hornbook.load('runs/demo')\n"
        "except ValueError: print([name for name in ('torch', 'huggingface_hub') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(hub.__file__).parents[2])},
    )
    assert (result.stdout.strip(), result.stderr) == ("[]", "")
