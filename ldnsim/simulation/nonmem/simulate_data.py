"""A model and a data set of event records -> a row out per row in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.engine import choose
from ldnsim.engine.events import Kind, Status
from ldnsim.engine.orbit import periodic_states
from ldnsim.engine.rhythm import repeats_daily
from ldnsim.engine.schedules import Schedules, no_events
from ldnsim.engine.steady import unsettled
from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest, shown
from ldnsim.foundation.units import coherent
from ldnsim.model.baselines import DAILY_MEAN, DRUG_FREE, divisor
from ldnsim.model.output_kinds import kind_named
from ldnsim.model.system import System, composed, molar_mass
from ldnsim.scenario.changes import setting_of
from ldnsim.simulation.nonmem.delivery import deliveries_of
from ldnsim.simulation.nonmem.episodes import Episodes, episodes_of, events_of
from ldnsim.simulation.nonmem.event_table import Records
from ldnsim.simulation.nonmem.records import records_of
from ldnsim.simulation.nonmem.steady_state import baselines, steady_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from ldnsim.model.records import Model
    from ldnsim.scenario.changes import Setting

__all__ = ["setting_for", "simulate_data"]

SOLVED = "solved"


def simulate_data(
    model: Model,
    dataframe: pd.DataFrame,
    *,
    outputs: Sequence[str] | None = None,
    rtol: float = 1e-6,
    solver: choose.SolverName = "native",
) -> pd.DataFrame:
    """Simulate a model at every record of a NONMEM-format data set.

    Parameters
    ----------
    model : Model
        A model with one account, as of `load_model(name, account=...)`.
    dataframe : pandas.DataFrame
        The records. Columns, in any case: ID; TIME (h since midnight of day 1, or HH:MM); EVID 0 to 4; and for doses
        AMT (in the unit of the state, without conversion of salts), CMT (number or name of a state, or an input),
        RATE (-1: rate of the model, -2: its duration), II, ADDL and SS 0 to 2. A column named like a parameter
        (`plasma.CL`, or `CL` if that is unambiguous) replaces it, in its own unit; the values of a record hold for
        the interval that ends at it. `.` is missing. Other columns are passed on. `ldnsim.simulation.nonmem.episodes`
        describes the meaning of records.
    outputs : sequence of str, optional
        Names of outputs; default: all of the model.
    rtol : float
        Relative tolerance of the solver.
    solver : {"native", "reference"}
        Compiled solver, or the slow reference solver.

    Returns
    -------
    pandas.DataFrame
        The data set with a column per output (units in `attrs["units"]`) and `status`: "solved", or the reason why
        there is no solution, with outputs NaN until the next reset. An output named like an existing column gets the
        suffix `_simulated`. `attrs["notes"]` lists ignored columns, and states that did not reach the steady state of
        a record. A person's values do not depend on the others, to the bit.

    Raises
    ------
    LdnsimError
        With every fault of the data set, by row and column.

    Examples
    --------
    >>> import pandas as pd
    >>> import ldnsim as ldn
    >>> model = ldn.load_model("ldn", account="pet_pool")
    >>> dose = {"ID": 1, "TIME": 0, "EVID": 1, "AMT": 12000, "CMT": "oral"}
    >>> samples = [{"ID": 1, "TIME": time, "EVID": 0, "AMT": 0, "CMT": "."} for time in (1, 4)]
    >>> data = pd.DataFrame([dose, *samples])
    >>> found = ldn.simulate_data(model, data, outputs=["Cp"])
    >>> found["Cp"].round(2).tolist(), found.attrs["units"]
    ([0.0, 3.53, 0.46], {'Cp': 'nmol/L'})
    """
    setting = setting_for(model)
    chosen = _chosen(model, outputs)
    system = composed(model, setting.parts)
    records, notes = records_of(dataframe, model, setting, system)
    deliveries = deliveries_of(records, system)
    episodes = episodes_of(records, deliveries, repeats_daily=repeats_daily(system, ()))
    initial, status, reason = _beginnings(system, records, episodes, chosen, solver)
    asking = records.row[records.steady > 0]
    leaps = np.empty(0, np.int64), np.empty((0, len(system.states)))
    if len(asking):
        steady = steady_records(system, records, deliveries, asking, chosen, solver)
        where = episodes.episode[asking]
        anew = records.steady[records.steady > 0] == 1
        initial[where[anew]] = steady.state[anew]
        leaps = asking[~anew], steady.state[~anew] - baselines(system, records, asking[~anew], chosen, solver).state
        leaps[1][np.isnan(leaps[1])] = 0.0  # told by the status
        for place in np.flatnonzero(steady.status != Status.SOLVED).tolist():
            status[where[place]], reason[where[place]] = steady.status[place], steady.reason[place]
        notes += unsettled(system, steady.residual)
    schedules = events_of(records, deliveries, episodes, leaps)
    parameters = records.parameters(episodes.first)
    found = choose.solver(solver)(system, parameters, initial, schedules, episodes.grids, chosen, rtol)
    reason = [why or text for why, text in zip(reason, found.reason, strict=True)]
    failed = (status != Status.SOLVED) | (found.status != Status.SOLVED)
    if failed.any():
        found.values[np.repeat(failed, episodes.grids.last - episodes.grids.first)] = np.nan
    units = _units(model, system, records, episodes, chosen, rtol, solver, schedules)
    columns = {name: found.values[:, index][episodes.sample] / units[name] for index, name in enumerate(chosen)}
    for rows, note in _beyond_mechanism(model, records):
        notes.append(note)
        for name in (name for name in chosen if kind_named(model.outputs[name].kind).needs_mechanism):
            columns[name][rows] = np.nan
    return _answer(dataframe, model, records, episodes, columns, reason, notes)


def _beyond_mechanism(model: Model, records: Records) -> Iterator[tuple[np.ndarray, str]]:
    """The rows of individuals whose doses of a drug are all too small for what the model holds, and what it lacks."""
    for name, drug in model.drugs.items():
        of_drug = np.array([target.drug == name for target in records.targets] + [False])[records.target]
        if drug.mechanism is None or not of_drug.any():
            continue
        largest = np.zeros(len(records.people))
        np.maximum.at(largest, records.person[records.row[of_drug]], records.amount[of_drug])
        small = (largest > 0) & (largest < coherent(drug.mechanism.from_, molar_mass(model, name)))
        if small.any():
            who = listed(records.people[place] for place in np.flatnonzero(small).tolist())
            left_out = f"no mechanism in the model for the doses of {name} of individuals {who}"
            yield small[records.person], f"{left_out}: only concentrations are told. {drug.mechanism.note}"


def setting_for(model: Model) -> Setting:
    """The model's only account; raises LdnsimError where it has several."""
    if len(model.accounts) > 1:
        message = f"model {model.name} has {len(model.accounts)} accounts, and a data set is simulated in one"
        raise LdnsimError(Fault(message, expected=f"one of {listed(model.accounts)}: load_model(..., account=...)"))
    return setting_of(model, next(iter(model.accounts), model.name))


