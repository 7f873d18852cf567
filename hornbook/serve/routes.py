"""OpenAI's routes: what is asked goes to a model's engine, and what it writes goes back, whole or piece by piece."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from hornbook.core.errors import UserError
from hornbook.generate.row_adapters import chosen
from hornbook.serve.answers import Choice, Head, usage
from hornbook.serve.asking import Asked, of_chat
from hornbook.serve.bodies import ChatBody, CompletionBody, EmbeddingBody, Writing
from hornbook.serve.completing import of_completion
from hornbook.serve.errors import Refused, refusal
from hornbook.serve.listening import Listening, submit, while_there
from hornbook.serve.metrics import Metrics
from hornbook.serve.shelf import Served, Shelf
from hornbook.serve.tool_calls import ToolReader, reader
from hornbook.serve.wire import Json, event

GONE = 499  # nginx's number for a client that did not wait; nobody reads it
STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # proxies pass each piece on at once
TOGETHER = 32  # texts that become vectors before it is looked whether the client still waits
B = TypeVar("B", bound=Writing)


@dataclass(frozen=True)
class Desk:
    """What every route needs."""

    shelf: Shelf
    metrics: Metrics
    seconds: float = 600.0  # that an answer may take


def routes(desk: Desk) -> APIRouter:
    """The routes under /v1."""
    router = APIRouter(prefix="/v1")

    @router.get("/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [model.card for model in desk.shelf.models.values()]}

    @router.get("/models/{name:path}")
    async def model(name: str) -> dict[str, Any]:
        return desk.shelf.find(name).card

    @router.post("/chat/completions")
    async def chat(body: ChatBody, request: Request) -> Response:
        return await _write(desk, body, of_chat, request)

    @router.post("/completions")
    async def completions(body: CompletionBody, request: Request) -> Response:
        return await _write(desk, body, of_completion, request)

    @router.post("/embeddings")
    async def embeddings(body: EmbeddingBody, request: Request) -> Response:
        return await _embed(desk, body, request)

    return router


async def _write(desk: Desk, body: B, read: Callable[[B, Served], Asked], request: Request) -> Response:
    served = desk.shelf.find(body.model)
    try:  # templates and tokenizers take their time, and the loop must go on
        asked = await run_in_threadpool(read, body, served)
    except UserError as error:
        raise refusal(error, list(type(body).model_fields)) from None
    except UnicodeEncodeError:
        raise Refused("a text holds half a character (a lone surrogate); send whole ones") from None
    answer = _Answer(desk, body, served, asked)
    if body.stream:
        return StreamingResponse(answer.events(request), headers=STREAM, media_type="text/event-stream")
    return await answer.whole(request)


class _Answer:
    """One request that is being answered."""

    def __init__(self, desk: Desk, body: Writing, served: Served, asked: Asked) -> None:
        self.desk, self.body, self.served, self.asked = desk, body, served, asked
        chat = isinstance(body, ChatBody)
        kind, prefix = ("chat.completion", "chatcmpl") if chat else ("text_completion", "cmpl")
        self.head = Head.new(prefix, kind + (".chunk" if chat and body.stream else ""), served.name)
        self.choices = [
            Choice(index, served, chat, _tools(body, served), logs=None if body.top is None else [])
            for index, _ in enumerate(asked.requests)
        ]
        self.echoes = asked.echoes or [""] * len(self.choices)
        self.listening = Listening(submit(served.writer(), asked.requests), desk.seconds)

    async def whole(self, request: Request) -> Response:
        """One JSON object once all is written."""
        async with self._counted(), while_there(request, self.listening.cancel):
            async for number, piece in self.listening.pieces():
                self.choices[number].take(piece)
                if piece.reason == "cancelled":
                    return Response(status_code=GONE)
        return Json(self.head.whole(self._kept(), self._usage()))

    def _kept(self) -> list[dict[str, Any]]:
        """Of the answers to each prompt those that are given: the likeliest, where more were written."""
        kept, times = self.asked.kept
        told = [*zip(self.choices, self.echoes, self.listening.tickets, strict=True)]
        best = []
        for first in range(0, len(told), times):
            group = told[first : first + times]
            best += sorted(group, key=lambda each: -each[0].mean)[:kept] if times > kept else group
        return [choice.whole(echo, ticket) | {"index": index} for index, (choice, echo, ticket) in enumerate(best)]

    async def events(self, request: Request) -> AsyncIterator[bytes]:
        """Server-sent events: a chunk a piece, the usage where it is asked for, and `[DONE]`."""
        try:
            async with self._counted(), while_there(request, self.listening.cancel):
                waits = [ticket.request.prompt_too for ticket in self.listening.tickets]
                for number in (number for number, wait in enumerate(waits) if not wait):
                    for opening in self._opening(number):
                        yield opening
                async for number, piece in self.listening.pieces():
                    if waits[number]:
                        waits[number] = False
                        for opening in self._opening(number):
                            yield opening
                    chunk = self.choices[number].take(piece)
                    if piece.text or piece.log_probabilities or piece.reason:
                        yield self._event([chunk])
            if self.body.usage_too:
                yield event(self.head.whole([], self._usage()))
        except Refused as error:  # the status has been sent long ago
            yield event(error.body)
        yield b"data: [DONE]\n\n"

    def _opening(self, number: int) -> list[bytes]:
        """The first event of an answer, where there is one."""
        opening = self.choices[number].opening(self.echoes[number], self.listening.tickets[number])
        return [] if opening is None else [self._event([opening])]

    def _event(self, choices: list[dict[str, Any]]) -> bytes:
        whole: dict[str, Any] = self.head.whole(choices, None)
        return event(whole | ({"usage": None} if self.body.usage_too else {}))

    def _usage(self) -> dict[str, Any]:
        return usage(self.listening.tickets, self.asked.prompt_tokens)

    @contextlib.asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        """Whatever happens, nothing is written on for nobody, and what was written is counted."""
        metrics, model = self.desk.metrics, self.served.name
        try:
            yield
        finally:
            if any(choice.reason is None for choice in self.choices):
                self.listening.cancel()
            if any(ticket.cancelled for ticket in self.listening.tickets):
                metrics.count("hornbook_cancelled_total", model=model)
            if self.listening.first:
                metrics.time("hornbook_first_token_seconds", self.listening.first, model=model)
            used = self._usage()
            metrics.count("hornbook_prompt_tokens_total", used["prompt_tokens"], model=model)
            metrics.count("hornbook_cached_tokens_total", used["prompt_tokens_details"]["cached_tokens"], model=model)
            metrics.count("hornbook_new_tokens_total", used["completion_tokens"], model=model)


def _tools(body: Writing, served: Served) -> ToolReader | None:
    """What takes calls out of the text; None where there are none to be taken."""
    if not isinstance(body, ChatBody) or not body.offered:
        return None
    form = served.calls or ("bare" if body.demanded else None)
    return reader(form, [each.function.name for each in body.offered])


async def _embed(desk: Desk, body: EmbeddingBody, request: Request) -> Response:
    """One vector a text; one request at a time for each model."""
    served = desk.shelf.find(body.model)
    lengths = await run_in_threadpool(lambda: [len(served.lm.ids(text)) for text in body.texts])
    window: int = served.lm.module.config.length
    if max(lengths) > window:
        raise Refused(
            f"input: a text has {max(lengths)} tokens, and the model reads {window}; shorten it",
            code="context_length_exceeded",
            param="input",
        )
    dim: int = served.lm.module.config.dim
    if body.dimensions not in (None, dim):
        raise Refused(f"dimensions: the model's vectors have {dim} numbers, not {body.dimensions}", param="dimensions")
    gone, vectors = asyncio.Event(), []
    async with while_there(request, gone.set), served.reading:
        for first in range(0, len(body.texts), TOGETHER):
            if gone.is_set():
                return Response(status_code=GONE)
            vectors += await run_in_threadpool(_vectors, served, body.texts[first : first + TOGETHER])
    desk.metrics.count("hornbook_prompt_tokens_total", sum(lengths), model=served.name)
    told = [_written(vector, body.encoding_format or "float") for vector in vectors]
    data = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(told)]
    used = {"prompt_tokens": sum(lengths), "total_tokens": sum(lengths)}
    return Json({"object": "list", "data": data, "model": served.name, "usage": used})


def _vectors(served: Served, texts: list[str]) -> list[Any]:
    try:
        with chosen([served.adapter]):
            return [*served.lm.embed(texts).numpy()]
    except UserError as error:
        raise Refused(f"model {served.name!r}: gives no vectors ({error})", param="model") from None


def _written(vector: Any, form: str) -> list[float] | str:
    """A vector as numbers, or as the bytes of its float32 in base64, which OpenAI's client asks for."""
    return vector.tolist() if form == "float" else base64.b64encode(vector.astype("<f4").tobytes()).decode()
