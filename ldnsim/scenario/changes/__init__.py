"""One grammar for every number that can be changed, and the one place where changes are applied.

`slot.parameter`, `slot` (which alternative), `slot.rivals` (which published set), `arm.field` or `arm.line.field`,
`population.size`, `population.seed`, `duration`. A bare parameter name is accepted where only one slot of the accounts
compared has it. `x 0.5` multiplies what was there.
"""

from __future__ import annotations

from ldnsim.model.settings import RESERVED, Setting, qualified, setting_of
from ldnsim.scenario.changes.axes import axis_faults
from ldnsim.scenario.changes.draws import settings_of_draw
from ldnsim.scenario.changes.resolve import Resolved, examine, resolve

__all__ = [
    "RESERVED",
    "Resolved",
    "Setting",
    "axis_faults",
    "examine",
    "qualified",
    "resolve",
    "setting_of",
    "settings_of_draw",
]
