"""`hornbook generate`: what a model writes after a prompt, or after each prompt of a file."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hornbook.generate.constraint import Constraint
    from hornbook.generate.language_model import LanguageModel
    from hornbook.generate.serving import Request

Share = Annotated[float | None, typer.Option(min=0, max=1)]
Count = Annotated[int | None, typer.Option(min=1)]


def generate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="a run, a model folder, a hub id, or a .gguf file")],
    prompt: Annotated[str | None, typer.Argument(help="how the text begins; - reads standard input")] = None,
    file: Annotated[
        Path | None, typer.Option(help="a prompt a line, or .jsonl with prompt or messages; - reads")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="with --file: where answers go; goes on where it was stopped")
    ] = None,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", "-n", min=1)] = 128,
    temperature: Annotated[float, typer.Option(min=0, help="0 is greedy")] = 0.8,
    top_k: Count = None,
    top_p: Share = 0.95,
    min_p: Share = None,
    typical_p: Share = None,
    repetition_penalty: Annotated[float, typer.Option(min=0.01)] = 1.0,
    presence_penalty: float = 0.0,
    frequency_penalty: float = 0.0,
    no_repeat_ngram: Count = None,
    stop: Annotated[list[str] | None, typer.Option(help="end before this text; may be given again")] = None,
    seed: Annotated[int | None, typer.Option(help="row i of a file draws with seed + i")] = None,
    beams: Annotated[int | None, typer.Option(min=1, help="look for the likeliest text instead of drawing one")] = None,
    lookup: Annotated[bool, typer.Option(help="guess ahead what stood in the text before; for speed")] = False,
    draft: Annotated[str | None, typer.Option(metavar="MODEL", help="a smaller model that guesses ahead")] = None,
    schema: Annotated[Path | None, typer.Option(help="a JSON schema that the answer keeps to")] = None,
    regex: Annotated[str | None, typer.Option(help="a pattern that the whole answer matches")] = None,
    choices: Annotated[str | None, typer.Option(help="the answer is one of these, between commas")] = None,
    quantise: Annotated[str | None, typer.Option(help="store matrices as int8, int4 or bf16: less to read")] = None,
) -> None:
    """Go on from a prompt, or from every prompt of a file.

    Example: hornbook generate runs/demo "def read_lines(path):"

    Example: hornbook generate runs/demo --file prompts.jsonl --out answers.jsonl
    """
    given = dict(locals())
    _check(given)
    if file is not None:
        _batch(model, file, out, given)
        return
    text = sys.stdin.read() if prompt == "-" else str(prompt)
    _one(_opened(model, given), text, given)


def _opened(model: str, given: Mapping[str, Any]) -> "LanguageModel":
    from hornbook.generate.language_model import LanguageModel

    return LanguageModel.load(model, quantise=given["quantise"])


def _check(given: Mapping[str, Any]) -> None:
    """What does not go together."""
    from hornbook.core.errors import UserError

    if (given["prompt"] is None) == (given["file"] is None):
        raise UserError("give a prompt, or --file FILE with prompts: one of the two")
    if (given["file"] is None) != (given["out"] is None):
        raise UserError("--file and --out go together: prompts from one, answers into the other")
    for group in (("schema", "regex", "choices"), ("beams", "lookup", "draft")):
        named = [f"--{name}" for name in group if given[name]]
        if len(named) > 1:
            raise UserError(f"{' and '.join(named)} do not go together; give one of them")
    plain = [f"--{name}" for name in ("beams", "lookup", "draft") if given[name]]
    other = [f"--{name}" for name in ("file", "schema", "regex", "choices") if given[name]]
    if plain and other:
        raise UserError(f"{plain[0]} does not go with {other[0]}; leave one of them out")


def _sampling(given: Mapping[str, Any]) -> dict[str, Any]:
    from dataclasses import fields

    from hornbook.generate.sample import Sampling

    return {each.name: given[each.name] for each in fields(Sampling) if each.name in given}


def _one(lm: "LanguageModel", text: str, given: Mapping[str, Any]) -> None:
    """One text, as it is written."""
    from hornbook.generate.beam import Beam
    from hornbook.generate.speculative import Draft, Lookup

    if lm.start is None:  # an encoder-decoder answers a text and does not go on with it
        sys.stdout.write(text)
    options: Any = {**_sampling(given), "stop": tuple(given["stop"] or ()), "seed": given["seed"]}
    options["max_new_tokens"] = given["max_new_tokens"]
    if given["draft"]:
        options["draft"] = Draft(type(lm).load(given["draft"]))
    elif given["lookup"]:
        options["draft"] = Lookup()
    if given["beams"]:
        pieces = iter([lm.search(text, Beam(beams=given["beams"]), **options)[0].text])
    else:
        pieces = _kept(lm, text, given) if _form(lm, given) is not None else lm.stream(text, **options)
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()
    print()


def _kept(lm: "LanguageModel", text: str, given: Mapping[str, Any]) -> Any:
    """A text that keeps a form."""
    from hornbook.batch import Row, ids_of
    from hornbook.core.stop import Stop
    from hornbook.generate.serving import Engine

    engine = Engine(lm)
    engine.start()
    try:
        with Stop() as stop:
            for piece in engine.submit(_request(lm, given, *ids_of(lm, Row("", {"prompt": text})), 0)):
                if stop.asked:
                    raise KeyboardInterrupt
                yield piece.text
    finally:
        engine.close(drain=False)


def _batch(model: str, file: Path, out: Path | None, given: Mapping[str, Any]) -> None:
    """Every prompt of a file; errors are told at the end."""
    from hornbook.batch import answer_rows, finished, read_rows

    assert out is not None
    rows = read_rows(file)
    finished(out, rows)  # before the model is read: what is wrong is said at once
    lm = _opened(model, given)
    _form(lm, given)
    end = "\r" if sys.stderr.isatty() else "\n"
    try:
        new, failed = answer_rows(
            lm,
            rows,
            out,
            lambda ids, source, number: _request(lm, given, ids, source, number),
            note=lambda line: print(line, end=end, file=sys.stderr, flush=True),
        )
    finally:
        print(end="\n" if end == "\r" else "", file=sys.stderr)
    print(f"{out}: {len(rows)} answers, {new} of them new, {failed} of these failed")


def _request(
    lm: "LanguageModel", given: Mapping[str, Any], ids: list[int], source: list[int], number: int
) -> "Request":
    from hornbook.generate.sample import Sampling
    from hornbook.generate.serving import Request

    return Request(
        prompt=ids,
        source=source,
        sampling=Sampling(**_sampling(given)),
        max_new_tokens=given["max_new_tokens"],
        stop=tuple(given["stop"] or ()),
        seed=None if given["seed"] is None else given["seed"] + number,
        constraint=_form(lm, given),
    )


def _form(lm: "LanguageModel", given: Mapping[str, Any]) -> "Constraint | None":
    """What the answer has to keep to."""
    if not (given["schema"] or given["regex"] or given["choices"]):
        return None
    from hornbook.core.errors import UserError
    from hornbook.generate import constraint

    if lm.tokenizer is None:
        raise UserError("the model's folder has no tokenizer.json, so text means nothing to it; add the tokenizer")
    ends = lm.limits(1).end
    if given["regex"]:
        return constraint.regex(given["regex"], lm.tokenizer, ends=ends)
    if given["choices"]:
        return constraint.choices(given["choices"].split(","), lm.tokenizer, ends=ends)
    try:
        return constraint.json_schema(json.loads(given["schema"].read_text("utf-8")), lm.tokenizer, ends=ends)
    except ValueError as error:
        raise UserError(f"{given['schema']}: is no JSON ({error}); mend it") from None
