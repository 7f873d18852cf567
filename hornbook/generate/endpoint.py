"""A model behind an OpenAI-compatible endpoint (vLLM, llama.cpp, Ollama, a company's), asked with patience.

What may pass by itself (busy, slow, broken off, an answer that is none) is asked again after 1, 2, 4 ... seconds; what
will not (no such model, a wrong key) is said at once. When a whole list of questions fails, nothing more is asked.
"""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hornbook.core.errors import UserError
from hornbook.corpus.synthetic import Sampling
from hornbook.generate.question import Message, Question, Reply, Told

T = TypeVar("T")

LASTING = {400, 401, 403, 404, 405, 413, 422}  # will be the same the next time
OF_ONE = {400, 413, 422}  # is about this question, such as that it is too long; another may be answered
LONGEST_WAIT = 60.0  # seconds between two attempts
TOP = 20  # first tokens an endpoint is asked for: the most that OpenAI's protocol allows


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where to ask, and for how long."""

    url: str
    """Up to and with the version, such as `http://localhost:8000/v1`."""
    name: str
    """Of the model, as the endpoint calls it."""
    user_prefix: str = "<|im_start|>user\n"
    """What the model's template writes before the user speaks; Magpie goes on from it."""
    user_end: str = "<|im_end|>"
    """And after."""
    parallel: int = 8
    """Questions at a time."""
    attempts: int = 5
    """For each question."""
    seconds: float = 120.0
    """That an answer may take."""
    key: str | None = None
    """A file that holds the key, where one is wanted."""

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url: {self.url!r} is no address; write it like http://localhost:8000/v1")
        for key in ("parallel", "attempts", "seconds"):
            if getattr(self, key) <= 0:
                raise ValueError(f"{key}: {getattr(self, key)} asks nothing; give more than 0")


class Refused(UserError):
    """The endpoint will not do what it is asked, now or later: what it said, and HTTP's number."""

    def __init__(self, message: str, code: int, said: str) -> None:
        super().__init__(message)
        self.code, self.said = code, said


