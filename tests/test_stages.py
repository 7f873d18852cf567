"""A stage after the base model: it stands on the first, is done once, and what was trained can talk."""

import json

import pytest

import hornbook
from hornbook.build import Build

FUNCTION = '''
def {name}_{number}({arg}):
    """Return the {name} of {arg}, number {number}."""
    value = {arg} + {number}
    return value * {number}
'''
NAMES = ["sum", "area", "size", "count", "weight"]

TINY = [
    "tokenizer.vocab=400",
    "data.length=128",
    "pretrain.steps=8",
    "pretrain.tokens_per_step=256",
    "pretrain.validation_rows=2",
    "model.dim=32",
    "model.stack.layer.0.heads=2",
    "model.stack.layer.1.hidden=48",
    "corpus.validation=0.2",
    "stages={instruct: {type: instruct, data: functions, template: chatml, length: 128, "
    "train: {steps: 4, tokens_per_step: 256, threads: 1, validate_every: 4, validation_rows: 2}}}",
    "evaluate.completions=6",
    "evaluate.max_new_tokens=12",
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    place = tmp_path_factory.mktemp("stages")
    (place / "files").mkdir()
    for number in range(40):
        parts = [FUNCTION.format(name=name, number=number, arg=name[0]) for name in NAMES]
        (place / "files" / f"{number}.py").write_text("\n".join(parts))
    Build("tiny/pretrain", [*TINY, f"corpus.source={place / 'files'}"], place / "run").everything()
    return place / "run"


def test_both_stages_leave_a_model_and_their_metrics(built):
    for folder, steps in ((built, 8), (built / "instruct", 4)):
        rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        assert [row["step"] for row in rows if "loss" in row] == list(range(1, steps + 1))
        assert (folder / "model" / "model.safetensors").stat().st_size > 0


def test_the_run_is_its_last_stage_and_that_one_answers(built):
    lm = hornbook.load(str(built))
    assert lm.chats
    assert not hornbook.load(str(built / "model")).chats
    answer = lm.chat([{"role": "user", "content": 'def f(x):\n    """Return x."""'}], max_new_tokens=5, seed=0)
    assert isinstance(answer, str)


def test_the_scores_hold_both_stages_on_the_same_functions(built):
    scores = json.loads((built / "evaluate.json").read_text())
    assert [entry["stage"] for entry in scores["completions"]] == ["pretrain", "instruct"]
    for entry in scores["completions"]:
        assert entry["trials"] == 6
        assert entry["interval"][0] <= entry["share"] <= entry["interval"][1]
    assert {"gzip -9", "zstd -19", "xz -9"} < set(scores["compression"]["baselines"])


def test_transformers_renders_the_same_conversation(built):
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(built / "instruct" / "model")
    lm = hornbook.load(str(built))
    messages = [{"role": "user", "content": "def f(x):"}]
    theirs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=False)
    assert theirs == lm.renderer.prompt(messages)


def test_text_without_functions_is_trained_without_the_instruction_stage(tmp_path, capsys):
    (tmp_path / "files").mkdir()
    for number in range(30):
        (tmp_path / "files" / f"{number}.txt").write_text(f"Only words, nothing else, in file {number}. " * 20)
    Build("tiny/pretrain", [*TINY, f"corpus.source={tmp_path / 'files'}"], tmp_path / "run").everything()
    assert "instruct   left out: the corpus has no Python functions with a docstring" in capsys.readouterr().out
    assert not hornbook.load(str(tmp_path / "run")).chats


def test_a_stage_is_not_run_again_until_something_has_changed(built, capsys):
    again = Build("tiny/pretrain", [*TINY, f"corpus.source={built.parent / 'files'}"], built)
    weights = (built / "instruct" / "model" / "model.safetensors").read_bytes()
    again.everything()
    said = capsys.readouterr().out
    assert f"instruct   unchanged, {built / 'instruct' / 'model'}" in said
    assert (built / "instruct" / "model" / "model.safetensors").read_bytes() == weights
    more = [*TINY, f"corpus.source={built.parent / 'files'}", "stages.instruct.train.steps=2"]
    Build("tiny/pretrain", more, built).train("instruct")
    said = capsys.readouterr().out
    assert f"{built / 'instruct'}: begun from something else, so it begins anew" in said
    rows = [json.loads(line) for line in (built / "instruct" / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == [1, 2]
