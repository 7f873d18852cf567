"""Text in, text out, on a small model with a tokenizer of its own; and against transformers."""

import json
from pathlib import Path

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.stream import Options
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder
from hornbook.model.embed import Tokens
from hornbook.model.init import Normal
from hornbook.model.mlp import GatedMLP
from hornbook.model.norm import RMSNorm
from hornbook.model.rope import Rope
from hornbook.model.stack import Stack
from hornbook.text.bpe import BPE
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.chat import Renderer

GREEDY: Options = {"temperature": 0.0, "max_new_tokens": 12}


@pytest.fixture(scope="module")
def tokenizer() -> ByteBPE:
    return BPE(vocab=280, split="gpt2").train(["the cat and the hat sat on the mat\n"] * 3, processes=1)


@pytest.fixture
def lm(tokenizer: ByteBPE) -> LanguageModel:
    stack = Stack(
        layers=2, layer=[Attention(heads=4, kv_heads=2), GatedMLP(hidden=48)], norm=RMSNorm(), position=Rope()
    )
    tokens = Tokens(vocab=tokenizer.vocab + 8)  # a table padded to a round number
    model = Decoder(dim=32, length=48, embed=tokens, stack=stack, init=Normal(std=0.2)).build()
    return LanguageModel(model, tokenizer)


PROMPTS = ["the cat", "on", "the hat and the mat sat", ""]


def test_pieces_joined_are_the_text(lm: LanguageModel) -> None:
    for options in (GREEDY, Options(seed=3, max_new_tokens=20), Options(seed=3, top_p=0.8, repetition_penalty=1.2)):
        for prompt in PROMPTS:
            assert "".join(lm.stream(prompt, **options)) == lm.generate(prompt, **options)


def test_a_list_is_written_like_each_alone(lm: LanguageModel) -> None:
    assert lm.generate(PROMPTS, **GREEDY) == [lm.generate(prompt, **GREEDY) for prompt in PROMPTS]
    drawn = lm.generate(PROMPTS, seed=7, max_new_tokens=12)
    assert drawn == [lm.generate(p, seed=7 + number, max_new_tokens=12) for number, p in enumerate(PROMPTS)]
    assert lm.generate([]) == []


def test_more_prompts_than_stand_side_by_side(lm: LanguageModel) -> None:
    many = [f"{PROMPTS[n % 3]}{n}" for n in range(40)]
    assert lm.generate(many, **GREEDY)[::13] == [lm.generate(prompt, **GREEDY) for prompt in many[::13]]


def test_without_a_seed_every_text_is_another(lm: LanguageModel) -> None:
    assert lm.generate("the", max_new_tokens=20) != lm.generate("the", max_new_tokens=20)


def test_stop_strings_end_the_text_and_are_not_part_of_it(lm: LanguageModel) -> None:
    free = lm.generate("the cat", **GREEDY)
    stop = free[3:6]
    assert lm.generate("the cat", **GREEDY, stop=[stop]) == free[: free.index(stop)]


def test_writing_ends_at_the_models_length(lm: LanguageModel, tokenizer: ByteBPE) -> None:
    text = lm.generate("the cat", temperature=1.0, seed=1, max_new_tokens=10_000)
    assert text
    with pytest.raises(UserError, match="do not fit the model's 48"):
        lm.generate("cat " * 100)


def test_a_special_token_in_a_prompt_is_plain_text(lm: LanguageModel, tokenizer: ByteBPE) -> None:
    assert tokenizer.end not in lm.ids("a<|endoftext|>b")


def test_chat_goes_on_from_the_rendered_prompt(lm: LanguageModel, tokenizer: ByteBPE) -> None:
    messages = [{"role": "user", "content": "cat"}]
    assert not lm.chats
    with pytest.raises(UserError, match="no chat template"):
        lm.chat(messages)
    chatty = LanguageModel(lm.module, tokenizer, Renderer(tokenizer))
    assert chatty.chats
    answer = chatty.chat(messages, **GREEDY)
    assert answer == "".join(chatty.stream_chat(messages, **GREEDY))
    assert chatty.chat_batch([messages, messages], **GREEDY) == [answer, answer]
    assert not answer.count("<|im_end|>")


