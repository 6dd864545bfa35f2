"""Metrics against closed forms that nobody here integrated, whatever the samples for display are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ldnsim as ldn
from ldnsim.scenario.scenario import Scenario

MODELS = Path(__file__).parents[1] / "models"
CL, V, KD = 10.0, 50.0, 20.0
K = CL / V
MG = 4000.0  # nmol
SECOND = 1 / 3600


def question(arms: dict[str, list[dict[str, object]]], duration: float, **more: object) -> Scenario:
    return Scenario.model_validate(
        {
            "format": "ldnsim-scenario/1",
            "name": "case",
            "question": "What is read off the curve?",
            "model": ldn.load_model(MODELS / "small.yaml"),
            "duration": f"{duration!r} h",
            "arms": {name: {"regimen": lines} for name, lines in arms.items()},
            **more,
        }
    )


def table_of(scenario: Scenario) -> dict[str, float]:
    table = ldn.summarize(ldn.simulate(scenario))
    assert table.attrs["metrics_from"] == "curves"
    return {str(name): data.values.reshape(-1)[0] for name, data in table.data_vars.items()}


def concentration(times: np.ndarray, doses: list[tuple[float, float, float]]) -> np.ndarray:
    """nmol/L of doses (time h, nmol, length of infusion h); at a bolus, what was before it."""
    found = np.zeros_like(times)
    for at, amount, length in doses:
        if length == 0:
            found += np.where(times > at, amount / V * np.exp(-K * np.maximum(times - at, 0)), 0)
        else:
            during, after = np.clip(times - at, 0, length), np.maximum(times - at - length, 0)
            found += amount / length / CL * -np.expm1(-K * during) * np.exp(-K * after)
    return found


def area(start: float, end: float, doses: list[tuple[float, float, float]]) -> float:
    """Of the concentration: what was put in, less what is there more at the end, over CL."""

    def put_in(time: float) -> float:
        return sum(
            amount * (float(time > at) if length == 0 else np.clip((time - at) / length, 0, 1))
            for at, amount, length in doses
        )  # fmt: skip

    edges = np.array([start, end])
    return ((put_in(end) - put_in(start)) - V * np.diff(concentration(edges, doses))[0]) / CL


def test_daily_boluses_over_a_window_of_its_own():
    """AUC_tau was 121 of 160, and Cmax 48.5 of 80: straight lines between hourly samples."""
    lines = [{"input": "vein", "dose": "1 mg", "at": "08:00"}]
    found = table_of(question({"a": lines}, 240, window=["80 h", "104 h"]))
    rest = np.exp(-K * 24) / (1 - np.exp(-K * 24)) * (1 - np.exp(-K * 24 * 3))
    assert found["Cp_Cmax"] == pytest.approx(MG / V * (1 + rest), rel=1e-6)
    assert found["Cp_AUC_tau"] == pytest.approx(MG / V * (1 + rest) * (1 - np.exp(-K * 24)) / K, rel=1e-6)
    assert found["Cp_Tmax"] == 0.0
    assert found["Cp_t_half"] == pytest.approx(np.log(2) / K, rel=1e-5)


def test_a_minute_s_infusion_has_its_peak():
    """Infusing 1 min instead of a bolus lost 14 % of Cmax."""
    bolus = [{"input": "vein", "dose": "1 mg", "at": "08:00", "until": "day 1"}]
    short = [{**bolus[0], "infuse": "1 min"}]
    peak = -np.expm1(-K / 60) / (K / 60) * MG / V
    assert table_of(question({"a": short}, 24))["Cp_Cmax"] == pytest.approx(peak, rel=1e-6)
    assert table_of(question({"a": bolus}, 24))["Cp_Cmax"] == pytest.approx(MG / V, rel=1e-6)


@st.composite
def regimens(draw: st.DrawFn) -> tuple[list[tuple[float, float, float]], tuple[float, float], float]:
    """Doses (h, mg, infused over h), a window and the length of the run."""
    count = draw(st.integers(1, 40))
    minutes = draw(st.lists(st.integers(0, 5 * 24 * 60 - 1), min_size=count, max_size=count, unique=True))
    lengths = st.one_of(st.just(0.0), st.floats(1 / 60, 30.0))
    doses = [(at / 60, draw(st.floats(0.1, 5.0)), draw(lengths)) for at in sorted(minutes)]
    start = draw(st.floats(0.0, 100.0))
    return doses, (start, start + draw(st.floats(1.0, 60.0))), 160.0


@settings(max_examples=25, deadline=None)
@given(regimens())
def test_random_regimens_are_measured_as_every_second_would(case):
    doses, window, duration = case
    lines = []
    for at, amount, length in doses:
        day, minute = divmod(round(at * 60), 24 * 60)
        line = {
            "input": "vein", "dose": f"{amount!r} mg", "at": f"{minute // 60:02d}:{minute % 60:02d}",
            "from": f"day {day + 1}", "until": f"day {day + 1}",
        }  # fmt: skip
        lines.append({**line, "infuse": f"{length!r} h"} if length else line)
    found = table_of(question({"a": lines}, duration, window=[f"{edge!r} h" for edge in window], sample="24 h"))
    exact = [(at, amount * MG, length) for at, amount, length in doses]
    ends = [edge for at, _, length in doses for edge in (at, np.nextafter(at, np.inf), at + length)]
    times = np.unique([*np.arange(*window, SECOND), *window, *(at for at in ends if window[0] < at < window[1])])
    level = concentration(np.append(np.nextafter(window[0], np.inf), times[1:]), exact)
    assert found["Cp_Cmax"] == pytest.approx(level.max(), rel=1e-4, abs=1e-4)
    assert found["Cp_trough"] == pytest.approx(level.min(), rel=1e-4, abs=1e-4)
    assert found["Cp_AUC_tau"] == pytest.approx(area(*window, exact), rel=1e-4, abs=1e-3)
    w, k, a, phi = 2 * np.pi / 24, 0.3, 0.5, 8.0
    competitor = 1 + a * k / np.hypot(k, w) * np.cos(w * (times - phi) - np.arctan2(w, k))
    held = level / KD / (1 + level / KD + competitor)
    assert found["occupancy_mean"] == pytest.approx(np.trapezoid(held, times) / np.ptp(times), rel=1e-4, abs=1e-5)
    for metric, above in (("hours_above_50", held > 0.5), ("hours_above_80", held > 0.8), ("unblocked", held < 0.2)):
        hours = np.trapezoid(above.astype(float), times)
        crossings = np.count_nonzero(np.diff(above)) + 1
        name = f"occupancy_{metric}" + ("_hours" if metric == "unblocked" else "")
        assert found[name] == pytest.approx(hours, abs=crossings * SECOND + 1e-3), metric
