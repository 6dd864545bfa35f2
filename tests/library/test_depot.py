"""The depot against published facts (rows marked `fit`: shapes were tuned to them; `test`: nothing was), and its mass.

What the model misses is asserted too, so that the words of its description stay true.
"""

from __future__ import annotations

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.engine import reference
from ldnsim.engine.events import Event, Kind
from ldnsim.foundation.units import coherent
from ldnsim.model.system import compose, molar_mass
from ldnsim.scenario.changes import setting_of

NALTREXONE = 341.41  # g/mol, usp28
SHOT = '{input: depot, dose: 380 mg, at: "00:00", until: day 1}'
TABLETS = '{input: oral, dose: 50 mg, at: "00:00"}'


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    file = tmp_path_factory.mktemp("depot") / "question.yaml"
    file.write_text(
        "format: ldnsim-scenario/1\nname: question\nquestion: a test\nmodel: ldn\naccounts: [transient]\n"
        f"duration: 60 d\nsample: 15 min\narms:\n  shot: {{regimen: [{SHOT}]}}\n  tablets: {{regimen: [{TABLETS}]}}\n"
    )
    return ldn.simulate(ldn.load_scenario(file)).Cp.squeeze() * NALTREXONE / 1000  # ng/mL


def half_life_in_days(curve, start: float, end: float) -> float:
    part = curve.sel(time=slice(24 * start, 24 * end))
    return float(-np.log(2) / np.polyfit(part.time, np.log(part), 1)[0] / 24)


def test_two_peaks(both):
    curve = both.sel(arm="shot").values
    inner = curve[1:-1]
    peaks = both.time.values[1:-1][(inner > curve[:-2]) & (inner >= curve[2:])]
    assert len(peaks) == 2
    assert peaks[0] == pytest.approx(2, abs=0.5)  # vivitrol_label, fit
    assert 48 <= peaks[1] <= 72  # vivitrol_label, fit


def test_the_late_half_life(both):
    assert 5 <= half_life_in_days(both.sel(arm="shot"), 28, 42) <= 10  # dunbar2006, fit


def test_measurable_for_more_than_a_month(both):
    assert float(both.sel(arm="shot", time=31 * 24)) > 0.25  # vivitrol_label, test; 0.25 ng/mL is the assays' usual end


def test_what_the_model_misses(both):
    month = both.sel(time=slice(0, 28 * 24)).integrate("time")
    assert float(month.sel(arm="shot") / month.sel(arm="tablets")) == pytest.approx(1.9, abs=0.05)  # the label: 3 to 4
    falling = np.diff(both.sel(arm="shot", time=slice(4 * 24, 14 * 24)))
    assert (falling < 0).all()  # the label: from day 14 on


def test_the_dose_is_base_and_all_of_it_arrives():
    model = ldn.load_model("ldn")
    setting = setting_of(model, "transient", {})
    system = compose(model, setting.parts)
    values = {
        name: coherent(setting.values[name], molar_mass(model, setting.parameters[name].of))
        for name in system.parameters
    }
    shares = [values[share] for share in model.inputs["depot"].to.values()]
    assert sum(shares) == pytest.approx(1, abs=1e-12)
    schedule = [
        Event(1.0, Kind.ADD, system.states.index(state), 1e6 * share)
        for state, share in zip(model.inputs["depot"].to, shares, strict=True)
    ]
    here = [i for i, name in enumerate(system.states) if name.startswith(("muscle.", "plasma."))]
    depot = [i for i, name in enumerate(system.states) if name.startswith("muscle.")]
    at = np.array([2.0, 100.0, 2000.0])
    solved = reference.integrate(
        system, np.array(list(values.values())), np.asarray(system.initial), schedule, at, 1e-9
    ).samples
    for time, state, _ in solved:
        assert sum(state[i] for i in here) == pytest.approx(1e6, rel=1e-6), time
    last_time, last_state, _ = solved[-1]
    assert last_time == 2000
    assert sum(last_state[i] for i in depot) < 1e3  # and it has left the muscle


def test_a_milligram_of_depot_is_a_milligram_of_base(ask):
    weighed, counted = (
        ldn.simulate(ask("2 d", "[transient]", a=f'{{input: depot, dose: {dose}, at: "00:00", until: day 1}}'))
        for dose in ("341.41 mg", "1e6 nmol")
    )
    np.testing.assert_allclose(weighed.Cp, counted.Cp, rtol=1e-7, atol=1e-9)
