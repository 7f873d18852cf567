"""Errors that a person can mend. Everything else is a bug and shows its traceback.

A message is one sentence with the place, the value and the fix:
`notes.jsonl:17: not a JSON object; fix or delete the line`.
"""


class UserError(ValueError):
    """Something in the user's files, recipe or command is wrong; the command line prints it and exits with 2."""


class RecipeError(UserError):
    """A recipe cannot be read; the message names the field, the value and the fix."""


class Interrupted(Exception):
    """A person asked for an end and what was done is saved; the same command goes on from there."""

    def __init__(self, signal_name: str, signal_number: int, saved: str) -> None:
        """saved: what is there, such as "saved at step 7"."""
        super().__init__(f"stopped by {signal_name} and {saved}; the same command goes on from there")
        self.exit_code = 128 + signal_number  # as shells report a process ended by a signal
