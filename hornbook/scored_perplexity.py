"""A model on files of text: perplexity and bits per byte of each and of all; what is computed is kept."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.files import write_json
from hornbook.core.table import print_table
from hornbook.corpus_progress import Bars
from hornbook.evaluate.cache import Cache, fingerprint
from hornbook.evaluate.perplexity import Slid, sizes, slide, summary
from hornbook.evaluate.scorer import Scorer
from hornbook.generate import hub
from hornbook.generate.language_model import LanguageModel
from hornbook.scored import PRECISION
from hornbook.scored_names import names

RESULTS = "perplexity.json"


def evaluate(model: str, files: Sequence[Path], out: Path, *, window: int | None, stride: int | None) -> dict[str, Any]:
    """Let a sliding window go over every file; scores go to the terminal and into the model's folder below `out`."""
    texts = {str(path): read(path) for path in files}  # a file that is not there is told at once
    path = hub.find(model)
    known = fingerprint(path, PRECISION)
    lm = LanguageModel.load(path, dtype=PRECISION)
    if lm.tokenizer is None:
        raise UserError(f"{model}: has no tokenizer, so it can read no text; add tokenizer.json to its folder")
    folder = out / names([model])[0]
    slid: dict[str, Slid] = {}
    with Bars(unit=" windows") as bars:
        for name, text in texts.items():
            scorer = Scorer(lm, cache=Cache(folder, known), progress=partial(bars, name))
            try:
                slid[name] = slide(scorer, text, window=window, stride=stride)
            except UserError as error:
                raise UserError(f"{name}: {error}" if not str(error).startswith("--") else str(error)) from None
    window, stride = sizes(scorer, window, stride)
    about = {"model": model, "fingerprint": known, "precision": PRECISION, "window": window, "stride": stride}
    result = {"about": about, "files": {name: summary([each]) for name, each in slid.items()}}
    result["all"] = summary(list(slid.values()))
    _say(result)
    write_json(folder / RESULTS, result)
    print(folder / RESULTS)
    return result


def read(path: Path) -> str:
    """A file's text as it is."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; check the path") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder; name files of text") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start:,} is no UTF-8; convert the file") from None


def _say(result: dict[str, Any]) -> None:
    each = [*result["files"].items(), *([("all", result["all"])] if len(result["files"]) > 1 else [])]
    rows = [
        (Path(name).name, one["tokens"], one["bytes"], _cell(one["perplexity"], 2), _cell(one["bits_per_byte"], 4))
        for name, one in each
    ]
    print_table(("file", "tokens", "bytes", "perplexity", "bits per byte"), rows)
    about = result["about"]
    print(f"windows of {about['window']:,} tokens, {about['stride']:,} apart; in brackets: the 95 % interval over them")


def _cell(score: dict[str, Any], digits: int) -> str:
    if score["interval"] is None:
        return f"{score['value']:.{digits}f}"
    low, high = score["interval"]
    return f"{score['value']:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
