"""Operations are sorted by what stands around them, and the shares add up to the clock."""

from dataclasses import dataclass

import pytest

from hornbook.shares import DATA, ELEMENTWISE, OPTIMIZER, ORDER, REST, kind_of, shares


@dataclass
class Seen:
    name: str
    self_cpu_time_total: float = 0.0
    cpu_parent: "Seen | None" = None


def test_the_outermost_operation_says_the_kind() -> None:
    loss = Seen("_ChunkedCrossEntropy")
    assert kind_of(Seen("aten::mm", cpu_parent=Seen("aten::matmul", cpu_parent=loss))) == "loss: head, cross-entropy"
    assert kind_of(Seen("aten::mm", cpu_parent=Seen("aten::linear"))) == "matrix products"
    assert kind_of(Seen("aten::mm", cpu_parent=Seen(OPTIMIZER))) == "optimizer, clipping"
    back = Seen("autograd::engine::evaluate_function: _CausalBackward")
    assert kind_of(Seen("aten::copy_", cpu_parent=back)) == "attention"
    assert kind_of(Seen(DATA)) == "data"
    assert kind_of(Seen("aten::silu")) == ELEMENTWISE
    assert kind_of(Seen("detach")) == REST


def test_shares_add_up_to_the_clock_in_order() -> None:
    seen = [Seen("aten::mm", 3e6), Seen("aten::mul", 1e6), Seen(DATA, 0.5e6)]
    found = shares(seen, 10.0)
    assert tuple(found) == ORDER
    assert (found["matrix products"], found[ELEMENTWISE], found["data"]) == pytest.approx((0.3, 0.1, 0.05))
    assert sum(found.values()) == pytest.approx(1)
    assert found[REST] == pytest.approx(0.55)
