"""The chat page, driven in headless Chromium: type, stream, stop, probabilities, markdown, languages, a base model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.browser import Browser, found
from tests.serve.served import Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(found() is None, reason="no chromium on this machine; install it to drive the page"),
]
TEXT = "document.querySelector('#text')"
LAST = "document.querySelector('article:last-child')"
IDLE = f"{LAST}?.querySelector('.foot')"
MARKDOWN = """# A heading

Some **bold**, *italic*, `code` and a [link](https://example.org/a_(b)), 2 * 3 * 4 and snake_case_name.

- one
- two
  1. inner

| name | n |
|---|---:|
| a \\\\| b | 1 |

```python
print("<b>")
```

<img src=x onerror="document.title = 'broken'"> [bad](javascript:alert(1)) <script>document.title = 'broken'</script>

```open
still being written"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"), "--lang=en-US", "--accept-lang=en-US")
    yield opened
    opened.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Browser:
    """A page that remembers nothing."""
    browser.open(f"{server.url}/")
    browser.run("localStorage.clear(), sessionStorage.clear()")
    browser.open(f"{server.url}/?fresh")
    browser.wait("document.querySelector('#model').options.length === 4")
    browser.errors.clear()
    browser.run(f"{TEXT}.focus()")
    return browser


def put(page: Browser, **settings: object) -> None:
    """Turn the settings' knobs."""
    for name, value in settings.items():
        field = f"document.querySelector('#{name}')"
        page.run(f"{field}.value = {value!r}, {field}.dispatchEvent(new Event('input'))")


def test_a_message_is_answered_while_it_comes(page: Browser) -> None:
    put(page, max_tokens=40, seed=1)
    page.type("你好, who are you?")
    page.press("Enter")
    page.wait(f"{LAST}.matches('.assistant')")
    page.wait(IDLE)
    assert page.run("document.querySelector('article.user').innerText") == "你好, who are you?"
    assert page.run(f"{LAST}.querySelector('.body').innerText.length") > 5
    assert "a second" in page.run(f"{LAST}.querySelector('.facts').innerText")
    assert page.errors == []


def test_stop_ends_the_answer_and_frees_the_slot(page: Browser, server: Server) -> None:
    put(page, max_tokens=900, temperature=2, seed=2)
    page.type("a")
    page.press("Enter")
    page.wait(f"{LAST}.matches('.assistant') && {LAST}.querySelector('.body').innerText.length > 20")
    assert page.run("document.querySelector('#send').innerText") == "Stop"
    page.run("document.querySelector('#send').click()")
    page.wait(IDLE)
    assert "stopped" in page.run(f"{LAST}.querySelector('.facts').innerText")
    assert page.run("document.querySelector('#send').innerText") == "Send"
    server.until(lambda: server.gauge("hornbook_engine_active", "chatty") == 0, 5)


def test_probabilities_are_told_on_hover(page: Browser) -> None:
    put(page, max_tokens=30, seed=3)
    page.type("a")
    page.press("Enter")
    page.wait(IDLE)
    text = page.run(f"{LAST}.querySelector('.body').innerText")
    page.run(f"[...{LAST}.querySelectorAll('.foot button')].find(b => b.innerText === 'Probabilities').click()")
    assert page.run(f"{LAST}.querySelectorAll('.token').length") > 5
    page.hover(".token")
    page.wait("!document.querySelector('#odds').hidden")
    assert page.run("document.querySelectorAll('#odds div').length") >= 5
    assert "%" in page.run("document.querySelector('#odds').innerText")
    assert text


def test_shift_enter_is_a_line_and_an_input_method_keeps_its_enter(page: Browser) -> None:
    page.type("one")
    page.press("Enter", shift=True)
    page.type("two")
    assert page.run(f"{TEXT}.value") == "one\ntwo"
    page.run(f"{TEXT}.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Enter', isComposing: true, bubbles: true}}))")
    assert page.run("document.querySelectorAll('article').length") == 0


def test_markdown_is_shown_and_nothing_in_it_runs(page: Browser) -> None:
    page.run(
        "import('/page/markdown.js').then(m => { const box = document.querySelector('#messages');"
        f"box.replaceChildren(m.render({MARKDOWN!r})); }})"
    )
    shown = "document.querySelector('#messages')"
    counts = {"h3": 1, "strong": 1, "em": 1, "a": 1, "li": 3, "td": 2, "pre": 2, "img": 0, "script": 0}
    found_there = {name: page.run(f"{shown}.querySelectorAll('{name}').length") for name in counts}
    assert found_there == counts
    assert page.run(f"{shown}.querySelector('a').href") == "https://example.org/a_(b)"
    assert page.run(f"{shown}.querySelector('pre').innerText") == 'print("<b>")'
    assert "2 * 3 * 4 and snake_case_name" in page.run(f"{shown}.innerText")
    assert page.run("document.title") == "hornbook"


def test_a_base_model_goes_on_with_the_text(page: Browser) -> None:
    chooser = "document.querySelector('#model')"
    page.run(f"{chooser}.value = 'plain', {chooser}.dispatchEvent(new Event('change'))")
    assert "no chat template" in page.run("document.querySelector('#empty').innerText")
    put(page, max_tokens=12, temperature=0)
    page.run(f"{TEXT}.focus()")
    page.type("The small")
    page.press("Enter")
    page.wait(IDLE)
    assert page.run(f"{LAST}.querySelector('.body').textContent.length") > 3
    assert page.errors == []


def test_what_was_said_is_there_again_in_the_other_language(page: Browser, server: Server) -> None:
    put(page, max_tokens=5)
    page.type("remember")
    page.press("Enter")
    page.wait(IDLE)
    page.run("document.querySelector('#language').click()")
    assert page.run("document.querySelector('#fresh').innerText") == "新对话"
    page.open(f"{server.url}/?again")
    page.wait("document.querySelectorAll('article').length === 2")
    assert page.run("document.querySelector('#send').innerText") == "发送"
    page.run("document.querySelector('#fresh').click()")
    assert page.run("document.querySelectorAll('article').length") == 0


def test_an_error_is_a_sentence(page: Browser) -> None:
    page.type("long " * 2000)
    page.press("Enter")
    page.wait("document.querySelector('article .error')")
    assert "window of 1024" in page.run("document.querySelector('article .error').innerText")


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_stands_out_at_the_side(page: Browser, width: int, tmp_path: Path) -> None:
    page.size(width, 700)
    page.run("document.querySelector('#tune').click()")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(tmp_path / "page.png")
    page.size(1100, 760)
