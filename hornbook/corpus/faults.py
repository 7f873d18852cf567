"""Why a file gives no documents; caught in `read.documents` and nowhere else."""


class BadFile(Exception):
    """A file, or the rest of it, cannot be read: counted and listed, or an error where it is the only file."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place}: {why}")
        self.place = place
        self.why = why


class NoText(BadFile):
    """A file that is whole but holds no text, such as a picture: left out, not a fault."""
