"""One registry of metrics: tables, fits and predictions read the same number off the same curve."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import ldnsim as ldn
from ldnsim.calibration.fitting.predict import predict
from ldnsim.calibration.validation.measuring import DosedCurve, measured_value
from ldnsim.foundation.errors import LdnsimError
from ldnsim.library.fit_file import Datum
from ldnsim.library.predictions import Measure
from ldnsim.metrics.catalogue import all_metrics, metric_named, metrics_of
from ldnsim.metrics.measuring import read_metric
from ldnsim.metrics.outputs import TWIN
from ldnsim.metrics.registry import Metric, register, unregister
from ldnsim.metrics.signal import Signal
from ldnsim.model.output_kinds import OutputKind, kind_named, kind_names, register_kind, unregister_kind
from ldnsim.report.comparison import comparison
from ldnsim.scenario.scenario import Scenario
from tests.curves import curve_through

PACKAGE = Path(ldn.__file__).parent
WINDOW = ["2 h", "12 h"]


def absorbed(time: np.ndarray) -> np.ndarray:
    """A curve with an absorption and a late phase."""
    return 20 * np.exp(-0.5 * time) + 3 * np.exp(-0.06 * time) - 23 * np.exp(-1.7 * time)


TIME = np.unique(np.concatenate([np.arange(0.0, 48.5, 1.0), np.arange(0.0, 6.0, 1 / 12)]))
CURVE = absorbed(TIME)
EXACT = curve_through(absorbed, np.linspace(0.0, 48.0, 193))


def in_a_fit(metric: str, curve: Signal = EXACT) -> float:
    unit = metric_named(metric).unit_for("nmol/L")
    fact = Datum.model_validate(
        {"arm": "a", "output": "Cp", "metric": metric, "window": WINDOW, "value": f"1 {unit}", "cv": "10 %"}
    )
    return float(predict(fact, np.array([0.0, 48.0]), np.zeros((1, 2)), curve, np.array([0.0]), {})[0])


def in_validation(metric: str) -> float:
    measure = Measure.model_validate({"arm": "a", "output": "Cp", "take": metric, "window": WINDOW})
    return measured_value(DosedCurve(EXACT, np.array([0.0])), measure)


@pytest.mark.parametrize(
    "metric", [name for name, metric in all_metrics().items() if metric.is_for(kind_named("concentration"))]
)
def test_a_fit_and_validation_read_the_same_number(metric):
    """The half-life of one curve in one window was 9.21 h in fits and 9.11 h in validation."""
    assert in_a_fit(metric) == in_validation(metric)


def test_a_table_reads_the_same_number_as_a_fit():
    data = {
        "Cp": (("account", "arm", "time"), CURVE[None, None], {"kind": "concentration", "units": "nmol/L"}),
        "Cp_pieces": (("account", "arm", "piece", "node"), EXACT.values[None, None]),
        "piece_start": (("account", "arm", "piece"), EXACT.mesh.start[None, None]),
        "piece_end": (("account", "arm", "piece"), EXACT.mesh.end[None, None]),
    }
    doses = {"dose_time": (("arm", "dose"), [[0.0]]), "dose_amount": (("arm", "dose"), [[1.0]])}
    coords = {"account": ["one"], "arm": ["a"], "time": TIME}
    table = ldn.summarize(xr.Dataset({**data, **doses}, coords), window=(2.0, 12.0))
    assert table.attrs["metrics_from"] == "curves"
    names = [metric.name for metric in metrics_of(kind_named("concentration"))]
    assert {name: table[f"Cp_{name}"].item() for name in names} == {name: in_a_fit(name) for name in names}


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_an_extreme_is_where_the_curve_has_it(start):
    """A fit read the vertex of a parabola, validation the highest sample: 13.24 and 13.22 of one curve."""
    curve = curve_through(lambda time: 10.0 - (time - 2.1) ** 2, np.arange(start, 6.0, 0.25))
    for name, expected in (("peak", 10.0), ("Cmax", 10.0), ("Tmax", 2.1), ("time_of_peak", 2.1)):
        found = read_metric(metric_named(name), curve, (start, 5.0), np.array([0.0]))
        assert found[0] == pytest.approx(expected, rel=1e-12), name
    for name, expected in (("trough", -10.0), ("time_of_trough", 2.1)):
        found = read_metric(metric_named(name), curve.negative, (start, 5.0), np.array([0.0]))
        assert found[0] == pytest.approx(expected, rel=1e-12), name


def test_a_metric_that_does_not_exist_is_no_number():
    """The clock time of the peak of a constant was the start of the window."""
    flat = curve_through(lambda time: np.full_like(time, 3.0), np.arange(0.0, 25.0))
    assert np.isnan(read_metric(metric_named("time_of_peak"), flat, (0.0, 24.0), np.array([0.0])))
    assert read_metric(metric_named("peak"), flat, (0.0, 24.0), np.array([0.0])) == 3.0


@pytest.mark.parametrize(
    "metric", [name for name, metric in all_metrics().items() if metric.is_for(kind_named("concentration"))]
)
def test_a_metric_does_not_depend_on_where_the_solver_stepped(metric):
    uneven = np.unique(np.concatenate([np.geomspace(0.02, 49.0, 400) - 0.02, [48.0]]))
    other = in_a_fit(metric, curve_through(absorbed, uneven[uneven <= 48.0]))
    assert other == pytest.approx(in_a_fit(metric), rel=1e-7)


def test_every_metric_says_what_it_is():
    for name, metric in all_metrics().items():
        assert metric.name == name
        assert metric.title
        assert metric.unit_for("1") in ("1", "h", ""), name
        assert metric.kinds is None or metric.kinds <= set(kind_names()), name


def test_headlines_are_metrics_of_their_kind():
    for name in kind_names():
        kind = kind_named(name)
        known = {metric.name for metric in metrics_of(kind)}
        assert {*kind.headline, *kind.arm_figures} <= known, name


def test_a_name_is_taken_once():
    with pytest.raises(LdnsimError, match="already"):
        register(Metric("peak", "again", "{}", lambda view: (view.curve.highest(), None)))
    with pytest.raises(LdnsimError, match="already"):
        register_kind(OutputKind("blockade", "again"))


def test_a_metric_and_a_kind_can_be_plugged_in_and_taken_out():
    register_kind(OutputKind("mood", "how somebody feels", headline=("swing",)))
    register(
        Metric("swing", "peak less trough", "{}", lambda view: (view.curve.highest() - view.curve.lowest(), None),
               kinds=frozenset({"mood"}), style="output")
    )  # fmt: skip
    try:
        data = {"calm": (("account", "arm", "time"), CURVE[None, None], {"kind": "mood", "units": "1"})}
        result = xr.Dataset(data, {"account": ["one"], "arm": ["a"], "time": TIME})
        assert ldn.summarize(result).calm_swing.item() == pytest.approx(np.ptp(CURVE[(TIME >= 24) & (TIME <= 48)]))
    finally:
        unregister("swing")
        unregister_kind("mood")
    assert metric_named("swing") is None
    assert kind_named("mood").name == "other"


def test_a_new_kind_is_one_record(tmp_path):
    """It brings its axis, headline and metrics, those that other kinds have among them, from file to figure."""
    models = Path(__file__).parent / "models"
    (tmp_path / "waves_part.yaml").write_text((models / "waves_part.yaml").read_text())
    text = (models / "waves.yaml").read_text()
    model = tmp_path / "waves.yaml"
    model.write_text(text.replace('root: {title: "Root"', 'root: {kind: grip, title: "Root"'))
    with pytest.raises(LdnsimError, match="unknown value 'grip'"):
        ldn.load_model(str(model))
    register_kind(
        OutputKind(
            "grip",
            "share of receptors held",
            headline=("hours_above_80", "peak"),
            metrics_of=("occupancy",),
            unitless=True,
            is_share=True,
            reference=0.75,
            reference_label="75 %: held",
            needs_mechanism=False,
        )
    )
    try:
        line = {"input": "oral", "dose": "1 mg", "at": "08:00"}
        scenario = Scenario.model_validate(
            {"format": "ldnsim-scenario/1", "name": "held", "question": "?", "model": ldn.load_model(str(model)),
             "duration": "2 d", "arms": {"a": {"regimen": [line]}}}
        )  # fmt: skip
        result = ldn.simulate(scenario)
        table = ldn.summarize(result)
        assert table.root_hours_above_80.item() == 24.0  # the root is 2 all day
        assert "root_unblocked_hours" not in table
        assert "wave_hours_above_80" not in table
        figure = ldn.plots.time_course(result, "root")
        assert figure.layout.yaxis.tickformat == "~%"
        assert "75 %: held" in [trace.name for trace in figure.data]
        shown = next(one for one in comparison(table) if one.output == "root")
        assert [column.metric for column in shown.columns] == ["hours_above_80", "peak"]
    finally:
        unregister_kind("grip")


def test_the_name_of_the_twin_and_of_kinds_is_written_in_one_place():
    """Names of outputs' twins stood in 13 modules, those of kinds in 14."""
    homes = {"outputs.py", "output_kinds.py"}
    quoted = re.compile(
        rf"""['"][^'"]*{TWIN}['"]|kind['")\]]*\s*[!=]=\s*['"](?:{"|".join(set(kind_names()) - {"other"})})['"]"""
    )
    for path in PACKAGE.rglob("*.py"):
        if path.name not in homes:
            found = [line for line in path.read_text(encoding="utf-8").splitlines() if quoted.search(line)]
            assert not found, f"{path.name}: {found}"


def test_a_corner_does_not_make_an_extreme_of_its_own():
    """Beside the corner of an output a polynomial dips under its values: a drive of 0 had a trough of -0.00003."""
    curve = curve_through(lambda time: np.maximum(np.exp(-0.3 * time) - 0.2, 0.0), np.linspace(0.0, 12.0, 25))
    assert curve.lowest()[0] == 0.0
    assert curve.highest()[0] == 0.8
