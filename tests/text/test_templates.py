"""Our templates write what their makers published, to the letter."""

from importlib import resources

import pytest

from hornbook.core.errors import UserError
from hornbook.text.bpe import BPE
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.chat import Message, Renderer
from hornbook.text.templates import TEMPLATES, sayable

ASK: Message = {"role": "user", "content": "Identify the correct spelling of the following word.", "input": "Ocassion"}
ANSWER: Message = {"role": "assistant", "content": "The correct spelling is 'Occasion.'"}
BARE: Message = {"role": "user", "content": "What is an antonym of 'complicated'?"}
TALK: list[Message] = [{"role": "system", "content": "Be kind."}, BARE, ANSWER, {"role": "user", "content": " 谢谢 "}]


@pytest.fixture(scope="module")
def tokenizer() -> ByteBPE:
    special = ["<|endoftext|>", *sorted({token for each in TEMPLATES.values() for token in each.tokens})]
    return BPE(vocab=300, split="gpt2", special=special).train(["the spelling of a word"], processes=1)


def whole(tokenizer: ByteBPE, name: str, messages: list[Message]) -> str:
    return tokenizer.decode(Renderer(tokenizer, name).render(messages).ids)


def prompt(tokenizer: ByteBPE, name: str, messages: list[Message]) -> str:
    return tokenizer.decode(Renderer(tokenizer, name).prompt(messages))


def test_alpaca_is_stanfords_prompt_dict(tokenizer: ByteBPE) -> None:
    with_input = (
        "Below is an instruction that describes a task, paired with an input that provides further context. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n{content}\n\n### Input:\n{input}\n\n### Response:"
    )
    without = (
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n{content}\n\n### Response:"
    )
    assert prompt(tokenizer, "alpaca", [ASK]) == with_input.format(**ASK)
    assert prompt(tokenizer, "alpaca", [BARE]) == without.format(**BARE)
    assert whole(tokenizer, "alpaca", [BARE, ANSWER]) == without.format(**BARE) + ANSWER["content"] + "<|endoftext|>"


def format_input(entry: Message) -> str:
    """Raschka 2024, listing 7.2."""
    text = (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request."
        f"\n\n### Instruction:\n{entry['content']}"
    )
    return text + (f"\n\n### Input:\n{entry['input']}" if entry.get("input") else "")


@pytest.mark.parametrize("entry", [ASK, BARE])
def test_book_is_the_form_of_chapter_7(tokenizer: ByteBPE, entry: Message) -> None:
    response = f"\n\n### Response:\n{ANSWER['content']}"
    assert whole(tokenizer, "book", [entry, ANSWER]) == format_input(entry) + response + "<|endoftext|>"


@pytest.mark.parametrize("entry", [ASK, BARE])
def test_book_phi3_is_the_form_of_exercise_7_1(tokenizer: ByteBPE, entry: Message) -> None:
    asked = f"<|user|>\n{entry['content']}" + (f"\n{entry['input']}" if entry.get("input") else "")
    text = asked + f"\n<|assistant|>:\n{ANSWER['content']}<|endoftext|>"
    bare = BPE(vocab=260, split="gpt2", special=("<|endoftext|>",)).train(["abc"], processes=1)
    assert whole(bare, "book_phi3", [entry, ANSWER]) == text


CHATML = (  # as most hubs have it
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@pytest.mark.parametrize("published", ["phi3", "llama3", "chatml"])
@pytest.mark.parametrize("end", [2, 3, 4])
def test_the_same_text_as_the_published_template(tokenizer: ByteBPE, published: str, end: int) -> None:
    """Llama 3's and Phi-3's as trl keeps them, which test their own copies against the hub."""
    source = CHATML
    if published != "chatml":
        pytest.importorskip("trl")
        source = (resources.files("trl") / "chat_templates" / f"{published}.jinja").read_text(encoding="utf-8")
    theirs, ours = Renderer(tokenizer, source), Renderer(tokenizer, published)
    assert theirs.prompt(TALK[:end]) == ours.prompt(TALK[:end])
    if end > 2:
        assert theirs.render(TALK[:end]) == ours.render(TALK[:end]), "and the mask that was found without markers"


def test_a_system_message_stands_where_the_opening_would(tokenizer: ByteBPE) -> None:
    text = "Be kind.\n\n### Instruction:\nWhat is an antonym of 'complicated'?\n\n### Response:"
    assert prompt(tokenizer, "alpaca", TALK[:2]) == text
    assert prompt(tokenizer, "book", TALK[:2]) == text + "\n" == prompt(tokenizer, "plain", TALK[:2])


def test_every_template_ends_each_answer_with_its_stop_and_begins_like_its_prompt(tokenizer: ByteBPE) -> None:
    talk = [*TALK, {"role": "assistant", "content": "    return 2"}]
    for name in TEMPLATES:
        renderer = Renderer(tokenizer, name)
        rendered = renderer.render(talk)
        trained = [i for i, yes in zip(rendered.ids, rendered.trained, strict=True) if yes]
        assert (trained.count(renderer.stop), trained[-1]) == (2, renderer.stop), name
        before = renderer.prompt(talk[:4])
        assert rendered.ids[: len(before)] == before, name


def test_what_any_tokenizer_can_say_is_named_where_a_token_is_missing() -> None:
    bare = BPE(vocab=260, split="gpt2", special=("<|endoftext|>",)).train(["abc"], processes=1)
    assert sayable(bare.special) == ["alpaca", "book", "book_phi3", "plain"]
    for name in sorted(set(TEMPLATES) - set(sayable(bare.special))):
        with pytest.raises(UserError) as refusal:
            Renderer(bare, name)
        assert f"chat template {name}: the tokenizer has no token {TEMPLATES[name].tokens[0]};" in str(refusal.value)
        assert "take alpaca or book or book_phi3 or plain, which need none" in str(refusal.value)
