"""A model and its tokenizer, together: what `hornbook.load` gives and what `save` makes a folder of."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Unpack, overload

import torch
from torch import Tensor

from hornbook.adapt.adapter import folded, merge
from hornbook.core.errors import UserError
from hornbook.data.marks import marks
from hornbook.exchange import folder as exchange
from hornbook.exchange import gguf_model as gguf
from hornbook.exchange import peft, tensorflow
from hornbook.generate import adapters, embedding
from hornbook.generate.classify import Verdict, classify
from hornbook.generate.embedding import Sentences
from hornbook.generate.engine import Limits
from hornbook.generate.fill import Guess, fill
from hornbook.generate.hub import find
from hornbook.generate.search import Found, Method, search
from hornbook.generate.stream import Options, stream
from hornbook.model.both_ways import looks_ahead
from hornbook.model.decoder import DecoderModel
from hornbook.model.encoder import EncoderModel
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.model.models import AnyModel
from hornbook.model.pool import RowHead
from hornbook.model.quantised import Kind, pack
from hornbook.text import chat
from hornbook.text import tokenizer as text
from hornbook.text.chat import Message, Renderer
from hornbook.text.sentencepiece_model import IN_FOLDERS
from hornbook.text.tokenizer import Tokenizer

TOKENIZERS = ("tokenizer.json", "vocab.bpe", "vocab.txt", *IN_FOLDERS)  # any of these has one
TOGETHER = 32  # prompts written side by side: bounds the memory of their states


class LanguageModel:
    """`module` computes logits from ids; `tokenizer` (None, where the folder has none) makes ids of text."""

    def __init__(self, module: AnyModel, tokenizer: Tokenizer | None, renderer: Renderer | None = None) -> None:
        self.module, self.tokenizer, self.renderer = module, tokenizer, renderer
        self.sentences = Sentences.of(module)  # how `embed` makes one vector of a text

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        dtype: str | None = "float32",
        base: str | Path | None = None,
        quantise: Kind | None = None,
    ) -> "LanguageModel":
        """Read a run, a Hugging Face folder, a hub id, a GGUF file, OpenAI's GPT-2; `dtype` None keeps its numbers.

        An adapter's folder gives its model with the adapter on it; `base` is that model where it is not where it was.
        quantise: how matrices are stored (quantised.py), for writing only; an adapter is folded in.
        """
        if quantise is not None:
            model = cls.load(path, dtype=dtype, base=base)
            merge(model.module)
            pack(model.module, quantise)
            return model
        folder = find(path)
        if peft.is_adapter(folder):
            model = cls.load(base or peft.base_of(folder), dtype=dtype)
            adapters.put_on(model.module, folder)
            return model
        number_type = getattr(torch, dtype, None) if dtype is not None else None
        if dtype is not None and not isinstance(number_type, torch.dtype):
            raise UserError(f"dtype: {dtype!r} is no type of numbers; take float32, bfloat16 or float16")
        if folder.suffix == ".gguf" and folder.is_file():
            opened = gguf.load(folder, dtype=number_type)
            return cls(opened.module.eval(), opened.tokenizer, opened.renderer)
        if tensorflow.is_checkpoint(folder):
            module = tensorflow.load(folder, dtype=number_type).eval()
            return cls(module, text.load(folder) if (folder / "vocab.bpe").is_file() else None)
        module = exchange.load(folder, dtype=number_type).eval()
        if not any((folder / name).is_file() for name in TOKENIZERS):
            return cls(module, None)
        tokenizer = text.load(folder)
        exchange.check_tokenizer(folder, tokenizer)
        model = cls(module, tokenizer, chat.load(folder, tokenizer))
        model.sentences = embedding.read(folder) or model.sentences
        return model

    def save(self, folder: str | Path) -> None:
        """Write config.json, model.safetensors and the tokenizer: a folder that other programs read too."""
        ends = {} if self.renderer is None else {"eos_token_id": sorted(self._ends())}
        with folded(self.module):  # what others read has no adapter beside it
            exchange.save(self.module, Path(folder), tokenizer=self.tokenizer, extra=ends)
        if self.renderer is not None:
            self.renderer.save(Path(folder))
        if self.sentences != Sentences.of(self.module):
            embedding.write(self.sentences, self.module.config.dim, Path(folder))

    def save_gguf(self, path: str | Path, *, type: str = "q8_0") -> None:
        """Write one file that llama.cpp and Ollama run; `type` is f32, f16, q8_0 or q4_0."""
        with folded(self.module):
            gguf.save(self.module, Path(path), type=type, tokenizer=self.tokenizer, renderer=self.renderer)

    @overload
    def generate(self, prompt: str, **options: Unpack[Options]) -> str: ...

    @overload
    def generate(self, prompt: list[str], **options: Unpack[Options]) -> list[str]: ...

    def generate(self, prompt: str | list[str], **options: Unpack[Options]) -> str | list[str]:
        """What the model writes after a prompt, or after each of several (side by side, which is faster).

        Options: max_new_tokens=64, temperature=1.0 (0 is greedy), top_k, top_p, min_p, repetition_penalty=1.0, ...,
        stop=() (texts that end the writing), seed (prompt i of a list draws with seed + i): stream.py lists them all.
        The prompt is not repeated.
        """
        if isinstance(prompt, str):
            return "".join(self.stream(prompt, **options))
        return self.write([self.ids(each) for each in prompt], **options)

    def stream(self, prompt: str, **options: Unpack[Options]) -> Iterator[str]:
        """What `generate` gives, in pieces as it is written."""
        return self._stream(self.ids(prompt), options)

    def search(self, prompt: str, method: Method, **options: Unpack[Options]) -> list[Found]:
        """Texts after a prompt that are looked for (search.py), the best first: `search(prompt, Beam(beams=4))`."""
        return search(self, self.ids(prompt), method, options)

    def chat(self, messages: Sequence[Message], **options: Unpack[Options]) -> str:
        """The assistant's next message in [{"role": "user", "content": "..."}, ...]; options as in `generate`."""
        return "".join(self.stream_chat(messages, **options))

    def chat_batch(self, conversations: Sequence[Sequence[Message]], **options: Unpack[Options]) -> list[str]:
        """The assistant's next message in each of several conversations."""
        return self.write([self._turn(messages) for messages in conversations], **options)

    def stream_chat(self, messages: Sequence[Message], **options: Unpack[Options]) -> Iterator[str]:
        """What `chat` gives, in pieces as it is written."""
        return self._stream(self._turn(messages), options)

    def user_turns(self, count: int, **options: Unpack[Options]) -> list[str]:
        """What the model writes where its chat template lets the user speak (Xu et al. 2024)."""
        one, other = (self._turn([{"role": "user", "content": letter}]) for letter in "az")
        before = next(i for i, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])
        after = self._text.decode(one[before + 1 :]).strip()  # of a template without marks only this ends the turn
        options["stop"] = (*options.get("stop", ()), *self._text.special, after)
        return self.write([one[:before]] * count, **options)

    def embed(self, texts: list[str], *, pooling: str | None = None, normalize: bool | None = None) -> Tensor:
        """One vector a text, (texts, dim) in fp32: near one another where the texts mean alike.

        pooling: mean, first or last; normalize: to length 1. None: as the folder says, else the mean (of a decoder the
        last). Of an encoder-decoder the encoder's vectors are taken.
        """
        return embedding.embed(self.module, self._text, texts, self.sentences.but(pooling, normalize))

    def fill(self, text: str, *, top: int = 5) -> list[list[Guess]]:
        """The likeliest tokens for each mask in a text, with their probabilities."""
        return fill(self.module, self._text, text, top=top)

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """The label of each text with its probability, of a model that was trained for labels."""
        return classify(self.module, self._text, texts)

    @property
    def chats(self) -> bool:
        """Whether the model has a chat template."""
        return self.renderer is not None

    def _stream(self, ids: list[int], options: Options) -> Iterator[str]:
        for pieces in stream(
            self.module, self._text, {0: ids}, self.limits(options.get("max_new_tokens", 64)), options
        ):
            if pieces[0]:
                yield pieces[0]

    def write(self, prompts: list[list[int]], **options: Unpack[Options]) -> list[str]:
        """What the model writes after each of some ids, in groups of about the same length: little padding is read."""
        texts = [""] * len(prompts)
        order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
        for first in range(0, len(order), TOGETHER):
            group = {number: prompts[number] for number in order[first : first + TOGETHER]}
            for pieces in stream(
                self.module, self._text, group, self.limits(options.get("max_new_tokens", 64)), options
            ):
                for number, piece in pieces.items():
                    texts[number] += piece
        return texts

    def ids(self, prompt: str) -> list[int]:
        """The ids of a text for this model: what is read whole has its marks around it, what is gone on with begins as
        texts do; nothing at all is the beginning of a document.
        """
        ids = self._text.encode(prompt)
        if isinstance(self.module, EncoderModel):
            return self._text.wrap(ids)[0]
        if isinstance(self.module, EncoderDecoderModel):
            wrapped, signs = self._text.wrap(ids)[0], marks(self._text)
            before = [] if signs.begin is None else [signs.begin]
            return wrapped if len(wrapped) > len(ids) else [*before, *ids, signs.end]
        return self.plain_ids(prompt) or [self._text.end]

    def plain_ids(self, text: str) -> list[int]:
        """The ids of a text after what every text of this model begins with (Gemma's and Llama's <bos>)."""
        return [*self._before, *self._text.encode(text)]

    @property
    def begin(self) -> int:
        """What stands before the first token of a text, so that it can be foreseen."""
        known: int | None = self.module.token_ids.get("bos_token_id")
        return (self._before or [self._text.end if known is None else known])[0]

    @property
    def _before(self) -> list[int]:
        around = self._text.wrap([-1])[0]  # what would end the text stays out
        return around[: around.index(-1)]

    def _turn(self, messages: Sequence[Message]) -> list[int]:
        """The ids after which the assistant speaks."""
        if self.renderer is None:
            raise UserError("chat: the model has no chat template; fine-tune it on conversations, or use `generate`")
        return self.renderer.prompt(messages)

    @property
    def _text(self) -> Tokenizer:
        if self.tokenizer is None:
            raise UserError("the model's folder has no tokenizer.json, so text means nothing to it; add the tokenizer")
        return self.tokenizer

    def limits(self, max_new_tokens: int) -> Limits:
        """Where its writing stops by itself."""
        if isinstance(self.module, EncoderModel):
            raise UserError("the model is an encoder: it reads and writes nothing; take `fill` or `embed`")
        if isinstance(self.module, DecoderModel) and looks_ahead(self.module.config):
            raise UserError("the model sees what comes after a token, so it reads and writes nothing; take `embed`")
        if isinstance(self.module.head, RowHead):
            raise UserError("the model says something of whole texts and writes nothing; take `classify`")
        return Limits(
            max_new_tokens=max_new_tokens,
            context=self.module.config.length,
            end=self._ends(),
            start=self.start,
            vocab=self._text.vocab,
        )

    def _ends(self) -> frozenset[int]:
        """The ids after which nothing follows."""
        if self.renderer is not None:  # config.json may know more, such as what ends an answer
            named = self.module.token_ids.get("eos_token_id", [])
            return self.renderer.ends.union([named] if isinstance(named, int) else named)
        return frozenset([self._text.end, marks(self._text).end] if self.start is not None else [self._text.end])

    @property
    def start(self) -> int | None:
        """What the answer of an encoder-decoder begins with."""
        if not isinstance(self.module, EncoderDecoderModel):
            return None
        start: int = self.module.token_ids.get("decoder_start_token_id", marks(self._text).pad)
        return start