def _chosen(model: Model, outputs: Sequence[str] | None) -> list[str]:
    wanted = list(model.outputs) if outputs is None else list(dict.fromkeys(outputs))
    unknown = [name for name in wanted if name not in model.outputs]
    if unknown:
        raise LdnsimError(
            Fault(f"there is no output {shown(name)}", (), listed(model.outputs), nearest(name, model.outputs))
            for name in unknown
        )
    return wanted


def _beginnings(
    system: System, records: Records, episodes: Episodes, outputs: Sequence[str], solver: choose.SolverName
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """(states, status, reasons) of the drug-free orbit that each episode begins on, found once for equal parameters."""
    if records.values:
        rows = records.parameters(episodes.first)
        distinct, which = np.unique(rows, axis=0, return_inverse=True)
    else:
        distinct, which = records.base[None], np.zeros(len(episodes.first), np.int64)
    state, status, reason = periodic_states(system, distinct, outputs=outputs, solver=solver)
    which = which.reshape(-1)
    return state[which], status[which], [reason[place] for place in which.tolist()]


def _units(
    model: Model,
    system: System,
    records: Records,
    episodes: Episodes,
    outputs: Sequence[str],
    rtol: float,
    solver: choose.SolverName,
    schedules: Schedules,
) -> dict[str, float | np.ndarray]:
    """What each output is divided by: its unit, or what it would be without drug."""
    chosen = {name: model.outputs[name] for name in outputs}
    masses = {name: molar_mass(model, output.of) for name, output in chosen.items()}
    baselines = {output.relative_to for output in chosen.values()} - {None}
    if not baselines:
        return {name: divisor(output, masses[name], None, None) for name, output in chosen.items()}
    state, status, _ = _beginnings(system, records, episodes, outputs, solver)
    parameters, solve = records.parameters(episodes.first), choose.solver(solver)
    state[status != Status.SOLVED] = system.initial  # told by the status
    twin = day = np.empty((0, 0, 0))
    if DRUG_FREE in baselines:
        without = _without_doses(schedules)
        grids = episodes.grids
        time = grids.time.copy()
        time[grids.first] = episodes.origin  # a record with SS begins later, and not on the orbit
        twin = solve(system, parameters, state, without, replace(grids, time=time), outputs, rtol).values
    if DAILY_MEAN in baselines:
        day = solve(system, parameters, state, no_events(len(state)), np.arange(24.0), outputs, rtol).values
    found: dict[str, float | np.ndarray] = {}
    for index, (name, output) in enumerate(chosen.items()):
        drug_free = twin[episodes.sample, index] if DRUG_FREE in baselines else None
        through_a_day = day[:, :, index] if DAILY_MEAN in baselines else None
        unit = divisor(output, masses[name], drug_free, through_a_day)
        found[name] = unit[episodes.episode, 0] if output.relative_to == DAILY_MEAN else unit
    return found


def _without_doses(schedules: Schedules) -> Schedules:
    """What is left without drug: parameters that change."""
    kept = schedules.kind == Kind.SET
    counted = np.append(0, np.cumsum(kept))
    columns = (column[kept] for column in (schedules.time, schedules.kind, schedules.index, schedules.value))
    return Schedules(counted[schedules.first], counted[schedules.last], *columns)


def _answer(
    frame: pd.DataFrame,
    model: Model,
    records: Records,
    episodes: Episodes,
    columns: dict[str, np.ndarray],
    reason: list[str],
    notes: list[str],
) -> pd.DataFrame:
    import pandas as pd

    taken = {str(header).strip().lower() for header in frame.columns}
    names = {name: f"{name}_simulated" if name.lower() in taken else name for name in (*columns, "status")}
    notes += [
        f"The data set has a column {old} already: the output is {new}." for old, new in names.items() if old != new
    ]
    kinds = list(dict.fromkeys([SOLVED, *(why for why in reason if why)]))
    codes = np.array([kinds.index(why or SOLVED) for why in reason], np.int16)[episodes.episode]
    new = {names[name]: values for name, values in columns.items()}
    new[names["status"]] = pd.Categorical.from_codes(codes, kinds)
    answer = pd.concat([frame, pd.DataFrame(new, index=frame.index)], axis=1)
    who = records.person[episodes.first]
    failed = {records.people[who[place]]: why for place, why in reversed(list(enumerate(reason))) if why}
    if failed:
        notes.append(f"{len(failed)} of {len(records.people)} individuals could not be solved: {listed(failed)}.")
    answer.attrs = {
        **frame.attrs,
        "units": {names[name]: model.outputs[name].unit for name in columns},
        "notes": notes,
        "failed": failed,
    }
    return answer
