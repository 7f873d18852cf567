"""What lm-evaluation-harness asks and answers on the benchmarks' files, recorded for test_reference.py.

    python tests/evaluate/make_reference.py [tiny short begins | smollm2=FOLDER] [--data ../shared/data/benchmarks]

Needs `pip install hornbook[eval] transformers` (lm-eval 0.4.13). Its own tasks are built, from its own YAML, on the
rows of the files, renamed to the columns of the hub's data sets where the files name them otherwise. Of the prompts of
ALL rows a hash is kept; of the first rows each answer of its `hf` backend in fp32, what it makes of them, and the same
log-likelihood in float64, each continuation in a pass by itself: neither side's batches are the measure.
"""

import argparse
import csv
import gzip
import hashlib
import json
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from lm_eval.tasks._yaml_loader import load_yaml

from tests.evaluate.tiny_models import make

Row = dict[str, Any]
HERE = Path(__file__).parent / "reference"
DATA = Path(__file__).parents[3] / "shared" / "data" / "benchmarks"
SUBJECTS = ("abstract_algebra", "international_law", "machine_learning")
FILES = {
    "arc_easy": "arc/arc_easy_validation.jsonl",
    "arc_challenge": "arc/arc_challenge_validation_120.jsonl",
    "hellaswag": "hellaswag/hellaswag_validation_300.jsonl",
    "piqa": "piqa/piqa_validation_400.jsonl",
    "boolq": "boolq/boolq_validation_500.jsonl.gz",
    "winogrande": "winogrande/winogrande_xl_validation_400.jsonl",
    "openbookqa": "openbookqa/openbookqa_validation.jsonl",
    "sciq": "sciq/sciq_validation.jsonl",
    "commonsense_qa": "commonsense_qa/commonsense_qa_validation.jsonl",
    "truthfulqa_mc1": "truthfulqa/TruthfulQA_249.csv",
    "truthfulqa_mc2": "truthfulqa/TruthfulQA_249.csv",
    "lambada_openai": "lambada/lambada_openai_800.jsonl.gz",
    **{f"mmlu_{subject}": f"mmlu/test/{subject}_test.csv" for subject in SUBJECTS},
}
OURS = {"lambada_openai": "lambada"}  # names that differ
SHORT = ("arc_easy", "boolq", "lambada_openai", "mmlu_abstract_algebra")  # whose continuations a short model can read
ROLLING = ["The water in the river.", "What she said about the people of that country is true, or is it not? " * 12]
PAIRS = [["", "The water"], ["Answer: ", "yes"], ["Answer:\n", "yes"], ["The", " people of that country"]]


def main() -> None:
    """Write a file for each model that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["tiny", "short", "begins"])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows", type=int, default=8, help="of each task that the model answers (8)")
    given = parser.parse_args()
    index = TaskManager().task_index
    tasks = {name: build(name, index[name].yaml_path, given.data) for name in FILES}
    prompts = {OURS.get(name, name): hash_of(arguments(task)) for name, task in tasks.items()}
    (HERE / "prompts.json").write_text(json.dumps(prompts, indent=1) + "\n")
    for model in given.models:
        name, _, folder = model.partition("=")
        with tempfile.TemporaryDirectory() as made:
            some = {each: tasks[each] for each in (SHORT if name == "short" else tasks)}
            found = record(folder or str(make(name, Path(made))), some, given.rows)
        (HERE / f"{name}.json").write_text(json.dumps(found, separators=(",", ":")).replace("],[", "],\n[") + "\n")
        print(name, flush=True)


def build(name: str, yaml: Path, data: Path) -> ConfigurableTask:
    """One of the harness's tasks on the rows of a file."""
    config = load_yaml(yaml)
    for key in ("tag", "group", "task_alias", "training_split"):
        config.pop(key, None)
    if name == "hellaswag":
        config.pop("process_docs")  # the file is what it made
    split = config.get("test_split") if name.startswith(("mmlu", "lambada")) else "validation"
    config |= {"dataset_path": "json", "dataset_name": None, "test_split": None, "validation_split": split}
    files = {split: write(convert(name, data / FILES[name]))}
    if name.startswith("mmlu"):
        dev = data / FILES[name].replace("test", "dev")
        files["dev"], config["num_fewshot"] = write(convert(name, dev)), 5
    config["dataset_kwargs"] = {"data_files": files}
    task = ConfigurableTask(config=config)
    task.build_all_requests(rank=0, world_size=1)
    return task


