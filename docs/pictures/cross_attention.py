"""Draws cross-attention.svg: a small Transformer of 2017 has learned to write strings backwards; where does it look?

    python docs/pictures/cross_attention.py

Half a minute of CPU. The recipe is transformer-tiny with one layer a side; the strings are 12 random letters.
"""

from pathlib import Path

import torch

from hornbook.core import recipe
from hornbook.core.heat import Heat, Side, grid
from hornbook.model.encoder_decoder import EncoderDecoder, EncoderDecoderModel
from hornbook.model.watch import Watch

LETTERS, BEGIN = "abcdefghijklmnopqrstuvwxyz", 26
SMALL = ["encoder.layers=1", "decoder.layers=1", "source.vocab=27", "source.dropout=0"]
SMALL += ["encoder.dropout=0", "decoder.dropout=0"]
STEPS, ROWS, LENGTH = 500, 64, 12


def strings(rows: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(source, what the decoder reads, what it is to write)."""
    source = torch.randint(0, 26, (rows, LENGTH), generator=generator)
    target = source.flip(1)
    return source, torch.cat([torch.full((rows, 1), BEGIN), target[:, :-1]], 1), target


def train(model: EncoderDecoderModel) -> float:
    """The share of letters that the model gets right in the end."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, STEPS)
    generator, right = torch.Generator().manual_seed(0), 0.0
    for _ in range(STEPS):
        source, given, target = strings(ROWS, generator)
        logits = model(source, decoder_input_ids=given).logits
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        right = (logits.argmax(-1) == target).float().mean().item()
    return right


def main() -> None:
    """Train, look, draw."""
    model = recipe.load(EncoderDecoder, "models/transformer-tiny", SMALL).build()
    print(f"letters right: {train(model):.1%}")
    source = torch.tensor([[LETTERS.index(letter) for letter in "hornbookread"]])
    given = torch.cat([torch.tensor([[BEGIN]]), source.flip(1)[:, :-1]], 1)
    with Watch(model.eval()) as watch, torch.no_grad():
        model(source, decoder_input_ids=given)
    weights = next(found.weights[0] for found in watch.maps if not found.itself and "decoder" in found.sublayer)
    maps = [Heat(f"head {i + 1}", head.tolist()) for i, head in enumerate(weights)]
    written = Side("the letter written", list("hornbookread"[::-1]))
    picture = grid(maps, written, Side("the letters of the source", list("hornbookread")), width=860)
    Path(__file__).with_name("cross-attention.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