@dataclass
class Client:
    """Asks an endpoint; `counts` says how often, and what went wrong."""

    config: Endpoint
    key: str | None = None
    sleep: Callable[[float], None] = time.sleep
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """The model's."""
        return self.config.name

    def answers(self, questions: Sequence[str], sampling: Sampling) -> list[str | None]:
        """What it answers to each question; None where it did not.

        Raises UserError where the endpoint refuses, or answers none of them.
        """
        return self.replies([[{"role": "user", "content": text}] for text in questions], sampling)

    def replies(self, talks: Sequence[Sequence[Message]], sampling: Sampling) -> list[str | None]:
        """What it answers to each conversation, as `answers`."""
        return self._all("chat/completions", [{"messages": list(talk)} for talk in talks], sampling, _text)

    def first_tokens(self, talks: Sequence[Sequence[Message]]) -> list[dict[str, float] | None]:
        """The likeliest tokens that its answers would begin with, and their log-probabilities."""
        body = {"logprobs": True, "top_logprobs": TOP}
        bodies = [{"messages": list(talk), **body} for talk in talks]
        return self._all("chat/completions", bodies, Sampling(temperature=0.0, max_new_tokens=1), _first)

    def reply_to(self, questions: Sequence[Question], told: Told = lambda *_: None) -> list[Reply | None]:
        """A reply to each question; None where there was none, or UserError where there was none at all."""
        return self._each([self._body(question) for question in questions], self._reply, told)

    def _body(self, question: Question) -> dict[str, Any]:
        how = {"temperature": question.temperature, "max_tokens": question.max_new_tokens, "seed": question.seed}
        weights = {"logprobs": True, "top_logprobs": TOP} if question.weights else {}
        return {"model": self.name, "messages": [dict(message) for message in question.talk], **how, **weights}

    def _reply(self, body: dict[str, Any]) -> Reply | None:
        """One that will not tell log-probabilities is asked for words only; a question alone may be refused."""
        try:
            return self._ask("chat/completions", body, _whole)
        except Refused as refusal:
            if refusal.code not in OF_ONE:
                raise
            if "logprobs" not in body or "logprob" not in refusal.said:
                self.counts[f"HTTP {refusal.code} ({refusal.said})"] += 1
                return None
        return self._reply({key: each for key, each in body.items() if key not in ("logprobs", "top_logprobs")})

    def user_turns(self, count: int, sampling: Sampling) -> list[str | None]:
        """What it writes after `user_prefix`."""
        body = {"prompt": self.config.user_prefix, "stop": [self.config.user_end]}
        return self._all("completions", [body] * count, sampling, _text)

    def _all(
        self, path: str, bodies: Sequence[dict[str, Any]], sampling: Sampling, read: Callable[[Any], T]
    ) -> list[T | None]:
        how = {"model": self.name, "temperature": sampling.temperature, "top_p": sampling.top_p}
        how |= {"max_tokens": sampling.max_new_tokens}
        whole = [{**body, **how, "seed": sampling.seed + number} for number, body in enumerate(bodies)]
        return self._each(whole, lambda body: self._ask(path, body, read))

    def _each(
        self,
        bodies: Sequence[dict[str, Any]],
        ask: Callable[[dict[str, Any]], T | None],
        told: Callable[[int, T | None], None] = lambda *_: None,
    ) -> list[T | None]:
        """Ask everything, several at a time; `told` hears of each as soon as those before it are there."""
        found: list[T | None] = []
        with ThreadPoolExecutor(self.config.parallel) as pool:
            for number, answer in enumerate(pool.map(ask, bodies)):
                found.append(answer)
                told(number, answer)
        if found and all(answer is None for answer in found):
            why = ", ".join(f"{count} times {what}" for what, count in self.counts.items() if what != "requests")
            raise UserError(
                f"{self.config.url}: not one of {len(found)} questions was answered ({why}); see to the endpoint and "
                "run the command again, which goes on from here"
            )
        return found

    def _ask(self, path: str, body: dict[str, Any], read: Callable[[Any], T]) -> T | None:
        for attempt in range(self.config.attempts):
            if attempt:
                self.sleep(min(2.0 ** (attempt - 1), LONGEST_WAIT))
            self.counts["requests"] += 1
            try:
                return read(self._post(path, body))
            except UserError:
                raise
            except urllib.error.HTTPError as error:
                self._fault(error)
            except (OSError, http.client.HTTPException) as error:
                self.counts["slow" if isinstance(error, TimeoutError) else _reason(error)] += 1
            except (ValueError, KeyError, IndexError, TypeError):
                self.counts["not an answer in OpenAI's form"] += 1
        return None

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        address = f"{self.config.url.rstrip('/')}/{path}"
        request = urllib.request.Request(address, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=self.config.seconds) as answer:
            return json.loads(answer.read())

    def _fault(self, error: urllib.error.HTTPError) -> None:
        """Count a refusal that may pass; say one that will not."""
        with error:
            said = " ".join(error.read(300).decode(errors="replace").split()) if error.code in LASTING else ""
        if error.code in LASTING:
            message = f"refuses with {error.code} {error.reason} ({said}); see to url, name and --key"
            raise Refused(f"{self.config.url}: {message}", error.code, said) from None
        self.counts[f"HTTP {error.code}"] += 1


def _text(answer: Any) -> str:
    choice = answer["choices"][0]
    text = choice["message"]["content"] if "message" in choice else choice["text"]
    if not isinstance(text, str):
        raise TypeError
    return text


def _whole(answer: Any) -> Reply:
    """The text, and the first token's alternatives where they are told."""
    return Reply(_text(answer), _alternatives(answer))


def _first(answer: Any) -> dict[str, float]:
    """The first token's alternatives; an endpoint that keeps them to itself cannot judge."""
    found = _alternatives(answer)
    if found is None:
        raise UserError("the endpoint tells no `logprobs`, by which a judge is read; ask vLLM, llama.cpp, or a folder")
    return found


def _alternatives(answer: Any) -> dict[str, float] | None:
    logs = answer["choices"][0].get("logprobs")
    if not logs or not logs.get("content"):
        return None
    return {each["token"]: float(each["logprob"]) for each in logs["content"][0]["top_logprobs"]}


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    if isinstance(reason, TimeoutError):
        return "slow"
    return "broken off" if reason is None else getattr(reason, "strerror", None) or str(reason)
