"""The picture of docs/serving.md: the chat page of a server that runs, in headless Chromium.

hornbook serve smollm2=path/to/SmolLM2-135M-Instruct.gguf
python docs/pictures/chat_page.py http://127.0.0.1:8000
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.serve.browser import Browser

LAST = "document.querySelector('article:last-child')"
QUESTION = "Write a Python function that greets a person by name, then explain it in two points."


def main() -> None:
    """Ask, show the probabilities of a second answer, and take the picture."""
    with tempfile.TemporaryDirectory() as profile:
        page = Browser(Path(profile), "--lang=en-US", "--accept-lang=en-US")
        page.size(1200, 860)
        page.open(sys.argv[1])
        page.wait("document.querySelector('#model').options.length")
        for name, value in (("temperature", "0.1"), ("max_tokens", "120"), ("seed", "7")):
            field = f"document.querySelector('#{name}')"
            page.run(f"{field}.value = '{value}', {field}.dispatchEvent(new Event('input'))")
        for text in (QUESTION, "What is the capital of France?"):
            page.run("document.querySelector('#text').focus()")
            page.type(text)
            page.press("Enter")
            page.wait(f"{LAST}.matches('.assistant') && {LAST}.querySelector('.foot')", 120)
        page.run(f"[...{LAST}.querySelectorAll('.foot button')].find(b => b.innerText === 'Probabilities').click()")
        page.run("document.querySelector('#tune').click()")
        page.hover("article:last-child .token:nth-child(1)")
        page.wait("!document.querySelector('#odds').hidden")
        page.screenshot(Path(__file__).with_name("chat-page.png"))
        page.close()


if __name__ == "__main__":
    main()
