"""`hornbook export`: a model as one GGUF file, for llama.cpp and what is built on it (Ollama, LM Studio)."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="a run, a model folder, a hub id, or a .gguf file")],
    out: Annotated[Path, typer.Argument(metavar="OUT.gguf", help="the file to write")],
    type: Annotated[str, typer.Option(help="f32, f16, q8_0 (1 byte a weight) or q4_0 (half a byte)")] = "q8_0",
) -> None:
    """Write a model with its tokenizer and chat template as a GGUF file.

    Example: hornbook export runs/demo demo.gguf --type q8_0
    """
    import hornbook
    from hornbook.core.errors import UserError

    if out.suffix != ".gguf":
        raise UserError(f"{out}: the name of a GGUF file ends in .gguf; name it {out.name}.gguf")
    hornbook.load(model).save_gguf(out, type=type)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
