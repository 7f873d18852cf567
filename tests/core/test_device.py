"""The choice of device and numbers by capability, the measured ceilings, and the doctor's sentences."""

import pytest
import torch

from hornbook.core import device
from hornbook.core.errors import UserError
from hornbook.core.machine import GIB, Memory


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine without GPU and bf16 units."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": False})
    return monkeypatch


def test_a_plain_processor_takes_fp32_and_says_why(bare: pytest.MonkeyPatch) -> None:
    chosen = device.choose()
    assert (chosen.device, chosen.precision) == ("cpu", "fp32")
    assert chosen.reason == "no GPU that torch can use; this chip has no bf16 units"


@pytest.mark.parametrize("unit", ["avx512_bf16", "amx_bf16"])
def test_a_processor_with_bf16_units_uses_them(bare: pytest.MonkeyPatch, unit: str) -> None:
    bare.setattr(torch.cpu, "get_capabilities", lambda: {unit: True})
    assert device.choose().precision == "bf16"
    assert device.choose(precision="fp32").precision == "fp32"


@pytest.mark.parametrize(("capability", "precision"), [((7, 5), "fp16"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_a_gpu_by_its_generation(bare: pytest.MonkeyPatch, capability: tuple[int, int], precision: str) -> None:
    bare.setattr(torch.cuda, "is_available", lambda: True)
    bare.setattr(torch.cuda, "get_device_name", lambda name: "T")
    bare.setattr(torch.cuda, "get_device_capability", lambda name: capability)
    assert (device.choose().device, device.choose().precision) == ("cuda", precision)
    assert device.choose("cpu").precision == "fp32"


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (("cuda:0", "auto"), "device: 'cuda:0' is not on this machine; choose one of cpu"),
        (("tpu", "auto"), "device: 'tpu' is not on this machine; choose one of cpu"),
        (("cpu", "int4"), "precision: 'int4' is not one of auto, fp32, bf16, fp16"),
    ],
)
def test_a_wish_that_cannot_be_kept_is_one_sentence(
    bare: pytest.MonkeyPatch, wish: tuple[str, str], sentence: str
) -> None:
    with pytest.raises(UserError) as error:
        device.choose(*wish)
    assert str(error.value) == sentence


def test_measuring_leaves_the_threads_as_they_were_and_is_of_the_right_size() -> None:
    before = torch.get_num_threads()
    assert 1 < device.peak_gflops(1, seconds=0.05) < 10_000
    assert 0.5 < device.bandwidth(1, seconds=0.05) < 10_000
    assert torch.get_num_threads() == before


def seen(**changes: object) -> device.Examination:
    """A quiet machine of two cores."""
    facts: dict[str, object] = {
        "processor": "P",
        "torch": "2.13.0",
        "choice": device.Choice(device="cpu", precision="fp32", reason="r"),
        "logical_cores": 2,
        "threads": 2,
        "busy_cores": 0.1,
        "gflops_one": 95.0,
        "gflops_all": 170.0,
        "gflops_bf16": None,
        "bandwidth_one": 20.0,
        "bandwidth_all": 30.0,
        "memory": Memory(total=24 * GIB, available=20 * GIB),
        "disk_free": 50 * GIB,
        "compiler": "/usr/bin/g++",
        "gpus": (),
    }
    return device.Examination(**(facts | changes))  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "bf16: no; this chip has no bf16 units, fp32 will be used."),
        ({"gflops_bf16": 340.0}, "bf16: yes; matrix products are 2.0 times as fast as in fp32."),
        ({"logical_cores": 4}, "2 threads: 4 hardware threads share that many cores' multipliers."),
        ({"gflops_all": 38.0, "busy_cores": 1.9}, "2 threads give 0.4 times one thread while 1.9 cores are busy: "),
        ({"compiler": None}, "torch.compile: no; it needs a C++ compiler"),
        ({"memory": Memory(total=GIB, available=GIB)}, "Less than 2 GiB of memory is free"),
        ({"disk_free": 1000}, "Less than 1 GiB of disk is free"),
    ],
)
def test_advice_follows_from_the_figures(changes: dict[str, object], sentence: str) -> None:
    assert any(line.startswith(sentence) for line in seen(**changes).advice())
    assert (sentence in " ".join(seen().advice())) == (changes == {})


def test_the_examination_of_this_machine_is_printed_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    device.print_examination(device.examine(seconds=0.02))
    printed = capsys.readouterr().out
    for word in ("processor", "GFLOP/s", "GB/s", "GiB", "torch.compile", "Models will run on"):
        assert word in printed
