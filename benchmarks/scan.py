"""How fast do Mamba and RWKV-4 train without a kernel of their own? Ours and transformers', the same weights.

One layer, forward and backward, at length 512 and width 256: transformers loops over time, ours takes all steps at once
(hornbook/model/scan.py). They take turns in one process: A B A B ... A turn counts the CPU seconds of one thread.

    OMP_NUM_THREADS=1 python benchmarks/scan.py [--rows 1] [--rounds 5] [--length 512] [--width 256]

Figures are transformers' median over ours. What a turn computes must be equal before it is timed, and what is timed is
the sublayer as it trains (projections, convolution, gates), not the scan alone.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
import transformers
from torch import Tensor, nn
from transformers.models.mamba.configuration_mamba import MambaConfig
from transformers.models.mamba.modeling_mamba import MambaMixer
from transformers.models.rwkv.configuration_rwkv import RwkvConfig
from transformers.models.rwkv.modeling_rwkv import RwkvFeedForward, RwkvSelfAttention

from hornbook.core.run import processor
from hornbook.model.mamba import Mamba
from hornbook.model.mask import Sight
from hornbook.model.op import Context, Op
from hornbook.model.position import PositionBase
from hornbook.model.rwkv import ChannelMix, TimeMix

MAMBA = {"in_proj": "input", "conv1d": "convolution", "x_proj": "select", "dt_proj": "step", "out_proj": "output"}
RWKV = {"time_decay": "log_fall", "time_first": "bonus", "time_mix": "mix"}
Layer = Callable[[Tensor], Tensor]


def main() -> None:
    """Time both architectures and print a figure for each."""
    options = read_options()
    transformers.logging.set_verbosity_error()  # it warns that its kernels for GPUs are missing
    torch.set_num_threads(1)
    print(f"{processor()}, torch {torch.__version__}, {options.rows} x {options.length} x {options.width}, one thread")
    for name, pair in {"mamba": mamba, "rwkv": rwkv}.items():
        torch.manual_seed(0)
        theirs, ours = pair(options.width, options.length)
        ratio = compare(theirs, ours, torch.randn(options.rows, options.length, options.width), options.rounds)
        print(f"figure {name}_scan {ratio:.2f}", flush=True)


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1, help="rows of a batch (1)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (5)")
    parser.add_argument("--length", type=int, default=512, help="tokens of a row (512)")
    parser.add_argument("--width", type=int, default=256, help="channels of the stream (256)")
    parser.add_argument("--tiny", action="store_true", help="a toy, to see that it runs")
    options = parser.parse_args()
    if options.tiny:
        options.rounds, options.length, options.width = 1, 20, 32
    return options


def compare(theirs: Layer, ours: Layer, x: Tensor, rounds: int) -> float:
    """Print medians and ranges; their time over ours."""
    contestants = {"transformers": theirs, "hornbook": ours}
    want, found = (each(x).detach() for each in contestants.values())
    torch.testing.assert_close(found, want, rtol=0, atol=1e-5 * max(1.0, want.abs().max().item()))
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(-1, rounds):
        for name, layer in contestants.items():
            started_at = time.process_time()
            layer(x.detach().requires_grad_()).sum().backward()
            if turn >= 0:
                seconds[name].append(time.process_time() - started_at)
    for name, spent in seconds.items():
        low, high = 1e3 * min(spent), 1e3 * max(spent)
        print(f"  {name:12} {1e3 * median(spent):9.1f} CPU milliseconds ({low:.1f} to {high:.1f})")
    return median(seconds["transformers"]) / median(seconds["hornbook"])


def mamba(width: int, length: int) -> tuple[Layer, Layer]:
    """Their mixer, trained as it falls back without its kernels, and ours."""
    theirs = MambaMixer(MambaConfig(hidden_size=width, num_hidden_layers=1), 0).train()
    return theirs, plain(same_numbers(Mamba().build(width), theirs, MAMBA | {"A_log": "log_rate", "D": "skip"}), length)


def rwkv(width: int, length: int) -> tuple[Layer, Layer]:
    """Time and channel mixing, one after the other."""
    config = RwkvConfig(hidden_size=width, num_hidden_layers=2)
    time_mix, channel_mix = RwkvSelfAttention(config), RwkvFeedForward(config)
    for part in (time_mix, channel_mix):
        for parameter in part.parameters():
            nn.init.normal_(parameter, 0.0, 0.1)
    ours_time = plain(same_numbers(TimeMix().build(width), time_mix, RWKV), length)
    ours_channel = plain(
        same_numbers(ChannelMix(hidden=4 * width).build(width), channel_mix, RWKV | {"value": "output"}), length
    )
    return lambda x: channel_mix(time_mix(x)[0])[0], lambda x: ours_channel(ours_time(x))


def plain(op: Op, length: int) -> Layer:
    """A sublayer over whole rows, without padding or packing."""
    context = Context(PositionBase(), torch.arange(length)[None], Sight(length))
    return lambda x: op(x, context)


@torch.no_grad()
def same_numbers(op: Op, theirs: nn.Module, names: dict[str, str]) -> Op:
    """Ours with their weights; `names`: where a part of a name differs."""
    ours = dict(op.named_parameters())
    for name, parameter in theirs.named_parameters():
        for old, new in names.items():
            name = name.replace(old, new)
        own = ours.pop(name)
        own.copy_(parameter.reshape(own.shape))
    assert not ours, f"without numbers: {list(ours)}"
    return op


if __name__ == "__main__":
    main()
