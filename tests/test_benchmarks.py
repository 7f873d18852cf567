"""Every benchmark runs at a tiny size and prints its figures; the peers of a training step do the same work as ours."""

import importlib
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def run(monkeypatch, capsys):
    """`run("train_speed.py", "--tiny")` -> {figure: value}, in this process: torch is imported only once."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def run(name: str, *options: str) -> dict[str, float]:
        monkeypatch.setattr(sys, "argv", [name, *options])
        threads = torch.get_num_threads()
        try:
            runpy.run_path(str(BENCHMARKS / name), run_name="__main__")
        finally:
            torch.set_num_threads(threads)
        return figures(capsys.readouterr().out)

    return run


def figures(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^figure (\S+) (\S+)$", text, re.MULTILINE)}


def test_train_speed_compares_three_contestants(run):
    assert 0.01 < run("train_speed.py", "--tiny")["thread_tiny"] < 100


@pytest.mark.slow
def test_layouts_run_in_processes_that_take_turns(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    layouts = importlib.import_module("layouts")
    some = [layouts.Layout("hornbook", 2, 1), layouts.Layout("plain loop", 1, 1), layouts.Layout("plain loop", 2, 1)]
    monkeypatch.setattr(layouts, "layouts", lambda cores: some)
    monkeypatch.setattr(layouts, "TURN", 0.05)
    assert 0.001 < layouts.compare("tiny", 16, "fp32", 1) < 1000
    said = capsys.readouterr().out
    assert re.findall(r"^  (\S.*?)  ", said, re.MULTILINE) == [each.title for each in some]


def test_scan_times_what_is_equal(run):
    assert run("scan.py", "--tiny").keys() == {"mamba_scan", "rwkv_scan"}


def test_galore_keeps_less_in_processes_of_their_own(run):
    assert run("galore.py", "--tiny")["galore_memory"] > 1.5


def test_time_to_loss_without_a_text_reads_the_standard_library(run, monkeypatch, tmp_path):
    monkeypatch.setenv("HORNBOOK_DATA", str(tmp_path))
    assert run("time_to_loss.py", "--tiny").keys() == {"time_to_loss"}


def test_a_mark_that_was_reached_at_once_is_dated_by_the_first_look(run, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("to be or not to be " * 400)
    found = run("time_to_loss.py", "--tiny", "--text", str(text), "--target", "99", "--plain-seconds", "1e6")
    assert found["time_to_loss"] > 1e3


def test_a_mark_that_is_never_reached_is_worth_nothing(run):
    assert run("time_to_loss.py", "--tiny", "--target", "0", "--plain-seconds", "1")["time_to_loss"] == 0


def test_the_plain_loop_and_our_model_compute_the_same(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    speed = runpy.run_path(str(BENCHMARKS / "train_speed.py"))
    shape = speed["SHAPES"]["tiny"]
    torch.manual_seed(0)
    plain = speed["PlainGPT"](vocab=65, length=8, layers=1, dim=16, heads=2)
    ours = shape.decoder().build()
    block, (attention, mlp) = plain.blocks[0], ours.stack.layers[0]
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.normal_(0, 0.2)
        ours.embed.table.weight.copy_(plain.tokens.weight)
        ours.stack.position.table.weight.copy_(plain.places.weight)
        pairs = [(attention.norm, block.norm_1), (attention.op.output, block.mix), (mlp.norm, block.norm_2)]
        pairs += [(mlp.op.up, block.up), (mlp.op.output, block.down), (ours.stack.final_norm, plain.norm)]
        for to, came_from in pairs:
            to.load_state_dict(came_from.state_dict())
        for i, part in enumerate((attention.op.query, attention.op.key, attention.op.value)):
            part.weight.copy_(block.qkv.weight.chunk(3)[i])
            part.bias.copy_(block.qkv.bias.chunk(3)[i])
    ids = torch.randint(65, (3, 8))
    torch.testing.assert_close(ours(ids).logits, plain(ids), atol=2e-5, rtol=1e-5)
    theirs = speed["transformers_gpt2"](shape)
    counts = {sum(p.numel() for p in model.parameters()) for model in (ours, plain, theirs)}
    assert len(counts) == 1


@pytest.mark.slow
def test_load_measures_memory_and_time_in_processes_of_their_own():
    command = [sys.executable, str(BENCHMARKS / "load.py"), "--tiny"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    assert figures(done.stdout).keys() == {"load_memory", "load_time", "load_memory_gguf", "load_time_gguf"}
    assert figures(done.stdout)["load_time"] > 1


def test_bpe_trains_and_encodes_like_its_peers():
    command = [sys.executable, str(BENCHMARKS / "bpe.py"), "--megabytes", "0.3", "--vocab", "400"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    assert figures(done.stdout)


def test_extraction_scores_ours_beside_trafilatura(run, tmp_path):
    """Pages that are made up: both find all of their text."""
    pytest.importorskip("trafilatura")
    assert run("extraction.py", "--tiny", "--data", str(tmp_path)) == {"extraction_f1": 1.0}


def test_corpus_times_each_filter_without_its_peer(tmp_path):
    """A round of our side on the made-up texts; datatrove is asked by hand (`--peer`)."""
    command = [sys.executable, BENCHMARKS / "corpus.py", "child", "ours", tmp_path / "none"]
    output = subprocess.run(command, input="round\n", capture_output=True, text=True, check=True).stdout
    row = json.loads(output)
    assert row.keys() == {"gopher quality", "gopher repetition", "c4", "fineweb"}
    assert all(seconds > 0 for seconds in row.values())


@pytest.mark.slow
def test_finetune_takes_turns_with_trl():
    pytest.importorskip("trl")
    command = [sys.executable, str(BENCHMARKS / "finetune.py"), "--tiny"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    found = figures(done.stdout)
    assert found.keys() == {"sft", "lora_step", "lora_memory", "dpo_step", "grpo_overhead"}
    assert all(value > 0 for value in found.values())
    assert found["lora_memory"] < 1


def test_what_finetune_gives_trl_is_what_our_stage_trains(monkeypatch, tmp_path):
    """The same conversations as ids and labels: theirs are shifted by the model, ours before."""
    pytest.importorskip("transformers")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    names = runpy.run_path(str(BENCHMARKS / "finetune.py"))
    bench = names["Bench"](names["TINY"], tmp_path)
    bench.ours("instruct", bench.stage())
    mine = {
        (tuple(row.inputs.tolist()), tuple(row.labels.tolist())) for row in bench.trainers["instruct"].job.source.rows
    }
    theirs = {(tuple(row["input_ids"][:-1]), tuple(row["labels"][1:])) for row in bench.examples()}
    assert theirs
    assert theirs <= mine
    assert all(len(inputs) == bench.size.length for inputs, _ in mine - theirs)  # a token longer, too long for theirs


def test_batch8_writes_several_at_once(run):
    found = run("batch8.py", "--tiny", "--rounds", "1", "--tokens", "8")
    assert found.keys() == {"batch8", "batch8_cpu", "batch8_steps", "batch1"}


@pytest.mark.slow
def test_serve_streams_to_several_at_once():
    found = figures(tiny("serve.py"))
    assert found.keys() == {"first_p50", "first_p95", "tokens_per_second", "alone", "wrong"}
    assert found["wrong"] == 0


@pytest.mark.slow
def test_soak_loses_nothing():
    found = figures(tiny("soak.py"))
    assert found["requests"] > 20
    assert (found["lost"], found["stuck"]) == (0, 0)


def tiny(name: str) -> str:
    """What a benchmark prints in a process of its own."""
    command = [sys.executable, str(BENCHMARKS / name), "--tiny"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout
