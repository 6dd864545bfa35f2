"""Data sets of other programs: NONMEM's event records in, a row out per row in, and a scenario's doses as records.

    columns        a data frame -> numbers, with everything that is no number
    targets        CMT -> where a dose goes, and its delivery parameters
    records        the columns together: individuals, doses, parameters that change
    consistency    what in them contradicts itself or the model
    delivery       doses -> what reaches which state, when
    episodes       records -> events and sample times for the engine
    infusions      rates that start, stop and overlap
    steady_state   records with SS -> the state that they stand for
    simulate_data  a model and a data frame -> a data frame
    export_doses   a scenario -> records; stages: where parameters differ between occasions
    event_table    records as arrays, for both directions
    tables         CSV files, read and written whole

What records mean is told in `episodes`.
"""

from __future__ import annotations

from ldnsim.simulation.nonmem.export_doses import export_doses
from ldnsim.simulation.nonmem.simulate_data import simulate_data
from ldnsim.simulation.nonmem.tables import read_table, write_table

__all__ = ["export_doses", "read_table", "simulate_data", "write_table"]