def convert(name: str, path: Path) -> Iterator[Row]:
    """The rows of a file with the columns of the hub's data set."""
    if name.startswith("mmlu"):
        for question, *choices, answer in csv.reader(path.open(encoding="utf-8", newline="")):
            yield {"question": question, "choices": choices, "answer": "ABCD".index(answer)}
        return
    if path.suffix == ".csv":
        for row in csv.DictReader(path.open(encoding="utf-8-sig", newline="")):
            true, false = row["Correct Answers"].split("; "), row["Incorrect Answers"].split("; ")
            one = {"choices": [row["Best Answer"], *false], "labels": [1] + [0] * len(false)}
            many = {"choices": true + false, "labels": [1] * len(true) + [0] * len(false)}
            yield {"question": row["Question"], "mc1_targets": one, "mc2_targets": many}
        return
    opened: Any = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")  # noqa: SIM115
    for row in map(json.loads, opened):
        if name == "boolq":
            row["label"] = int(row["answer"])
        if name == "lambada_openai":
            row = {"text": f"{row['context']} {row['continuation']}"}
        if name == "hellaswag":
            row["label"] = row["gold"]
        yield row


def write(rows: Iterator[Row]) -> str:
    """The path of a temporary file with the rows."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False, encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return file.name


def arguments(task: ConfigurableTask) -> list[list[str]]:
    """What is asked about all rows, without the questions that some metrics add."""
    return [list(each.args) for each in sorted(task.instances, key=lambda each: (each.doc_id, each.idx))]


def hash_of(pairs: list[list[str]]) -> list[Any]:
    """How many questions, and what they are known by."""
    return [len(pairs), hashlib.sha256(json.dumps(pairs, ensure_ascii=False).encode()).hexdigest()[:32]]


def record(folder: str, tasks: dict[str, ConfigurableTask], rows: int) -> dict[str, Any]:
    """Every answer of one model: [nats, greedy, nats in float64]; the metrics of each row."""
    model = HFLM(pretrained=folder, device="cpu", dtype="float32", batch_size=8)
    exact = HFLM(pretrained=folder, device="cpu", dtype="float64", batch_size=1)
    found: dict[str, Any] = {"made by": f"lm-eval {version('lm-eval')}, transformers {version('transformers')}"}
    for name, task in tasks.items():
        some = [each for each in task.instances if each.doc_id < (rows if not name.startswith("mmlu") else rows // 2)]
        some.sort(key=lambda each: (each.doc_id, each.idx))
        answers, metrics = likely(model, exact, some), []
        for doc_id in sorted({each.doc_id for each in some}):
            own = [tuple(answer[:2]) for each, answer in zip(some, answers, strict=True) if each.doc_id == doc_id]
            result = task.process_results(task.eval_docs[doc_id], own)
            metrics.append({key: float(value) for key, value in result.items()})
        found[OURS.get(name, name)] = {"answers": answers, "metrics": metrics}
        print(" ", name, flush=True)
    asked = [Instance("loglikelihood", {}, tuple(pair), 0) for pair in PAIRS]
    found["pairs"] = [[pair, answer] for pair, answer in zip(PAIRS, likely(model, exact, asked), strict=True)]
    whole = [Instance("loglikelihood_rolling", {}, (text,), 0) for text in ROLLING]
    both = (each.loglikelihood_rolling(whole) for each in (model, exact))
    found["rolling"] = [list(each) for each in zip(ROLLING, *both, strict=True)]  # text, nats, nats in float64
    return found


def likely(model: HFLM, exact: HFLM, asked: list[Instance]) -> list[list[Any]]:
    fp32, fp64 = model.loglikelihood(asked, disable_tqdm=True), in_float64(exact, asked)
    return [[round(nats, 6), bool(greedy), round(more, 6)] for (nats, greedy), more in zip(fp32, fp64, strict=True)]


@torch.inference_mode()
def in_float64(exact: HFLM, asked: list[Instance]) -> list[float]:
    """Each in a pass by itself; continuations of one token after the same context share theirs."""
    known: dict[tuple[int, ...], torch.Tensor] = {}
    found = []
    for each in asked:
        context, continuation = each.args
        if context:
            before, after = exact._encode_pair(context, continuation)
        else:
            before, after = [exact.prefix_token_id], exact.tok_encode(continuation, add_special_tokens=False)
        read = tuple((before + after)[-exact.max_length - 1 :][:-1])
        if read not in known:
            known = {read: exact.model(torch.tensor([read])).logits[0].double().log_softmax(-1)}
        scores = known[read][-len(after) :]
        found.append(float(scores[range(len(after)), after].sum()))
    return found


if __name__ == "__main__":
    main()
