"""The compiled products are those of torch; without a compiler there are none."""

import pytest
import torch

from hornbook.model import native


@pytest.mark.parametrize(("kind", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_are_those_of_torch(kind, dtype) -> None:
    product = native.products().get(kind)
    if product is None:
        pytest.skip("no C compiler")
    draws = torch.Generator().manual_seed(0)
    matrix, x = torch.randn(7, 45, generator=draws).to(dtype), torch.randn(2, 3, 45, generator=draws)
    found = product(matrix, matrix, x.transpose(0, 1), 7)
    torch.testing.assert_close(found, x.transpose(0, 1) @ matrix.float().T, rtol=1e-4, atol=1e-4)


def test_switched_off_there_are_none(monkeypatch) -> None:
    monkeypatch.setenv("HORNBOOK_KERNELS", "off")
    assert native.products.__wrapped__() == {}


def test_a_compiler_that_fails_is_no_mistake_of_the_user(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(native, "FLAGS", ("--no-such-flag",))
    assert native.products.__wrapped__() == {}
    assert list((tmp_path / "hornbook").iterdir()) == []
