"""A prompt in chunks is the prompt at once, and goes on from where an earlier one left off."""

import pytest
import torch

from hornbook.generate.answer import Answer
from hornbook.generate.prefix import Prefixes
from hornbook.generate.reading import Reading
from hornbook.generate.ticket import Ticket
from tests.generate.speaking import DECODERS, LENGTH, WITH_SOURCE, request, speaker

IDS = [5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9]


@pytest.mark.parametrize("name", DECODERS + WITH_SOURCE)
@torch.inference_mode()
def test_in_chunks_is_at_once(name: str) -> None:
    lm, found = speaker(name), []
    for chunk in (3, 100):
        answer = Answer(Ticket(request(lm, IDS)), lm, LENGTH)
        reading = Reading(lm.module, answer, Prefixes(0), LENGTH)
        while reading.left:
            tokens, hidden = reading.read(chunk)
            assert tokens <= chunk
        found.append(hidden)
        assert reading.state.length == len(answer.writing.prompt)
    assert torch.allclose(*found, atol=1e-4)


@pytest.mark.parametrize("name", DECODERS)
@torch.inference_mode()
def test_the_same_prompt_again_reads_its_last_token_only(name: str) -> None:
    lm, prefixes, found = speaker(name), Prefixes(10**8), []
    for cached in (0, len(IDS) - 1):
        reading = Reading(lm.module, Answer(Ticket(request(lm, IDS)), lm, LENGTH), prefixes, LENGTH)
        assert reading.cached == cached
        while reading.left:
            _, hidden = reading.read(100)
        found.append(hidden)
    assert torch.allclose(*found, atol=1e-4)
