"""What a record must satisfy beyond its schema. Each check yields faults with paths; `files` finds their lines.

`lost` names what could not be read: checks say nothing that only follows from it.
"""

from __future__ import annotations

from ldnsim.library.checks.fit import datum_faults, fit_faults
from ldnsim.library.checks.model import model_faults
from ldnsim.library.checks.part import part_faults
from ldnsim.library.checks.plausible import plausible_account_faults, plausible_faults
from ldnsim.library.checks.predictions import prediction_faults
from ldnsim.library.checks.scenario import scenario_faults

__all__ = [
    "datum_faults",
    "fit_faults",
    "model_faults",
    "part_faults",
    "plausible_account_faults",
    "plausible_faults",
    "prediction_faults",
    "scenario_faults",
]
