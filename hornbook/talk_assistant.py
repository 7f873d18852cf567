"""`hornbook chat MODEL --assistant FILE`: a conversation with a model and its parts, and what the user thinks of it."""

from pathlib import Path

from hornbook.align.assistant import Assistant, Assisted, Reply
from hornbook.align.feedback import Feedback
from hornbook.align.speaker import speaker
from hornbook.align.transcript import Message
from hornbook.align.words import Words
from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.talk import ask

HELP = "/new forgets the conversation, /quit or Ctrl-D leaves, \\ at a line's end goes on below"
THUMBS = "/good, /bad REASON and /better TEXT say what you think of the last answer"
QUOTED = 300  # characters of a passage that are shown


def talk_assisted(model: str, file: str, *, seed: int | None) -> None:
    """Read lines, write answers, until the input ends."""
    config = recipe.load(Assistant, file)
    assisted = config.build(speaker(model, Words()))
    feedback = Feedback(Path(config.feedback)) if config.feedback else None
    print(f"{model} with {', '.join(_parts(config)) or 'no parts'}\n{HELP}" + (f"\n{THUMBS}" if feedback else ""))
    Session(assisted, feedback, seed or 0).run()


class Session:
    """A conversation in the terminal."""

    def __init__(self, assisted: Assisted, feedback: Feedback | None, seed: int) -> None:
        self.assisted, self.feedback, self.seed = assisted, feedback, seed
        self.talk: list[Message] = []

    def run(self) -> None:
        """Until the input ends, or the user leaves."""
        while (line := ask()) is not None:
            command, _, rest = line.strip().partition(" ")
            if command in ("/quit", "/exit"):
                return
            if command == "/new":
                self.talk = []
            elif command in ("/good", "/bad", "/better"):
                print(self._think(command, rest.strip()))
            elif command.startswith("/"):
                print(f"{HELP}\n{THUMBS}")
            elif line.strip():
                self._answer(line)

    def _answer(self, line: str) -> None:
        self.seed += 1
        self.talk.append({"role": "user", "content": line})
        try:
            reply = self.assisted.reply(self.talk, self.seed)
        except UserError as error:  # the conversation has outgrown the model's context
            self.talk = []
            print(f"{error}\n(the conversation starts anew)")
            return
        print(shown(reply))
        self.talk.append({"role": "assistant", "content": reply.text})

    def _think(self, command: str, text: str) -> str:
        """Keep what the user thinks of the last answer; what to tell them."""
        if self.feedback is None:
            return "this assistant keeps no feedback; give its file `feedback: FOLDER`"
        if not self.talk:
            return "there is no answer yet"
        before, answer = self.talk[:-1], self.talk[-1]["content"]
        if command == "/good":
            self.feedback.good(before, answer)
        elif command == "/bad":
            self.feedback.bad(before, answer, text)
        elif text:
            self.feedback.better(before, answer, text)
        else:
            return "/better TEXT wants the answer that you would have liked"
        return f"kept in {self.feedback.folder}"


def shown(reply: Reply) -> str:
    """An answer with what stands behind it."""
    asked = [f"  [{query} -> {'; '.join(results) or 'nothing'}]" for query, results in reply.calls]
    quoted = [f'  "{" ".join(each.text.split())[:QUOTED]}" ({each.place})' for each in reply.evidence]
    learned = [f"  remembered: {fact}" for fact in reply.learned]
    return "\n".join([*asked, reply.text, *quoted, *learned])


def _parts(config: Assistant) -> list[str]:
    tools = [recipe.tag(type(tool)) for tool in config.tools]
    there = [name for name in ("memory", "evidence", "rank") if getattr(config, name) is not None]
    return [*there, *tools]
