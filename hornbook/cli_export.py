"""`hornbook export`: a model as one file for other programs: GGUF for llama.cpp and Ollama, ONNX for onnxruntime."""

from pathlib import Path
from typing import Annotated

import typer

KINDS = {".gguf": "gguf", ".onnx": "onnx"}


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="a run, a model folder, a hub id, or a .gguf file")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="the file to write, NAME.gguf or NAME.onnx")],
    to: Annotated[str, typer.Option(help="gguf or onnx; by the name of the file")] = "",
    type: Annotated[str, typer.Option(help="of GGUF: f32, f16, q8_0 (1 byte a weight) or q4_0 (half a byte)")] = "q8_0",
    check: Annotated[bool, typer.Option(help="read it again in llama.cpp or onnxruntime, where installed")] = True,
) -> None:
    """Write a model as one file for other programs, and see that they read the same model out of it.

    GGUF holds the tokenizer and chat template too; ONNX is the graph alone, in fp32.

    Example: hornbook export runs/demo demo.gguf --type q8_0
    """
    import hornbook
    from hornbook import carried
    from hornbook.core.errors import UserError
    from hornbook.exchange import onnx_file

    kind = to or KINDS.get(out.suffix, "")
    if kind not in KINDS.values():
        raise UserError(f"{to or out}: files are written as gguf or onnx; name it {out.stem}.gguf or {out.stem}.onnx")
    if out.suffix != f".{kind}":
        raise UserError(f"{out}: the name of such a file ends in .{kind}; name it {out.stem}.{kind}")
    lm = hornbook.load(model)
    if kind == "onnx":
        onnx_file.save(lm.module, out)
    else:
        lm.save_gguf(out, type=type)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    if check:
        print(carried.check(lm, out, "onnx" if kind == "onnx" else type))
