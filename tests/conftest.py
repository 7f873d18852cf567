"""What every test may ask for: the shared real data (or a skip that says where it was looked for) and a quiet torch."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two cores and small tensors: spinning threads only slow the suite


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data ($HORNBOOK_DATA, or ../shared/data beside the checkout); skips where it is absent."""
    folder = Path(os.environ.get("HORNBOOK_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set HORNBOOK_DATA")
    return folder
