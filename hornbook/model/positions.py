"""Every way to say where a token is; a recipe's `position:` names one."""

from hornbook.model.alibi import Alibi
from hornbook.model.buckets import Buckets
from hornbook.model.position import Absent, Learned
from hornbook.model.rope import Rope
from hornbook.model.sinusoidal import Sinusoidal

Relative = Absent | Rope | Alibi | Buckets  # said in the attention, so each sublayer may have its own
Position = Relative | Learned | Sinusoidal
