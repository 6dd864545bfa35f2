"""What a record must satisfy beyond its schema. Each check yields faults with paths; the loader finds their lines.

A record is checked once it and all records in it fit their schemas, and the records in it have passed their own checks.
"""

from __future__ import annotations

from ldnsim.library.checks.fit import datum_faults, fit_faults
from ldnsim.library.checks.model import model_faults
from ldnsim.library.checks.part import part_faults
from ldnsim.library.checks.plausible import implausible_account_values, implausible_values
from ldnsim.library.checks.predictions import prediction_faults
from ldnsim.library.checks.scenario import scenario_faults

__all__ = [
    "datum_faults",
    "fit_faults",
    "implausible_account_values",
    "implausible_values",
    "model_faults",
    "part_faults",
    "prediction_faults",
    "scenario_faults",
]
