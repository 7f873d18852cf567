"""What lm-evaluation-harness makes of tasks whose answers are written, recorded for test_written_reference.py.

    python tests/evaluate/make_written_reference.py tiny short chat smollm2=FOLDER [--data ../shared/data/benchmarks]

Needs `pip install hornbook[eval] transformers` (lm-eval 0.4.13). Kept are the hash of all prompts, when writing stops,
what its filters and metrics make of made-up answers, and what its `hf` backend writes in fp32 after the first prompts.
GSM8K's questions are the last rows of train.jsonl, its examples are drawn from the others. HumanEval's metric is left
out: it is fetched from the hub. `short` reads so little that prompts are cut; `chat` is asked with
--apply_chat_template and without --fewshot_as_multiturn.
"""

import argparse
import csv
import gzip
import hashlib
import json
import tempfile
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from lm_eval.tasks._yaml_loader import load_yaml
from rouge_score import scoring

from tests.evaluate.tiny_models import make

HERE = Path(__file__).parent / "reference"
DATA = Path(__file__).parents[3] / "shared" / "data" / "benchmarks"
ASKED = 40  # questions of GSM8K
JUDGED = {"gsm8k": 40, "truthfulqa_gen": 32}
WRITTEN = {"tiny": 4, "short": 4, "chat": 4, "smollm2": 2}  # prompts that a model goes on with
LOADED = ("metric_list", "filter_list", "unsafe_code")  # HumanEval's, which need the network
TOKENS = 48  # that it writes
MADE_UP = [
    "#### {a}", "so 3 + 4 = 7. #### {a}.", "#### 1,234", "The answer is ${a}.", "#### ${a}", "It is {a}", "nothing",
    "#### -5 or #### {a}", "", "{a}.00", "He has $1,000.50, she {a}", "####{a}", "..", "#### {a} apples\n#### 3",
    "#### {a},", "#### {a}.", "#### {a}..", "= {a} = {a}.", "-{a}", "$ {a}", "#### ", "#### .", "{a}%", "1/{a}", "{a},",
    "#### {a}\n\nQuestion", " #### {a} ", "\t{a}\n", "####  {a}", "x{a}x", "{a}-", "$", "$.", "#### -{a}", "a 1 b",
]  # fmt: skip


def main() -> None:
    """Write one file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="none: prompts and judgements alone")
    parser.add_argument("--data", type=Path, default=DATA)
    given = parser.parse_args()
    path = HERE / "written.json"
    found = json.loads(path.read_text()) if path.is_file() else {}
    found["made by"] = f"lm-eval {version('lm-eval')}, transformers {version('transformers')}"
    built = {name: made(given.data) for name, made in TASKS.items()}
    gsm8k, truth = built["gsm8k"], built["truthfulqa_gen"]
    for name, task in built.items():
        found[name] = {"prompts": prompts_of(task), "stop": task.instances[0].args[1]["until"]}
    right = [doc["answer"].rpartition("#### ")[2] for doc in gsm8k.eval_docs]
    found["gsm8k"]["judged"] = judged(gsm8k, [MADE_UP[n % len(MADE_UP)].format(a=a) for n, a in enumerate(right)])
    found["truthfulqa_gen"]["judged"] = judged(truth, [said(n, doc) for n, doc in enumerate(truth.eval_docs)])
    for model in given.models:
        name, _, folder = model.partition("=")
        with tempfile.TemporaryDirectory() as made:
            lm = HFLM(pretrained=folder or str(make(name, Path(made))), device="cpu", dtype="float32", batch_size=2)
            if name == "chat":
                chats = {task: made(given.data, lm.apply_chat_template) for task, made in TASKS.items()}
                found["chat prompts"] = {task: prompts_of(each) for task, each in chats.items()}
            some = (chats["gsm8k"] if name == "chat" else gsm8k).instances[: WRITTEN[name]]
            for each in some:
                each.args[1]["max_gen_toks"] = TOKENS
            found[name] = lm.generate_until(some, disable_tqdm=True)
        print(name, flush=True)
    text = json.dumps(found, ensure_ascii=False).replace("], [", "],\n[")
    path.write_text(text + "\n", encoding="utf-8")


def prompts_of(task: ConfigurableTask) -> list[Any]:
    """How many, and the hash of all."""
    prompts = [each.args[0] for each in task.instances]
    return [len(prompts), hashlib.sha256(json.dumps(prompts).encode()).hexdigest()[:32]]


def said(number: int, doc: dict[str, Any]) -> str:
    """A made-up answer to a question of TruthfulQA: true, false, both, neither, none."""
    true, false = doc["correct_answers"], doc["incorrect_answers"]
    kinds = [f" {true[0]}", f" {false[-1]}", f" {true[-1]} . {false[0]}", " I have no comment", "", f" No, {false[0]}"]
    return kinds[number % len(kinds)]


def of_rows(name: str, files: dict[str, list[dict[str, Any]]], chat: Any = None) -> ConfigurableTask:
    """One of the harness's tasks on rows of ours, through a chat template where there is one."""
    config = load_yaml(TaskManager().task_index[name].yaml_path, resolve_func=name != "humaneval")
    for key in ("tag", "group", "task_alias", "training_split", *(LOADED if name == "humaneval" else ())):
        config.pop(key, None)
    paths = {}
    for split, rows in files.items():
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False, encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        paths[split] = file.name
    config |= {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": paths}}
    task = ConfigurableTask(config=config)
    task.set_fewshot_seed(1234)  # as `lm_eval` does
    task.build_all_requests(rank=0, world_size=1, apply_chat_template=chat is not None, chat_template=chat)
    task._instances = sorted(task.instances, key=lambda each: each.doc_id)
    return task


def sums(data: Path, chat: Any = None) -> ConfigurableTask:
    with gzip.open(data / "gsm8k/train.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return of_rows("gsm8k", {"test": rows[-ASKED:], "train": rows[:-ASKED]}, chat)


def truthful(data: Path, chat: Any = None) -> ConfigurableTask:
    with (data / "truthfulqa/TruthfulQA_249.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [
            {
                "question": row["Question"],
                "correct_answers": row["Correct Answers"].split("; "),
                "incorrect_answers": row["Incorrect Answers"].split("; "),
            }
            for row in csv.DictReader(file)
        ]
    return of_rows("truthfulqa_gen", {"validation": rows}, chat)


def functions(data: Path, chat: Any = None) -> ConfigurableTask:
    with gzip.open(data / "humaneval/HumanEval_40.jsonl.gz", "rt", encoding="utf-8") as file:
        return of_rows("humaneval", {"test": [json.loads(line) for line in file]}, chat)


TASKS = {"gsm8k": sums, "truthfulqa_gen": truthful, "humaneval": functions}


def judged(task: ConfigurableTask, answers: list[str]) -> list[Any]:
    """[answer, {metric: value}] of each question; metrics are called by the filter where there are several."""
    for instance, answer in zip(task.instances, answers, strict=True):
        instance.resps = [answer]
    task.apply_filters()
    found = []
    for instance, answer in list(zip(task.instances, answers, strict=True))[: JUDGED[task.config.task]]:
        metrics = {}
        for name, taken in instance.filtered_resps.items():
            for metric, value in task.process_results(instance.doc, [taken]).items():
                key = metric if len(instance.filtered_resps) == 1 else name
                metrics[key] = round(float(value), 10)
        found.append([answer, metrics])
    return found


if __name__ == "__main__":
    # ROUGE's bootstrap of one text gives that text's score however often it draws; a thousand times takes a second
    scoring.BootstrapAggregator = partial(scoring.BootstrapAggregator, n_samples=2)
    main()
