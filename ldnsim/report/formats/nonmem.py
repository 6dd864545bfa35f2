"""NONMEM: the doses of every arm and person of a scenario as event records, in CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.report.output_files import FORMATS, Format
from ldnsim.simulation.nonmem import export_doses, write_table

if TYPE_CHECKING:
    from pathlib import Path

    from ldnsim.scenario.scenario import Scenario

__all__: list[str] = []


def _records(path: Path, scenario: Scenario, account: str | None) -> str:
    doses = export_doses(scenario, account)
    write_table(path, doses)
    return f"{len(doses)} records of {doses['ID'].nunique()} individuals"


FORMATS.add("nonmem", Format("the doses of every arm and person as event records", scenario=_records))
