"""The road's answers against closed forms that nobody here integrated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.engine import reference
from ldnsim.engine.events import Event, Kind, Status
from ldnsim.engine.orbit import periodic_states
from ldnsim.model.system import compose
from ldnsim.scenario.changes import setting_of

MODELS = Path(__file__).parents[1] / "models"
KA, CL, V, F, LAG, KD = 1.5, 10.0, 50.0, 0.8, 0.5, 20.0
K = CL / V
TIMES = np.linspace(0, 96, 481)


def scenario(tmp_path: Path, regimen: str, duration: str = "96 h", extra: str = "") -> ldn.Scenario:
    file = tmp_path / "case.yaml"
    file.write_text(
        f"format: ldnsim-scenario/1\nname: case\nquestion: q\nmodel: {MODELS / 'small.yaml'}\n"
        f"duration: {duration}\narms: {{only: {{regimen: {regimen}}}}}\n{extra}"
    )
    return ldn.load_scenario(file)


def bateman(t: np.ndarray, dose: float) -> np.ndarray:
    """nmol/L after an oral dose in nmol at t = 0, without lag."""
    after = np.maximum(t, 0)
    return np.where(t > 0, F * dose * KA / (V * (KA - K)) * (np.exp(-K * after) - np.exp(-KA * after)), 0)


def test_oral_dose_follows_bateman(tmp_path):
    result = ldn.simulate(scenario(tmp_path, '[{input: oral, dose: 1 mg, at: "03:00", until: day 1}]'), times=TIMES)
    expected = bateman(TIMES - 3 - LAG, 4000)  # 1 mg / 250 g/mol
    np.testing.assert_allclose(result.Cp.values[0, 0], expected, rtol=1e-6, atol=1e-6 * expected.max())


def test_repeated_doses_superpose(tmp_path):
    result = ldn.simulate(scenario(tmp_path, '[{input: oral, dose: 1 mg, at: ["03:00", "15:00"]}]'), times=TIMES)
    expected = sum(bateman(TIMES - time - LAG, 4000) for time in np.arange(3, 96, 12))
    np.testing.assert_allclose(result.Cp.values[0, 0], expected, rtol=1e-6, atol=1e-6 * expected.max())


def test_bolus_into_a_vein_is_weighed_as_its_salt(tmp_path):
    result = ldn.simulate(scenario(tmp_path, '[{input: salt, dose: 1 mg, at: "00:00", until: day 1}]'), times=TIMES)
    expected = np.where(TIMES > 0, 2000 / V * np.exp(-K * TIMES), 0)  # the sample at the dose is pre-dose
    np.testing.assert_allclose(result.Cp.values[0, 0], expected, rtol=1e-6, atol=1e-9)


def test_usual_sampling_shows_both_sides_of_a_bolus(tmp_path):
    result = ldn.simulate(scenario(tmp_path, '[{input: vein, dose: 1 mg, at: "06:00", until: day 1}]'))
    before, after = result.Cp.sel(time=slice(6, 6.0001)).values[0, 0]
    assert before == 0
    assert after == pytest.approx(4000 / V, rel=1e-9)


def test_overlapping_infusions_add_up(tmp_path):
    first = '{input: vein, dose: 1 mg, at: "02:00", infuse: 4 h, until: day 1}'
    second = '{input: vein, dose: 2 mg, at: "04:00", infuse: 8 h, until: day 1}'
    regimen = f"[{first}, {second}]"
    result = ldn.simulate(scenario(tmp_path, regimen), times=TIMES)

    def infused(t, rate, length):
        during, after = np.clip(t, 0, length), np.maximum(t - length, 0)
        return rate / CL * (1 - np.exp(-K * during)) * np.exp(-K * after)

    expected = infused(TIMES - 2, 1000, 4) + infused(TIMES - 4, 1000, 8)
    np.testing.assert_allclose(result.Cp.values[0, 0], expected, rtol=1e-6, atol=1e-6 * expected.max())


def test_occupancy_in_equilibrium_with_a_rhythmic_competitor(tmp_path):
    times = np.linspace(0, 48, 97)
    result = ldn.simulate(
        scenario(tmp_path, '[{input: vein, dose: 1 mg, at: "00:00", until: day 1}]', "48 h"), times=times
    )
    w, k, a, phi = 2 * np.pi / 24, 0.3, 0.5, 8.0
    competitor = 1 + a * k / np.hypot(k, w) * np.cos(w * (times - phi) - np.arctan2(w, k))
    np.testing.assert_allclose(result.competitor.values[0, 0], competitor, rtol=1e-6)
    np.testing.assert_allclose(result.competitor_drug_free.values[0], competitor, rtol=1e-6)
    load = np.where(times > 0, 4000 / V * np.exp(-K * times), 0) / KD
    np.testing.assert_allclose(result.occupancy.values[0, 0], load / (1 + load + competitor), rtol=1e-6)


def test_mass_is_conserved(tmp_path):
    model = ldn.load_model(MODELS / "small.yaml")
    system = compose(model, setting_of(model, "small").parts)
    p = np.array([[KA, CL, V, F, LAG, KD, 0.3, 0.5, 8.0]])
    schedule = [Event(1.0, Kind.ADD, 0, 1000.0), Event(2.0, Kind.RATE, 1, 50.0), Event(12.0, Kind.RATE, 1, 0.0)]
    for t, y, _ in reference.integrate(
        system, p[0], np.array([0, 0, 0, 1.0]), schedule, np.array([0.0, 5.0, 20.0, 200.0]), 1e-9
    ).samples:
        given = 1000 * (t > 1) + 50 * (min(t, 12) - 2) * (t > 2)
        assert sum(y[:3]) == pytest.approx(given, rel=1e-7, abs=1e-9)


class TestEvents:
    """The contract that every engine keeps."""

    @pytest.fixture
    def system(self):
        model = ldn.load_model(MODELS / "small.yaml")
        return compose(model, setting_of(model, "small").parts)

    P = np.array([[KA, CL, V, F, LAG, KD, 0.3, 0.0, 8.0]])
    Y = np.array([[0, 0, 0, 1.0]])

    def solve(self, system, schedule, times, **options):
        return reference.solve(system, self.P, self.Y, [schedule], np.asarray(times, float), ["Cp"], **options)

    def test_set_parameter_changes_the_rest_of_the_way(self, system):
        schedule = [Event(0.0, Kind.ADD, 1, 500.0), Event(5.0, Kind.SET, 1, 20.0)]
        found = self.solve(system, schedule, [0, 5, 10]).values[0, :, 0]
        np.testing.assert_allclose(found, [0, 10 * np.exp(-1), 10 * np.exp(-1 - 2)], rtol=1e-6)

    def test_reset_empties_states_and_stops_rates(self, system):
        schedule = [Event(0.0, Kind.RATE, 1, 100.0), Event(4.0, Kind.RESET), Event(6.0, Kind.ADD, 1, 50.0)]
        found = self.solve(system, schedule, [0, 4, 5, 6, 8]).values[0, :, 0]
        np.testing.assert_allclose(found, [0, 10 * (1 - np.exp(-0.8)), 0, 0, np.exp(-0.4)], rtol=1e-6, atol=1e-12)

    def test_events_at_one_time_keep_their_order(self, system):
        first = [Event(1.0, Kind.ADD, 1, 50.0), Event(1.0, Kind.RESET)]
        assert self.solve(system, first, [0, 2]).values[0, 1, 0] == pytest.approx(0, abs=1e-12)
        assert self.solve(system, first[::-1], [0, 2]).values[0, 1, 0] == pytest.approx(np.exp(-0.2), rel=1e-6)

    def test_event_at_the_last_sample_is_not_seen(self, system):
        assert self.solve(system, [Event(3.0, Kind.ADD, 1, 50.0)], [0, 3]).values[0, 1, 0] == 0

    def test_single_sample(self, system):
        assert self.solve(system, [Event(3.0, Kind.ADD, 1, 50.0)], [3]).values.shape == (1, 1, 1)

    def test_error_falls_with_the_tolerance(self, system):
        schedule = [Event(0.0, Kind.ADD, 0, 1000.0)]
        times = np.linspace(0, 24, 49)
        exact = np.where(times > 0, 1000 * KA / (V * (KA - K)) * (np.exp(-K * times) - np.exp(-KA * times)), 0)
        errors = [
            np.abs(self.solve(system, schedule, times, rtol=rtol).values[0, :, 0] - exact).max() / exact.max()
            for rtol in (1e-4, 1e-7, 1e-10)
        ]
        assert errors[0] < 30e-4
        assert errors[1] < 30e-7
        assert errors[2] < 30e-10
        assert errors[0] > errors[1] > errors[2]

    @pytest.mark.parametrize(
        ("schedule", "times", "options", "said"),
        [
            ([Event(2.0, Kind.RESET), Event(1.0, Kind.RESET)], [0, 3], {}, "ascending"),
            ([Event(-1.0, Kind.RESET)], [0, 3], {}, "before the first sample"),
            ([], [3, 0], {}, "ascending"),
            ([], [], {}, "at least one"),
            ([], [0, np.nan], {}, "finite"),
            ([], [0, 3], {"rtol": 0.5}, "out of range"),
            ([], [0, 3], {"rtol": np.nan}, "out of range"),
        ],
    )
    def test_bad_requests_are_refused(self, system, schedule, times, options, said):
        with pytest.raises(ValueError, match=said):
            self.solve(system, schedule, times, **options)

    def test_a_person_that_cannot_be_solved_leaves_the_others_as_they_are(self, system):
        good, bad = self.P[0], self.P[0].copy()
        bad[2] = 0.0  # a volume of zero
        schedule = [Event(0.0, Kind.ADD, 1, 500.0)]
        times = np.linspace(0, 10, 11)
        alone = reference.solve(system, np.array([good]), self.Y, [schedule], times, ["Cp"])
        together = reference.solve(
            system, np.array([good, bad, good]), np.repeat(self.Y, 3, 0), [schedule] * 3, times, ["Cp"]
        )
        assert together.status.tolist() == [Status.SOLVED, Status.BAD_EQUATION, Status.SOLVED]
        assert "division by zero" in together.reason[1]
        assert np.isnan(together.values[1]).all()
        assert together.values[0].tobytes() == together.values[2].tobytes() == alone.values[0].tobytes()

    def test_nan_parameters_are_a_status(self, system):
        p = self.P.copy()
        p[0, 1] = np.nan
        found = reference.solve(system, p, self.Y, [[Event(0.0, Kind.ADD, 1, 500.0)]], np.array([0.0, 5.0]), ["Cp"])
        assert found.status[0] != Status.SOLVED
        assert found.reason[0]

    def test_orbit_comes_back_after_a_day(self, system):
        p = self.P.copy()
        p[0, 7] = 0.5
        states, status, _ = periodic_states(system, p)
        assert status.tolist() == [Status.SOLVED]
        after = reference.integrate(system, p[0], states[0], [], np.array([0.0, 24.0, 240.0]), 1e-10).samples
        np.testing.assert_allclose(after[1][1], states[0], rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(after[2][1], states[0], rtol=1e-6, atol=1e-12)

    def test_no_rhythm_is_a_status(self, system):
        p = self.P.copy()
        p[0, 6] = -0.3  # the competitor grows without bound
        _, status, reason = periodic_states(system, p)
        assert status[0] == Status.SOLVED or reason[0]
