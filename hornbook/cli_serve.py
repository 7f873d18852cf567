"""`hornbook serve`: models behind OpenAI's API, and a page to talk to them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from hornbook.model.quantised import Kind

KEYS = "HORNBOOK_API_KEY"  # in the environment
MEGABYTE = 1_000_000

Models = Annotated[
    list[str],
    typer.Argument(metavar="MODEL...", help="runs, model folders, hub ids, .gguf files; NAME=MODEL names one"),
]


def serve(
    models: Models,
    host: Annotated[
        str, typer.Option(help="127.0.0.1: this machine alone; 0.0.0.0: the network, with a key")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any that is free")] = 8000,
    api_key_file: Annotated[Path | None, typer.Option(help=f"a file with a key a line; or one key in {KEYS}")] = None,
    adapter: Annotated[
        list[str] | None, typer.Option(help="NAME=FOLDER: a LoRA adapter of the first model; may be given again")
    ] = None,
    slots: Annotated[int, typer.Option(min=1, help="answers that are written side by side")] = 8,
    queue: Annotated[int, typer.Option(min=1, help="requests that wait for a slot; more are refused with 429")] = 64,
    context: Annotated[int | None, typer.Option(min=16, help="tokens of a slot; default the model's window")] = None,
    dtype: Annotated[str, typer.Option(help="numbers of the weights: float32, bfloat16")] = "float32",
    quantise: Annotated[str | None, typer.Option(help="store matrices as int8, int4 or bf16: less to read")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="seconds that an answer may take")] = 600.0,
    rate: Annotated[int, typer.Option(min=0, help="requests a minute of one key or address; 0: no bound")] = 0,
    max_body: Annotated[float, typer.Option(min=0.001, help="megabytes of a request")] = 4.0,
    origin: Annotated[
        list[str] | None, typer.Option(help="a web page that may ask from elsewhere (CORS); may be given again")
    ] = None,
    drain: Annotated[int, typer.Option(min=0, help="seconds in which answers are finished after SIGTERM")] = 60,
) -> None:
    """Serve models through OpenAI's API, with a chat page at /.

    Example: hornbook serve runs/demo
    """
    keys = _keys(api_key_file)
    _check(host, keys)
    from hornbook.generate.serving import EngineSettings
    from hornbook.serve import app, server, shelf
    from hornbook.serve.gate import Rules

    here_only = server.is_here(host) and not keys
    rules = Rules(keys=keys, body_bytes=int(max_body * MEGABYTE), per_minute=rate, here_only=here_only)
    settings = EngineSettings(slots=slots, queue=queue, capacity=context)
    with server.bound(host, port) as bound:
        opening = shelf.Opening(engine=settings, dtype=dtype, quantise=cast("Kind | None", quantise))
        opened = shelf.open_models(models, opening, adapters=adapter or [])
        built = app.build(opened, app.Settings(rules=rules, seconds=timeout, origins=tuple(origin or ())))
        server.listen(bound)
        _greet(server.address(bound), list(opened.models), bool(keys))
        server.run(built, bound, drain_seconds=drain)
    print("stopped; every answer that was begun is finished")


def _keys(path: Path | None) -> tuple[str, ...]:
    """The keys that open the server; none: everybody who reaches it."""
    from hornbook.core.errors import UserError

    if path is None:
        return tuple(filter(None, [os.environ.get(KEYS, "").strip()]))
    keys = tuple(filter(None, map(str.strip, path.read_text(encoding="utf-8").splitlines())))
    if not keys:
        raise UserError(f"--api-key-file {path}: holds no key; write one a line")
    return keys


def _check(host: str, keys: tuple[str, ...]) -> None:
    """What others can reach has a key."""
    from hornbook.core.errors import UserError
    from hornbook.serve.server import is_here

    if is_here(host):
        return
    if not keys:
        raise UserError(
            f"--host {host}: others could use the models; give --api-key-file FILE (or {KEYS}), or leave --host out"
        )
    print(f"warning: others reach this server through {host}, and plain HTTP shows the key to those between")


def _greet(address: str, names: list[str], locked: bool) -> None:
    """What to open, what to send."""
    key = " -H 'Authorization: Bearer KEY'" if locked else ""
    body = f'{{"model": "{names[0]}", "prompt": "Once upon a time", "max_tokens": 32}}'
    print(f"serving {', '.join(names)} at {address}/v1; open {address} to chat, Ctrl-C ends it")
    print(f"try: curl {address}/v1/completions -H 'Content-Type: application/json'{key} -d '{body}'", flush=True)
