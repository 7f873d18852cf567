"""What does it cost to open a model, in memory and in time? A made-up Llama of 210 MB, as safetensors and as GGUF.

load_memory       peak memory that opening the folder and one forward pass add, over the size of the weights (1: once)
load_memory_gguf  the same for a Q8_0 file, whose weights become float32 (without a forward pass they are there already)
load_time         CPU-seconds of transformers from the start of Python to the loaded model, over ours; safetensors
load_time_gguf    the same for the GGUF file

Each measurement is a process of its own; transformers' memory is printed beside ours.

python benchmarks/load.py [--tiny]
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

REPEATS = 3
SIZES = {
    "full": ["dim=512", "length=256", "embed.vocab=32000", "stack.layers=8", "stack.layer.1.hidden=1408"],
    "tiny": ["dim=64", "length=32", "embed.vocab=500", "stack.layers=2", "stack.layer.1.hidden=96"],
}
SHAPE = ["stack.position=rope", "stack.layer.0.heads=8", "stack.layer.0.kv_heads=4", "head.tied=false"]


def main() -> None:
    """Write the two files, open each in new processes, print the figures."""
    tiny = "--tiny" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        size = write(Path(name), SIZES["tiny" if tiny else "full"])
        for kind, suffix in (("folder", ""), ("gguf", "_gguf")):
            path = Path(name) / ("model" if kind == "folder" else "model.gguf")
            costs = {who: measure(who, kind, path, 1 if tiny else REPEATS) for who in ("hornbook", "transformers")}
            for who, (memory, seconds) in costs.items():
                print(
                    f"{kind:7} {who:13} {memory / size:5.2f} x the weights ({size / 1e6:.0f} MB), {seconds:.2f} CPU-s"
                )
            print(f"figure load_memory{suffix} {costs['hornbook'][0] / size:.3f}")
            print(f"figure load_time{suffix} {costs['transformers'][1] / costs['hornbook'][1]:.3f}")


def write(folder: Path, sizes: list[str]) -> int:
    """The model as a folder and as a GGUF file; the bytes of its weights in float32."""
    import torch

    from hornbook.core import recipe
    from hornbook.exchange import folder as exchange
    from hornbook.exchange import gguf_model
    from hornbook.model.decoder import Decoder

    model = recipe.load(Decoder, "models/llama-tiny", [*SHAPE, *sizes]).build(torch.Generator().manual_seed(0))
    exchange.save(model, folder / "model")
    gguf_model.save(model, folder / "model.gguf", type="q8_0")
    return sum(parameter.numel() * 4 for parameter in model.parameters())


def measure(who: str, kind: str, path: Path, repeats: int) -> tuple[float, float]:
    """Medians of peak bytes added and of CPU-seconds."""
    command = [sys.executable, __file__, "child", who, kind, str(path)]
    reports = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(repeats)]
    return median(report["bytes"] for report in reports), median(report["seconds"] for report in reports)


def child(who: str, kind: str, path: str) -> None:
    """Open the model, once; the import is part of the time and no part of the memory."""
    open_model = OPENERS[who, kind]()
    before = resident("VmRSS")
    model = open_model(Path(path))
    seconds = time.process_time()
    forward(model)
    print(json.dumps({"bytes": resident("VmHWM") - before, "seconds": seconds}))


def forward(model: Any) -> None:
    """Every weight is used, so what was only mapped is now in memory."""
    import torch

    with torch.no_grad():
        model(input_ids=torch.zeros(1, 4, dtype=torch.long))
        for parameter in model.parameters():  # of the table a pass reads four rows
            parameter.sum()


def resident(what: str) -> int:
    """Bytes of memory this process holds (VmRSS) or held at most (VmHWM)."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields[what].split()[0]) * 1024


def hornbook_folder() -> Callable[[Path], Any]:
    from hornbook.generate.language_model import LanguageModel

    return lambda path: LanguageModel.load(path).module


def transformers_folder() -> Callable[[Path], Any]:
    from transformers import LlamaForCausalLM

    return lambda path: LlamaForCausalLM.from_pretrained(path)


def transformers_gguf() -> Callable[[Path], Any]:
    """What `from_pretrained(gguf_file=...)` does, without its wish for accelerate."""
    from transformers import AutoConfig, LlamaForCausalLM
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    def load(path: Path) -> Any:
        model = LlamaForCausalLM(AutoConfig.from_pretrained(path.parent, gguf_file=path.name))
        tensors = load_gguf_checkpoint(str(path), return_tensors=True, model_to_load=model)["tensors"]
        model.load_state_dict(tensors, assign=True)
        return model

    return load


OPENERS = {
    ("hornbook", "folder"): hornbook_folder,
    ("hornbook", "gguf"): hornbook_folder,
    ("transformers", "folder"): transformers_folder,
    ("transformers", "gguf"): transformers_gguf,
}


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:])
    else:
        main()
