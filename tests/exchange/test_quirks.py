"""Names of old, constants and twins, on tensors of our own."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from hornbook.exchange.quirks import Quirks


class Files:
    """Tensors in memory."""

    described = "the test"

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = tensors
        self.shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}

    def get(self, name: str) -> Tensor:
        return self.tensors[name]

    def place(self, name: str) -> str:
        return f"memory: {name}"


class Turning(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.inner.rates = torch.ones(2)  # type: ignore[assignment]  # a plain tensor, no parameter


CONSTANT = Quirks(constants={"model.rates": "inner.rates"})


def test_names_of_old_are_read_as_those_of_today() -> None:
    files = Quirks(renamed={r"norm\.gamma$": "norm.weight"}).read(Files({"a.norm.gamma": torch.ones(3)}))
    assert files.shapes == {"a.norm.weight": (3,)}
    assert torch.equal(files.get("a.norm.weight"), torch.ones(3))
    assert files.place("a.norm.weight") == "memory: a.norm.gamma", "an error names what is in the file"
    assert files.place("b") == "memory: b"


def test_constants_are_taken_and_written() -> None:
    model = Turning()
    CONSTANT.take(model, Files({"rates": torch.tensor([1, 2]).half()}), prefix="model.")
    assert torch.equal(model.inner.rates, torch.tensor([1.0, 2.0]))
    assert torch.equal(CONSTANT.beside(model, {}, prefix="")["model.rates"], torch.tensor([1.0, 2.0]))
    assert set(CONSTANT.beside(model, {}, prefix="model.")) == {"rates"}


def test_a_model_without_the_constant_writes_none() -> None:
    del (model := Turning()).inner.rates
    assert CONSTANT.beside(model, {}, prefix="") == {}


def test_twins_are_written_where_the_other_one_is() -> None:
    quirks = Quirks(twins={"a.bias": "b.bias"})
    bias = torch.ones(2)
    written = quirks.beside(Turning(), {"b.bias": bias}, prefix="")
    assert torch.equal(written["a.bias"], bias)
    assert written["a.bias"].data_ptr() != bias.data_ptr(), "safetensors refuses two names of one memory"
    assert quirks.beside(Turning(), {}, prefix="") == {}
