"""Every way to say where a token is; a recipe's `position:` names one."""

from hornbook.model.position import Absent, Learned
from hornbook.model.rope import Rope

Relative = Absent | Rope  # said in the attention, so each sublayer may have its own
Position = Relative | Learned
