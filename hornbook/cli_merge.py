"""`hornbook merge`: a model and the adapter that it learned, as one model folder."""

from pathlib import Path
from typing import Annotated

import typer


def merge(
    adapter: Annotated[str, typer.Argument(metavar="ADAPTER", help="a folder in PEFT's layout, or its hub id")],
    out: Annotated[Path, typer.Option(help="the model folder to write")],
    base: Annotated[str | None, typer.Option(help="the adapter's model, where it is not where it was")] = None,
) -> None:
    """Fold an adapter into its model, for programs that know no adapters.

    Example: hornbook merge runs/assistant/instruct/adapter --out assistant
    """
    import hornbook
    from hornbook.adapt.adapter import is_adapted
    from hornbook.core.errors import UserError

    model = hornbook.load(adapter, base=base)
    if not is_adapted(model.module):
        raise UserError(f"{adapter}: a whole model, with nothing to fold in; give the folder of an adapter")
    model.save(out)
    print(f"{out}: {(out / 'model.safetensors').stat().st_size / 1e6:.1f} MB")
