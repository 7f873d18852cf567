"""The compiled products are those of torch; without a compiler there are none."""

import pytest
import torch

from hornbook.model import native


@pytest.mark.parametrize("rows", [1, 2, 4, 7])
@pytest.mark.parametrize(("outputs", "inputs"), [(7, 45), (16, 64), (9, 193), (1, 3)])
def test_a_product_in_fp32_is_that_of_torch(rows: int, outputs: int, inputs: int) -> None:
    product = native.products().get("fp32")
    if product is None:
        pytest.skip("no C compiler")
    draws = torch.Generator().manual_seed(0)
    matrix, x = torch.randn(outputs, inputs, generator=draws), torch.randn(2, rows, inputs, generator=draws)
    found = product(matrix, matrix, x.transpose(0, 1), outputs)
    torch.testing.assert_close(found, x.transpose(0, 1) @ matrix.T, rtol=1e-4, atol=1e-4)


def test_two_threads_find_what_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    product = native.products().get("fp32")
    if product is None:
        pytest.skip("no C compiler")
    matrix, x = torch.randn(333, 77), torch.randn(5, 77)
    alone = product(matrix, matrix, x, 333)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert torch.equal(product(matrix, matrix, x, 333), alone)


def test_few_vectors_only_where_nothing_is_learned() -> None:
    x, weight = torch.randn(1, 8), torch.randn(5, 8)
    assert native.few(x, weight) is None
    with torch.no_grad():
        assert native.few(torch.randn(native.FEW + 1, 8), weight) is None
        assert native.few(x.double(), weight.double()) is None
        found = native.few(x, weight)
    if found is not None:
        torch.testing.assert_close(found, x @ weight.T)


def test_switched_off_there_are_none(monkeypatch) -> None:
    monkeypatch.setenv("HORNBOOK_KERNELS", "off")
    assert native.library.__wrapped__() is None


def test_a_compiler_that_fails_is_no_mistake_of_the_user(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(native, "FLAGS", ("--no-such-flag",))
    assert native.library.__wrapped__() is None
    assert list((tmp_path / "hornbook").iterdir()) == []
