"""Models at their published sizes, counted without memory: beside the papers, and beside transformers' own count."""

import json
import resource
import sys
from typing import Any

import pytest
import torch

from hornbook.core import recipe
from hornbook.exchange import families
from hornbook.model.cost import cost
from hornbook.model.decoder import Decoder

PUBLISHED = {  # to the last parameter
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    "gpt1": 116_534_784,
    "bloom-176b": 176_247_271_424,
}
ROUNDED = {  # in billions, as the papers say, and how far off they are
    "gpt3-small": (0.125, 0.01),  # GPT-3: table D.1
    "gpt3-medium": (0.356, 0.01),
    "gpt3-large": (0.760, 0.01),
    "gpt3-xl": (1.320, 0.01),
    "gpt3-2.7b": (2.650, 0.01),
    "gpt3-6.7b": (6.660, 0.01),
    "gpt3-13b": (12.850, 0.01),
    "gpt3-175b": (174.6, 0.005),
    "opt-66b": (66.0, 0.01),
    "opt-175b": (175.0, 0.005),
    "gpt-neox-20b": (20.556, 0.001),  # table 1: 20,554,567,680
}
WITH_TRANSFORMERS = [
    "gpt1", "gpt2", "gpt3-small", "gpt3-13b", "gpt3-175b", "opt-125m", "opt-6.7b", "opt-175b", "bloom-560m",
    "bloom-7b1", "bloom-176b",
    "pythia-70m", "pythia-160m", "pythia-1.4b", "pythia-12b", "gpt-neox-20b", "gptj-6b", "falcon-7b",
    "falcon-40b", "falcon-rw-1b",
]  # fmt: skip


def count(name: str) -> int:
    return cost(recipe.load(Decoder, f"models/{name}")).parameters


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_count_is_the_count(name: str) -> None:
    assert count(name) == PUBLISHED[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_a_rounded_count_is_near(name: str) -> None:
    wanted, off = ROUNDED[name]
    assert count(name) == pytest.approx(1e9 * wanted, rel=off)


@pytest.mark.parametrize("name", WITH_TRANSFORMERS)
def test_transformers_counts_the_same(name: str) -> None:
    """Its class, made on the meta device from the config.json that we write."""
    hf: Any = pytest.importorskip("transformers")
    fields = families.fields_of(recipe.load(Decoder, f"models/{name}"))
    config = hf.AutoConfig.for_model(**json.loads(json.dumps(fields)))
    with torch.device("meta"):
        theirs = hf.AutoModelForCausalLM.from_config(config)
    assert sum(parameter.numel() for parameter in theirs.parameters()) == count(name)


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module there")
def test_175_billion_parameters_take_no_memory() -> None:
    """At most 200 MB for both: of 703 GB that the weights would take in fp32."""
    count("gpt2-tiny")  # what is imported and cached once
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert count("gpt3-175b") > 170e9
    assert count("bloom-176b") > 170e9
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * (1 if sys.platform == "darwin" else 1024) < 200e6
