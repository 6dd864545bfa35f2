"""The simulations from which facts are predicted; arms of the same duration and changes share one `simulate`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ldnsim.calibration.validation.measuring import DosedCurve
from ldnsim.dosing.events import label_molar_mass
from ldnsim.dosing.regimen import planned_doses
from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import Quantity, coherent
from ldnsim.metrics.attributes import evidence_of, is_ratio_to_twin
from ldnsim.metrics.outputs import output_of, twin_name
from ldnsim.metrics.recorded import mesh_in, signal_in
from ldnsim.scenario.changes import resolve
from ldnsim.scenario.scenario import Scenario
from ldnsim.simulation.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import xarray as xr

    from ldnsim.engine.choose import SolverName
    from ldnsim.foundation.fields import Change
    from ldnsim.library.predictions import Predictions, RivalChoice, Setup
    from ldnsim.model.records import Model

__all__ = ["NotPredictable", "Runs", "parameter_set_changes", "required_runs", "runs_of"]

Key = tuple[str, str]  # arm, and the changes made for it


class NotPredictable(Exception):
    """Why a model cannot predict a fact."""


@dataclass(frozen=True)
class Runs:
    """Results by arm and changes; a text instead of a result says why there is none."""

    results: dict[Key, xr.Dataset | str]
    setups: dict[str, Setup]

    def curve(
        self, account: str, arm: str, output: str, changes: Mapping[str, Change], *, relative: bool
    ) -> DosedCurve:
        """The curve of an output; raises NotPredictable if the model has no such output or could not be solved."""
        result = self.results[arm, json.dumps(dict(changes))]
        if isinstance(result, str):
            raise NotPredictable(result)
        if output not in result:
            raise NotPredictable(f"not in this model: no output {output!r}")
        here = result.sel(account=account, arm=arm)
        if int(here.status) != 0:
            raise NotPredictable(f"not solved: {here.reason.item()}")
        mesh = mesh_in(here, here.status)
        assert mesh is not None  # the window of these runs is their whole length
        curve = signal_in(here, output, here.status, mesh)
        if relative and not is_ratio_to_twin(here[output]):
            curve = curve.over(signal_in(here, twin_name(output), here.status, mesh))
        return DosedCurve(curve, here.dose_time.dropna("dose").to_numpy())

    def tag(self, account: str, arm: str, output: str, changes: Mapping[str, Change]) -> str:
        """The evidence tag of an output in an account."""
        result = self.results[arm, json.dumps(dict(changes))]
        assert not isinstance(result, str)
        return evidence_of(result[output], account)

    def dose(self, model: Model, arm: str) -> float:
        """Total dose of an arm, nmol."""
        setup = self.setups[arm]
        return sum(
            coherent(dose.amount, label_molar_mass(model, model.inputs[dose.input]))
            for dose in planned_doses(setup, hours(setup.duration))
        )


def required_runs(predictions: Predictions) -> dict[Key, Mapping[str, Change]]:
    """Every arm that a prediction uses, with the changes that it makes."""
    found: dict[Key, Mapping[str, Change]] = {}
    for items in predictions.facts.values():
        for item in items:
            for arm in {item.arm, item.over.arm if item.over else ""} - {""}:
                found[arm, json.dumps(item.changes)] = item.changes
                if item.over is not None:
                    found[arm, "{}"] = {}
    return found


def runs_of(
    model: Model,
    predictions: Predictions,
    rivals: Mapping[str, Change],
    *,
    rtol: float = 1e-6,
    solver: SolverName = "native",
) -> Runs:
    """Simulate every required arm in all accounts, with the published parameter sets `rivals` (address -> set)."""
    outputs = _outputs(model, predictions)
    keys = required_runs(predictions)
    results: dict[Key, xr.Dataset | str] = {}
    possible: list[Key] = []
    for key in keys:
        missing = sorted({line.input for line in predictions.arms[key[0]].regimen} - model.inputs.keys())
        if missing:
            results[key] = f"not in this model: no input {missing[0]!r}"
        else:
            possible.append(key)

    def shared(key: Key) -> tuple[float, str]:
        return hours(predictions.arms[key[0]].duration), key[1]

    for _, group in groupby(sorted(possible, key=shared), key=shared):
        here = list(group)
        setups = {arm: predictions.arms[arm] for arm, _ in here}
        found: Scenario | xr.Dataset | str = _scenario(model, setups, outputs, {**rivals, **keys[here[0]]})
        if isinstance(found, Scenario):
            found = simulate(found, rtol=rtol, solver=solver)
        results.update(dict.fromkeys(here, found))
    return Runs(results, dict(predictions.arms))


def parameter_set_changes(model: Model, choice: RivalChoice, accounts: Iterable[str] = ()) -> dict[str, Change]:
    """The changes that choose published parameter sets, where the parts of the accounts (default: all) have them."""
    found: dict[str, Change] = {}
    for slot, name in choice.sets.items():
        choices = [model.accounts[name].choices for name in tuple(accounts) or tuple(model.accounts)] or [{}]
        parts = [model.parts(chosen).get(slot) for chosen in choices]
        if any(part is not None and name in part.rivals for part in parts):
            found[f"{slot}.rivals"] = name
    return found


def _outputs(model: Model, predictions: Predictions) -> tuple[str, ...]:
    items: Iterable[str] = (
        output_of(output)
        for predicted in predictions.facts.values()
        for item in predicted
        for output in (item.output, item.over.output if item.over else "")
    )
    named = dict.fromkeys(items)
    return tuple(name for name in model.outputs if name in named)


def _scenario(
    model: Model, setups: Mapping[str, Setup], outputs: tuple[str, ...], changes: Mapping[str, Change]
) -> Scenario | str:
    """The scenario of some arms, or why there is none: the model lacks what they or the changes name."""
    if not outputs:
        return "not in this model: none of the outputs of the facts"
    duration = next(iter(setups.values())).duration
    scenario = Scenario(
        format="ldnsim-scenario/1",
        name="evidence",
        question="What do the models predict where there are measurements?",
        model=model,
        duration=duration,
        window=(Quantity(0.0, "h"), duration),
        arms=dict(setups),
        report=outputs,
    )
    try:
        scenario = scenario.with_changes(dict(changes)) if changes else scenario
        resolve(scenario)
    except LdnsimError as caught:
        return f"not in this model: {caught.faults[0].message}"
    return scenario