def test_a_user_turn_is_what_follows_the_open_template(lm: LanguageModel, tokenizer: ByteBPE) -> None:
    template = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}[over]{% endfor %}"
    chatty = LanguageModel(lm.module, tokenizer, Renderer(tokenizer, template))
    turns = chatty.user_turns(3, max_new_tokens=8, seed=4)
    assert turns == [chatty.generate("[user]", max_new_tokens=8, seed=4 + i) for i in range(3)]


def test_a_saved_model_chats_and_stops_alike(lm: LanguageModel, tokenizer: ByteBPE, tmp_path: Path) -> None:
    chatty = LanguageModel(lm.module, tokenizer, Renderer(tokenizer))
    chatty.save(tmp_path / "model")
    again = LanguageModel.load(tmp_path / "model")
    messages = [{"role": "user", "content": "cat"}]
    assert again.chat(messages, **GREEDY) == chatty.chat(messages, **GREEDY)
    assert again.renderer is not None
    assert again.renderer.ends == {tokenizer.end, tokenizer.special["<|im_end|>"]}


def test_a_model_without_a_tokenizer_says_so(lm: LanguageModel) -> None:
    with pytest.raises(UserError, match="no tokenizer"):
        LanguageModel(lm.module, None).generate("a")


def test_another_tokenizer_beside_the_model_is_refused(lm: LanguageModel, tokenizer: ByteBPE, tmp_path: Path) -> None:
    lm.save(tmp_path)
    assert LanguageModel.load(tmp_path).tokenizer is not None
    other = BPE(vocab=280, split="gpt2").train(["quite another text, with other pairs\n"] * 3, processes=1)
    other.save(tmp_path)
    with pytest.raises(UserError) as error:
        LanguageModel.load(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}/tokenizer.json: tokenizer {other.fingerprint[:12]} is not the model's, which config.json says is "
        f"{tokenizer.fingerprint[:12]}; copy the model's own tokenizer.json into the folder"
    )


def test_a_folder_that_names_no_tokenizer_takes_the_one_beside_it(lm: LanguageModel, tmp_path: Path) -> None:
    lm.save(tmp_path)
    fields = json.loads((tmp_path / "config.json").read_text())
    del fields["tokenizer_fingerprint"]
    (tmp_path / "config.json").write_text(json.dumps(fields))
    assert LanguageModel.load(tmp_path).generate("the", **GREEDY) == lm.generate("the", **GREEDY)


def test_options_that_do_not_fit_are_refused_in_one_sentence(lm: LanguageModel) -> None:
    for options in (Options(temperature=-1.0), Options(top_p=0.0), Options(max_new_tokens=-1), Options(stop=[""])):
        with pytest.raises(UserError):
            lm.generate("a", **options)


@pytest.mark.slow
def test_greedy_text_equals_transformers(lm: LanguageModel, tokenizer: ByteBPE, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    with torch.no_grad():
        lm.module.embed.table.weight[tokenizer.vocab :] = 0  # transformers would write ids that mean nothing
    chatty = LanguageModel(lm.module, tokenizer, Renderer(tokenizer))
    chatty.save(tmp_path / "model")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    reader = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    assert theirs.generation_config.eos_token_id == sorted(chatty.renderer.ends)
    for prompt in PROMPTS[:3]:
        ids = reader(prompt, return_tensors="pt").input_ids
        for penalty in (1.0, 1.3):
            written = theirs.generate(ids, max_new_tokens=24, do_sample=False, repetition_penalty=penalty)
            text = reader.decode(written[0, ids.shape[1] :], skip_special_tokens=True)
            assert chatty.generate(prompt, temperature=0.0, max_new_tokens=24, repetition_penalty=penalty) == text
