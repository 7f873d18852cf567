"""The pages whose code runs: every Python block, from top to bottom, with the names of the blocks above it."""

import re
import subprocess
from pathlib import Path

import pytest
import torch
import yaml
from torch.distributed.run import get_args_parser

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [
    "adapters",
    "chat",
    "classification",
    "continuing",
    "decoders",
    "decoding",
    "distillation",
    "embedding",
    "encoder-decoders",
    "encoders",
    "engine",
    "evaluation",
    "files",
    "judging",
    "model",
    "objectives",
    "optimizers",
    "people",
    "preferences",
    "quantising",
    "recipes",
    "recurrent",
    "reinforcement",
    "rows",
    "rules",
    "scaling",
    "training",
]
BILINGUAL = [
    *PAGES,
    "architectures",
    "cluster",
    "corpus",
    "data",
    "elsewhere",
    "parallel",
    "plan",
    "serving",
    "synthetic",
    "tokenizer",
]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```\w*\n.*?^```$", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", [".md", ".zh.md"])
@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(page: str, language: str) -> None:
    torch.manual_seed(0)
    blocks = BLOCK.findall(text(page + language))
    assert len(blocks) >= 4
    names: dict[str, object] = {}
    for number, code in enumerate(blocks):
        exec(compile(code, f"{page}{language}, block {number + 1}", "exec"), names)


@pytest.mark.parametrize("page", BILINGUAL)
def test_both_languages_run_the_same_code(page: str) -> None:
    """Python, commands and recipes alike; comments are in the language of the page."""

    def code(name: str) -> list[str]:
        return [re.sub(r" *#.*", "", block) for block in FENCE.findall(text(name))]

    assert code(f"{page}.md") == code(f"{page}.zh.md")


@pytest.mark.parametrize("page", BILINGUAL)
def test_both_languages_have_the_same_sections_rows_and_figures(page: str) -> None:
    def skeleton(name: str) -> list[object]:
        prose = FENCE.sub("", text(name))
        rows = [row for row in prose.splitlines() if row.startswith("|")]
        figures = [re.findall(r"\d+\.\d+", row) for row in rows]
        return [re.findall(r"^#+(?= )", prose, re.MULTILINE), figures]

    assert skeleton(f"{page}.md") == skeleton(f"{page}.zh.md")


@pytest.mark.parametrize("index", ["README.md", "README.zh.md"])
def test_the_index_names_every_page(index: str) -> None:
    linked = set(re.findall(r"\]\(([\w.-]+\.md)\)", text(index)))
    assert {page.name for page in DOCS.glob("*.md")} - linked <= {index}


def test_the_cluster_examples_parse() -> None:
    """The shell reads the Slurm script, YAML the Kubernetes objects; torchrun's options are torchrun's."""
    page = text("cluster.md")
    script = re.findall(r"^```bash\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0]
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    objects = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0]
    service, job = yaml.safe_load_all(objects)
    assert (service["kind"], job["kind"]) == ("Service", "Job")
    command = job["spec"]["template"]["spec"]["containers"][0]["command"]
    options = get_args_parser().parse_args(command[1:])
    assert (options.nnodes, options.max_restarts, options.training_script) == ("2", 3, "hornbook")
    assert options.training_script_args[:1] == ["train"]
    assert options.training_script_args[2] == "--run"
    assert job["spec"]["completions"] == int(options.nnodes)
