"""The shapes written in the signatures are the shapes that go through them: jaxtyping and beartype look on."""

import subprocess
import sys

PROGRAM = """
from jaxtyping import install_import_hook
with install_import_hook("hornbook.model", "beartype.beartype"):
    import torch
    from hornbook.core.recipe import built_in_names, find, load, read
    from hornbook.model.decoder import Decoder
for name in built_in_names():
    if name.startswith("models/") and name.endswith("-tiny") and read(find(name)).get("type", "decoder") == "decoder":
        model = load(Decoder, name).build()
        ids, mask = torch.zeros(2, 9, dtype=torch.long), torch.ones(2, 9, dtype=torch.long)
        model(ids, document_ids=mask.int())
        state = model.new_state(2, 9)
        model(ids[:, :6], attention_mask=mask[:, :6], state=state)
        model(ids[:, 6:], attention_mask=mask, state=state)
try:
    model(ids[0])
except Exception as error:
    assert "input_ids" in str(error), error
else:
    raise AssertionError("a row without a batch went through")
"""


def test_shapes_in_signatures_hold() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
