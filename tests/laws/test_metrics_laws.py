"""What must hold for metrics, whatever is taken and wherever curves are looked at; regimens are random in every run."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import ldnsim as ldn
from ldnsim.scenario.scenario import Scenario

few = settings(max_examples=6, deadline=None, print_blob=True)
SCENARIOS = ("night_vs_morning", "naloxone_rescue", "opioid_challenge", "vivitrol_depot", "dose_sizes", "missed_doses")
EXPOSURE = ("Cmax", "Tmax", "AUC_tau", "mean", "trough", "AUC_inf", "t_half")
MODEL = ldn.load_model("ldn")


def question(lines: list[dict[str, str]], window: tuple[float, float], **more: object) -> Scenario:
    return Scenario.model_validate(
        {
            "format": "ldnsim-scenario/1",
            "name": "case",
            "question": "What is read off the curve?",
            "model": MODEL,
            "accounts": ["pet_pool"],
            "report": ["Cp"],
            "duration": "96 h",
            "window": [f"{edge!r} h" for edge in window],
            "arms": {"only": {"regimen": lines}},
            **more,
        }
    )


def numbers(table: xr.Dataset) -> dict[str, np.ndarray]:
    return {str(name): data.to_numpy() for name, data in table.data_vars.items()}


def exposure(scenario: Scenario) -> dict[str, float]:
    table = ldn.summarize(ldn.simulate(scenario))
    return {name: table[f"Cp_{name}"].item() for name in EXPOSURE}


def taken(minute: int, amount: float, way: str = "oral", **more: str) -> dict[str, str]:
    day, left = divmod(minute, 24 * 60)
    when = {"at": f"{left // 60:02d}:{left % 60:02d}", "from": f"day {day + 1}", "until": f"day {day + 1}"}
    return {"input": way, "dose": f"{amount!r} mg", **when, **more}


@pytest.mark.parametrize("name", SCENARIOS)
@few
@given(sample=st.floats(0.05, 40.0))
def test_where_samples_are_moves_no_metric(name, sample):
    """Not by a bit: they are for display."""
    scenario = ldn.load_scenario(name)
    if scenario.population is not None:
        scenario = scenario.with_changes({"population.size": 3})
    coarse = scenario.model_copy(update={"sample": type(scenario.duration)(sample, "h")})
    expected = numbers(ldn.summarize(ldn.simulate(scenario)))
    for key, found in numbers(ldn.summarize(ldn.simulate(coarse))).items():
        np.testing.assert_array_equal(found, expected[key], key)


@few
@given(
    doses=st.dictionaries(st.integers(0, 2000), st.floats(0.5, 50.0), min_size=1, max_size=6),
    shift=st.integers(1, 1439),
)
def test_a_shift_moves_times_only(doses, shift):
    """By any number of minutes: nothing in plasma follows the clock."""
    window = (min(doses) / 60, 60.0)
    plain = exposure(question([taken(*dose) for dose in doses.items()], window))
    moved = question(
        [taken(minute + shift, amount) for minute, amount in doses.items()],
        (window[0] + shift / 60, window[1] + shift / 60),
        duration=f"{96 + shift / 60!r} h",
    )
    found = exposure(moved)
    assert found.pop("Tmax") == pytest.approx(plain.pop("Tmax"), abs=1e-3)  # h; a peak is flat
    assert found == pytest.approx(plain, rel=1e-4, nan_ok=True)


@few
@given(start=st.integers(0, 1400), minutes=st.integers(2, 1800), data=st.data())
def test_an_infusion_split_anywhere_is_the_infusion(start, minutes, data):
    cut = data.draw(st.integers(1, minutes - 1))
    whole = exposure(question([taken(start, 2.0, "intravenous", infuse=f"{minutes} min")], (start / 60, 90.0)))
    parts = [
        taken(start, 2.0 * cut / minutes, "intravenous", infuse=f"{cut} min"),
        taken(start + cut, 2.0 * (1 - cut / minutes), "intravenous", infuse=f"{minutes - cut} min"),
    ]
    split = exposure(question(parts, (start / 60, 90.0)))
    split["Tmax"] = whole["Tmax"]  # is counted from the dose before it
    names = [name for name in EXPOSURE if name not in ("AUC_inf", "t_half")]  # those begin with the last dose
    assert {name: split[name] for name in names} == pytest.approx({name: whole[name] for name in names}, rel=2e-5)


@few
@given(start=st.integers(0, 1400), amount=st.floats(0.1, 50.0))
def test_a_bolus_is_the_limit_of_short_infusions(start, amount):
    window = (start / 60, 90.0)
    bolus = exposure(question([taken(start, amount, "intravenous")], window))
    gaps = []
    for length in ("1 min", "6 s"):
        short = exposure(question([taken(start, amount, "intravenous", infuse=length)], window))
        assert short["AUC_tau"] == pytest.approx(bolus["AUC_tau"], rel=1e-4)
        gaps.append(bolus["Cmax"] / short["Cmax"] - 1)
    assert 0 < gaps[1] < gaps[0] / 8  # a tenth of the length, a tenth of the difference
