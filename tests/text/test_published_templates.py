"""The chat templates of public models: the same ids as transformers, and the same mask or a refusal."""

import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.text.bpe import BPE
from hornbook.text.chat import Message, Rendered, Renderer

TALK: list[Message] = [
    {"role": "user", "content": "What is 1 + 1?"},
    {"role": "assistant", "content": "Two."},
    {"role": "user", "content": "再加一呢"},
    {"role": "assistant", "content": "三 🌱."},
]

try:
    TRL = Path(str(resources.files("trl"))) / "chat_templates"
except ModuleNotFoundError:
    TRL = Path("nowhere")
BAR = "[|\uff5c]"  # DeepSeek's is the wide one
TOKEN = re.compile(rf"<{BAR}[A-Za-z_\u2581]+{BAR}>|<(?:start|end)_of_turn>|<turn\||<\|turn>|<turn\|>")
DATED = ("gptoss", "llama3_2", "muse_glimmer")  # they write the day into the text
PICTURES = ("idefics3", "llava_next", "smolvlm")  # they take content in parts
UNFIT = [  # without markers: what the assistant is given is not what the whole says afterwards, or no stop token is
    "deepseek_r1_distill", "deepseekv3", "glm4moe", "nemotron_3_5_lightning", "nemotron_3_nano", "nemotron_3_super",
    "nemotron_3_ultra",
]  # fmt: skip
UNFIT_LATER = ["qwen3_5_nothink", "qwen3_5_think", "qwen3_6"]  # from the second answer on


def published() -> list[str]:
    names = sorted(file.stem for file in TRL.glob("*.jinja")) if TRL.is_dir() else []
    return [name for name in names if not name.startswith((*DATED, *PICTURES))]


def source_of(name: str) -> str:
    return (TRL / f"{name}.jinja").read_text(encoding="utf-8")


MARKED = [name for name in published() if re.search("generation -?%}", source_of(name))]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """A tokenizer with the special tokens of all these templates, ours and as transformers reads it."""
    transformers = pytest.importorskip("transformers")
    found = {token for name in published() for token in TOKEN.findall(source_of(name))}
    special = sorted(found | {"<bos>", "<|endoftext|>"})
    ours = BPE(vocab=290 + len(special), split="gpt2", special=special).train(["What is one? Two."], processes=1)
    folder = tmp_path_factory.mktemp("both")
    ours.save(folder)
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    theirs.bos_token, theirs.eos_token = "<bos>", "<|endoftext|>"
    return ours, theirs


def rendered(tokenizer: Any, name: str, talk: list[Message]) -> tuple[Renderer, Rendered]:
    renderer = Renderer(tokenizer, source_of(name), {"bos_token": "<bos>", "eos_token": "<|endoftext|>"})
    return renderer, renderer.render(talk)


def expected(tokenizer: Any, name: str, talk: list[Message], *, mask: bool) -> Any:
    return tokenizer.apply_chat_template(
        talk, chat_template=source_of(name), tokenize=True, return_dict=True, return_assistant_tokens_mask=mask
    )


@pytest.mark.parametrize("talk", [TALK[:2], TALK], ids=["one turn", "two turns"])
@pytest.mark.parametrize("name", MARKED)
def test_with_markers_ids_and_mask_are_those_of_transformers(both: Any, name: str, talk: list[Message]) -> None:
    _, ours = rendered(both[0], name, talk)
    theirs = expected(both[1], name, talk, mask=True)
    assert ours.ids == theirs["input_ids"]
    assert ours.trained == [bool(mask) for mask in theirs["assistant_masks"]]


@pytest.mark.parametrize("talk", [TALK[:2], TALK], ids=["one turn", "two turns"])
@pytest.mark.parametrize("name", [name for name in published() if name not in MARKED])
def test_without_markers_the_answers_are_found_or_refused(both: Any, name: str, talk: list[Message]) -> None:
    if name in UNFIT or (name in UNFIT_LATER and len(talk) > 2):
        with pytest.raises(UserError, match=r"put {% generation %}|never learn to stop"):
            rendered(both[0], name, talk)
        return
    renderer, ours = rendered(both[0], name, talk)
    assert ours.ids == expected(both[1], name, talk, mask=False)["input_ids"]
    text = renderer.tokenizer.decode([i for i, trained in zip(ours.ids, ours.trained, strict=True) if trained])
    stop = renderer.tokenizer.decode([renderer.stop])
    # a template may have the assistant think before it answers: only what it says is in all of them
    assert re.fullmatch("".join(f"(?:<think>)?[^A-Z]*{re.escape(m['content'] + stop)}" for m in talk[1::2]), text), text


@pytest.mark.parametrize("name", ["llama3", "cohere"])
def test_without_markers_the_mask_is_that_of_the_same_template_with_them(both: Any, name: str) -> None:
    """trl's own training templates also train the line end behind a stop token; these two have none there."""
    _, ours = rendered(both[0], name, TALK)
    theirs = expected(both[1], f"{name}_training", TALK, mask=True)
    assert (ours.ids, ours.trained) == (theirs["input_ids"], [bool(mask) for mask in theirs["assistant_masks"]])
