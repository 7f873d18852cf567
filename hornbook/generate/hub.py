"""Which folder or file a model's name stands for: a run, a model folder, a GGUF file, or a hub id, which is downloaded.

A mistyped folder is told from a hub id before anything is asked of the network, and a network that does not answer ends
the wait after seconds. Nothing heavy is imported here: a mistake is answered before torch is there.
"""

import re
from multiprocessing import TimeoutError as Late
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.files import read_json
from hornbook.core.source import closest

HUB_ID = re.compile(r"[A-Za-z0-9][\w-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
FILES = ["*.json", "*.safetensors", "*.jinja", "vocab.txt", "*.model"]
PICKLED = ["pytorch_model*.bin"]  # only where there are no safetensors
PATIENCE = 10.0  # seconds in which the hub must have given the first, small file


def find(path: str | Path) -> Path:
    """The model folder, or GGUF file, that a name stands for; of a run, the newest model that is done.

    Where a run has language models, the newest of these: a reward model or a classifier beside them goes by its path.
    """
    folder = Path(path)
    for model in of_run(folder):
        if (model / "config.json").is_file():
            return model
    if folder.exists():
        return folder
    ours = folder.parts[:1] == ("runs",)  # where runs are, unless --run says otherwise
    if ours or (folder.parent != Path() and folder.parent.is_dir()) or not HUB_ID.fullmatch(str(path)):
        file = folder.suffix == ".gguf"
        beside = [each.name for each in folder.parent.glob("*.gguf" if file else "*/")]
        raise UserError(
            f"{path}: no such {'file' if file else 'folder'}{closest(folder.name, beside)}; "
            "give a run, a model folder, or a hub id such as openai-community/gpt2"
        )
    return _download(str(path))


def of_run(folder: Path) -> list[Path]:
    """Where a run's models are, best first: language models before others, newer ones before older ones."""
    journal = folder / "stages.json"
    stages = read_json(journal) if journal.is_file() else {}
    kept = {
        name: entry["keeps"] for name, entry in reversed(stages.items()) if entry.get("keeps") not in (None, "rows")
    }
    names = [name for name in kept if name != "pretrain"]
    models = [folder / name / "model" for name in sorted(names, key=lambda name: kept[name] != "language model")]
    base, some = folder / "model", any(kept[name] == "language model" for name in names)
    return [*models, base] if some else [base, *models]


def _download(hub_id: str) -> Path:
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        try:
            _soon(hub_id)
            folder = _snapshot(hub_id, FILES)
            return folder if next(folder.glob("*.safetensors"), None) else _snapshot(hub_id, [*FILES, *PICKLED])
        except Late:
            return _snapshot(hub_id, FILES, local_files_only=True)  # what an earlier download left
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        why = str(error).strip().splitlines()[0]
        raise UserError(f"{hub_id}: no such folder here, and not to be had from the hub ({why})") from None


def _snapshot(hub_id: str, files: list[str], **options: Any) -> Path:
    import huggingface_hub

    return Path(huggingface_hub.snapshot_download(hub_id, allow_patterns=files, **options))


def _soon(hub_id: str) -> None:
    """Fetch config.json, or raise `Late`: a thread, since a name server that is silent heeds no other time limit."""
    import huggingface_hub

    pool = ThreadPool(1)  # its thread does not hold up the end of the program
    try:
        wanted = {"allow_patterns": ["config.json"]}
        pool.apply_async(huggingface_hub.snapshot_download, (hub_id,), wanted).get(PATIENCE)
    finally:
        pool.close()
