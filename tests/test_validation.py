"""The model against the evidence: what is read off a curve, how errors are judged, and what the table holds."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.calibration.validation import evaluate, frame_of
from ldnsim.calibration.validation.measuring import DosedCurve, measured_value
from ldnsim.calibration.validation.number_text import formatted_error, formatted_number
from ldnsim.calibration.validation.rows import error_of
from ldnsim.library.facts import PublishedRange
from ldnsim.library.files import load_predictions
from ldnsim.library.predictions import Measure
from ldnsim.model.records import Input
from tests.curves import curve_through

HOURS = np.linspace(0, 48, 97)


def taken(course: DosedCurve, **fields: object) -> float:
    return measured_value(course, Measure.model_validate({"arm": "a", "output": "b", **fields}))


class TestMeasuring:
    FALL = DosedCurve(curve_through(lambda t: 8 * np.exp(-np.log(2) / 5 * t), HOURS), np.array([0.0]))
    RISE = DosedCurve(curve_through(lambda t: t * np.exp(-t / 3), HOURS), np.array([0.0, 24.0]))
    DAY = DosedCurve(curve_through(lambda t: 2 + 0.5 * np.cos(2 * np.pi * (t - 9) / 24), HOURS), np.array([]))

    def test_value_and_half_life(self):
        assert taken(self.FALL, at="5 h") == pytest.approx(4)
        assert taken(self.FALL, take="half_life", window=["2 h", "12 h"]) == pytest.approx(5)
        assert taken(self.FALL, take="AUC_tau", window=["0 h", "48 h"]) == pytest.approx(
            8 * 5 / math.log(2) * (1 - 2 ** (-48 / 5)), rel=1e-9
        )
        assert taken(self.FALL, take="time_to_half", window=["1 h", "48 h"]) == pytest.approx(5)

    def test_what_is_not_there_is_no_number(self):
        assert math.isnan(taken(self.RISE, take="half_life", window=["0 h", "2 h"]))
        assert math.isnan(taken(self.DAY, take="time_to_half", window=["0 h", "24 h"]))

    def test_peaks(self):
        assert taken(self.RISE, take="peak", window=["0 h", "24 h"]) == pytest.approx(3 / math.e)
        assert taken(self.RISE, take="Tmax", window=["0 h", "24 h"]) == pytest.approx(3)
        # from the last dose before the window
        assert taken(self.RISE, take="Tmax", window=["30 h", "48 h"]) == pytest.approx(6)

    def test_rhythm(self):
        assert taken(self.DAY, take="daily_amplitude", window=["0 h", "24 h"]) == pytest.approx(0.25)
        assert taken(self.DAY, take="daily_acrophase", window=["0 h", "24 h"]) == pytest.approx(9)
        assert taken(self.DAY, take="time_of_peak", window=["24 h", "48 h"]) == pytest.approx(9)
        assert taken(self.DAY, take="time_of_trough", window=["24 h", "48 h"]) == pytest.approx(21)


@pytest.mark.parametrize(
    ("predicted", "low", "high", "scale", "error"),
    [
        (2, 4, 4, "fold", 2),
        (8, 4, 4, "fold", 2),
        (90, 72, 108, "fold", 1),
        (36, 72, 108, "fold", 2),
        (5, 1, math.inf, "fold", 1),
        (0.5, 1, math.inf, "fold", 2),
        (80, 91, 91, "points", -11),
        (23, 0, 5, "hours", -1),
        (23, 22, 27.5, "hours", 0),
        (2, 22, 27.5, "hours", 0),
        (4.5, 22, 27.5, "hours", 1),
        (10.75, 10.5, 10.5, "hours", 0.25),
    ],
)
def test_errors(predicted, low, high, scale, error):
    assert error_of(predicted, PublishedRange(low, high), scale) == pytest.approx(error)


def test_nothing_to_compare_is_no_error():
    assert math.isnan(error_of(1.0, None, "fold"))
    assert math.isnan(error_of(1.0, PublishedRange(1, 1), "none"))


@pytest.fixture(scope="module")
def found():
    return evaluate(ldn.load_model("ldn"))


class TestLibrary:
    def test_the_bounds_of_the_issue(self, found):
        """Concentrations within 1.5-fold on fit rows; both PET studies within 8 points with one set under pet_pool."""
        overall = {(each.account, each.what): each for each in found.overall}
        concentrations = overall["all", "concentrations and areas"]
        assert concentrations.fit <= 1.5
        assert concentrations.fit_count >= 4
        assert concentrations.test_count >= 8
        assert concentrations.test_read < concentrations.test  # the two rows from memory are the worst
        pool = overall["pet_pool", "occupancy, all"]
        assert (pool.fit_count, pool.fit <= 8) == (11, True)
        assert pool.within[1] <= 8  # whatever the hour of Rabiner's scans
        assert overall["transient", "occupancy, lee1988"].fit == pytest.approx(63, abs=2)

    def test_every_fact_has_a_row(self, found):
        rows = {row.fact.id for row in found.rows}
        assert all(fact in rows for fact in load_predictions().facts)
        assert all(row.reason or not math.isnan(row.predicted) for row in found.rows)

    def test_one_curve_in_two_windows(self, found):
        rows = {row.fact.id: row for row in found.rows}
        label, wall = rows["pk007"], rows["pk027"]
        assert "2 to 12 h" in label.conditions
        assert "8 to 24 h" in wall.conditions
        assert label.predicted < 5
        assert wall.predicted > 8

    def test_plasma_is_told_once_for_all_accounts_and_occupancy_for_each(self, found):
        assert {row.account for row in found.rows if row.fact.id == "pk015"} == {"all"}
        assert {row.account for row in found.rows if row.fact.id == "pd001"} == {"transient", "pet_pool", "pet_slow"}

    def test_agrees_with_a_plain_simulation(self, found, ask):
        scenario = ask("168 h", "[pet_pool]", once='{input: oral, dose: 50 mg, at: "00:00", until: day 1}')
        result = ldn.simulate(scenario).squeeze()
        row = next(row for row in found.rows if row.fact.id == "pd002" and row.account == "pet_pool")
        ratio = float(result.mu_occupancy.sel(time=72) / result.mu_occupancy.sel(time=1))
        assert row.predicted == pytest.approx(100 * ratio, rel=1e-3)
        assert row.error == pytest.approx(row.predicted - 80)
        peak = next(row for row in found.rows if row.fact.id == "pk015")
        fine = ldn.simulate(scenario, times=np.arange(0.0, 3.0, 1 / 720).tolist()).squeeze()
        assert peak.predicted == pytest.approx(float(fine.Cp.max()) * 341.41 / 1000, rel=4e-4)

    def test_uncertain_hours_are_swept(self, found):
        row = next(row for row in found.rows if row.fact.id == "pd007" and row.account == "transient")
        assert [hour for hour, _ in row.by_hour] == list(range(1, 9))
        assert max(value for _, value in row.by_hour) > 2 * row.predicted

    def test_contradictory_facts_and_the_published_sets_that_meet_them(self, found):
        conflicts = {conflict.title: conflict for conflict in found.conflicts}
        clearance = conflicts["Clearance of naltrexone"]
        assert clearance.span == pytest.approx(3510 * 60 / 1000 / 94, rel=1e-3)
        assert {each.row.fact.source: each.parameter_set for each in clearance.facts} == {
            "licko1981": "clearance_licko1981",
            "meyer1984": "clearance_meyer1984",
            "dunbar2007": "clearance_dunbar2007",
        }
        tail = conflicts["What is left of 100 mg daily after one and three days"]
        assert all(each.parameter_set == "late_tail" and each.set_by for each in tail.facts)

    def test_published_sets_are_chosen_together_with_their_occupancy(self, found):
        row = next(row for row in found.rows if row.fact.id == "pd003" and row.account == "pet_pool")
        assert abs(row.by_parameter_set["late_tail"] - row.predicted) < 30
        assert row.by_parameter_set["scan_1h"] != row.predicted
        assert row.by_parameter_set["clearance_meyer1984"] == pytest.approx(row.predicted, rel=1e-3)

    def test_inputs_that_come_later_are_picked_up(self):
        """A fact about an input is predicted as soon as a model has it."""
        model = ldn.load_model("ldn", account="pet_pool")
        nose = Input.model_validate({"drug": "naltrexone", "to": {"plasma.gut": 0.5}})
        asked = load_predictions()
        asked = asked.model_copy(update={"facts": {"pk045": asked.facts["pk045"]}, "rivals": {}, "conflicts": {}})
        before = {row.fact.id: row for row in evaluate(model, asked).rows}
        assert before["pk045"].reason == "not in this model: no input 'intranasal'"
        after = evaluate(model.model_copy(update={"inputs": {**model.inputs, "intranasal": nose}}), asked)
        row = next(row for row in after.rows if row.fact.id == "pk045")
        assert row.predicted == pytest.approx(0.6, abs=0.3)
        assert row.error == pytest.approx(max(row.predicted / 0.5, 0.5 / row.predicted))

    def test_parameters_that_come_later_are_named(self):
        """What a prediction changes has to be there; else the row says what is not."""
        asked = load_predictions()
        item = asked.facts["pk015"][0].model_copy(update={"changes": {"plasma.nothing": 1}})
        asked = asked.model_copy(update={"facts": {"pk015": (item,)}, "rivals": {}, "conflicts": {}})
        rows = evaluate(ldn.load_model("ldn", account="pet_pool"), asked).rows
        row = next(row for row in rows if row.fact.id == "pk015")
        assert row.reason == "not in this model: 'plasma.nothing' names nothing"

    def test_a_small_model_says_what_it_lacks(self):
        found = evaluate(ldn.load_model("tests/models/small.yaml"))
        assert {row.reason for row in found.rows if row.fact.id == "pd001"} != {""}
        assert all(row.reason for row in found.rows if row.fact.id.startswith("pd"))


def test_the_frame(found):
    frame = ldn.validate(ldn.load_model("ldn", account="pet_pool"))
    assert list(frame.columns[:8]) == [
        "fact", "use", "quantity", "account", "predicted", "observed", "observed_low", "observed_high",
    ]  # fmt: skip
    assert {"error", "conditions", "tag", "source", "reason", "under_late_tail"} <= set(frame.columns)
    assert set(frame.account) <= {"pet_pool", ""}
    lee = frame[(frame.source == "lee1988") & (frame.scale == "points")]
    assert np.sqrt((lee.error**2).mean()) == pytest.approx(4.3, abs=0.1)
    assert len(frame_of(found)) > len(frame)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(13.32, "ng/mL", "13.3"), (0.0664, "ng/mL", "0.0664"), (2500.0, "mL/min", "2500"), (10.725, "clock", "10:44"),
     (math.nan, "h", "—"), (0.0, "%", "0")],
)  # fmt: skip
def test_numbers_as_people_read_them(value, unit, text):
    assert formatted_number(value, unit) == text


def test_errors_as_people_read_them(found):
    texts = {formatted_error(row) for row in found.rows if row.fact.id in ("pk041", "pd002", "pd052", "pd049")}
    assert {"x1.10", "−1.0 pp", ""} <= texts
    assert any(text.endswith(" h") for text in texts)
