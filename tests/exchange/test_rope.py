"""Rotary positions, as config.json says them, beside transformers."""

from pathlib import Path

import pytest

from tests.exchange.parity import DECODER_CHECKS, SMALL, Case, Check

SCALINGS = {
    "linear": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5e5},
}
CASES = {name: Case("Llama", SMALL | {"rope_parameters": parameters}) for name, parameters in SCALINGS.items()}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_scaled_rope_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)
