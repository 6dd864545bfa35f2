"""Event records against closed forms: everything that data sets can ask for, in both solvers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from recording import CL, DURATION, KA, RATE, K, V, amounts, bolus, infusion, model, records, train

import ldnsim as ldn

EVERY = pytest.mark.parametrize("solver", ["native", "reference"])


def close(found: pd.DataFrame, expected: np.ndarray, rtol: float = 1e-6) -> None:
    np.testing.assert_allclose(found.A2, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


@EVERY
def test_bolus_and_additional_doses(solver):
    found = amounts("ID TIME EVID AMT CMT II ADDL\n1 2 1 100 2 12 3\ntimes 2:72:0.5", solver)
    t = found.TIME.to_numpy()
    close(found, 100 * sum(bolus(t - 2 - 12 * number) for number in range(4)))


@EVERY
def test_infusion_by_rate_with_bioavailability_lasts_shorter(solver):
    found = amounts("ID TIME EVID AMT CMT RATE BIOAV LAGT\n1 0 1 100 2 10 0.5 3\ntimes 0:30:0.5", solver)
    close(found, 10 * infusion(found.TIME.to_numpy() - 3, 5.0))


@EVERY
def test_modelled_rate_with_lag_and_bioavailability(solver):
    found = amounts("ID TIME EVID AMT CMT RATE BIOAV LAGT\n1 1 1 100 2 -1 0.6 2.5\ntimes 1:30:0.5", solver)
    close(found, RATE * infusion(found.TIME.to_numpy() - 3.5, 60 / RATE))


@EVERY
def test_modelled_duration_with_lag_and_bioavailability(solver):
    found = amounts("ID TIME EVID AMT CMT RATE BIOAV LAGT\n1 1 1 100 2 -2 0.6 2.5\ntimes 1:30:0.5", solver)
    close(found, 60 / DURATION * infusion(found.TIME.to_numpy() - 3.5, DURATION))


@EVERY
@pytest.mark.parametrize("lag", [0.0, 3.0, 12.0, 17.5, 24.0, 40.0])
def test_steady_state_of_boluses_with_any_lag(solver, lag):
    """Also longer than the interval: the whole train of implied doses is later."""
    found = amounts(f"ID TIME EVID AMT CMT SS II ADDL LAGT\n1 5 1 100 2 1 12 2 {lag}\ntimes 5:29:0.5", solver)
    t = found.TIME.to_numpy()
    close(found, 100 * train(t, 12, 5 + lag + 24, bolus))


@EVERY
@pytest.mark.parametrize("interval", [12.17, 11.83, 3.14159, 0.05, 1.2345])
def test_steady_state_needs_no_clock_where_the_model_has_none(solver, interval):
    """Such intervals were refused as never meeting the clock, in a model whose equations do not use it."""
    found = amounts(f"ID TIME EVID AMT CMT SS II\n1 5 1 100 2 1 {interval!r}\ntimes 5:29:0.5", solver)
    close(found, 100 * np.exp(-K * (found.TIME.to_numpy() - 5)) / -np.expm1(-K * interval))


@EVERY
@pytest.mark.parametrize("lag", [0.0, 7.0, 31.0])
@pytest.mark.parametrize("length", [2.0, 12.0, 30.0])
def test_steady_state_of_infusions_of_any_length(solver, lag, length):
    found = amounts(
        f"ID TIME EVID AMT CMT RATE SS II ADDL LAGT\n1 5 1 {10 * length} 2 10 1 12 1 {lag}\n"
        "times 5:17:0.5\ntimes 18:60:2",
        solver,
    )
    t = found.TIME.to_numpy()
    close(found, 10 * train(t, 12, 5 + lag + 12, lambda s: infusion(s, length)))


@EVERY
def test_constant_infusion_at_steady_state_has_ended_with_its_record(solver):
    found = amounts("ID TIME EVID AMT CMT RATE SS\n1 4 1 0 2 8 1\ntimes 4:40:2", solver)
    close(found, 8 / K * bolus(found.TIME.to_numpy() - 4))


@EVERY
def test_a_state_as_slow_as_a_year_is_in_its_steady_state_at_once(solver):
    slow = np.log(2) / (365.25 * 24)
    found = amounts(f"ID TIME EVID AMT CMT SS II CL\n1 0 1 100 2 1 24 {float(20 * slow)!r}", solver)
    np.testing.assert_allclose(found.A2, 100 / -np.expm1(-24 * slow), rtol=1e-4)
    assert not any("settled" in note for note in found.attrs["notes"])


@EVERY
def test_steady_state_2_is_added_to_what_is_there(solver):
    text = "ID TIME EVID AMT CMT SS II ADDL\n1 0 1 100 2 1 24 2\ntimes 0:9:1\n1 10 1 40 2 2 24 1\ntimes 10:60:1"
    found = amounts(text, solver)
    t = found.TIME.to_numpy()
    first = 100 * train(t, 24, 48, bolus)
    close(found, first + np.where(np.arange(len(t)) >= 11, 40 * train(t, 24, 34, bolus), 0))


@EVERY
def test_steady_state_2_leaves_a_running_infusion_alone(solver):
    text = "ID TIME EVID AMT CMT RATE SS II\n1 0 1 100 2 10 . .\n1 4 1 50 2 . 2 12\ntimes 4:20:0.5"
    found = amounts(text, solver)
    t = found.TIME.to_numpy()
    close(found, 10 * infusion(t, 10) + np.where(t >= 4, 50 * train(t, 12, 4, bolus), 0))


@EVERY
def test_reset_in_the_middle_of_an_infusion(solver):
    infused = "ID TIME EVID AMT CMT RATE\n1 0 1 100 2 10\ntimes 0:5:0.5\n"
    text = infused + "1 6 3 . . .\ntimes 6:12:1\n1 13 4 50 2 .\ntimes 13:20:1"
    found = amounts(text, solver)
    t = found.TIME.to_numpy()
    close(found, np.where(t < 6, 10 * infusion(t, 10), 50 * bolus(t - 13)))


@EVERY
def test_a_reset_cancels_doses_on_their_way(solver):
    """Additional and lagged ones, and implied ones of a steady state."""
    text = "ID TIME EVID AMT CMT II ADDL LAGT\n1 0 1 100 2 10 9 4\ntimes 0:24:1\n1 25 3 . . . . .\ntimes 26:60:2"
    found = amounts(text, solver)
    t = found.TIME.to_numpy()
    close(found, np.where(t < 25, 100 * sum(bolus(t - 4 - 10 * number) for number in range(10)), 0))


@EVERY
def test_steady_state_1_cancels_doses_on_their_way(solver):
    text = "ID TIME EVID AMT CMT II ADDL SS\n1 0 1 100 2 10 9 .\n1 25 1 50 2 12 . 1\ntimes 25:60:1"
    found = amounts(text, solver).iloc[1:]
    close(found, 50 * train(found.TIME.to_numpy(), 12, 25, bolus))


@EVERY
def test_time_may_start_anew_at_a_reset(solver):
    text = "ID TIME EVID AMT CMT\n1 30 1 100 2\ntimes 30:40:2\n1 0 4 60 2\ntimes 0:10:2"
    found = amounts(text, solver)
    t = found.TIME.to_numpy()
    close(found, np.where(np.arange(len(t)) < 7, 100 * bolus(t - 30), 60 * bolus(t)))


@EVERY
def test_records_at_one_time_keep_their_order(solver):
    text = """ID TIME EVID AMT CMT
        1 0 0 . .
        1 0 1 100 2
        1 0 0 . .
        1 0 1 50 2
        1 0 2 . .
        1 8 0 . .
        1 8 1 10 2
        1 8 1 10 2
        1 8 0 . .
        1 9 3 . .
        1 9 0 . .
        1 9 4 7 2
        1 9 0 . ."""
    found = amounts(text, solver)
    left = 150 * np.exp(-8 * K)
    close(found, np.array([0, 100, 100, 150, 150, left, left + 10, left + 20, left + 20, 0, 0, 7, 7]))


@EVERY
def test_doses_that_come_at_the_time_of_a_record_come_before_it(solver):
    """By ADDL, by lag, by both; also where the two times differ by rounding only."""
    dose = "ID TIME EVID AMT CMT II ADDL LAGT\n1 0 1 100 2 0.1 3 0.3\n"
    text = dose + "1 0.3 0 . . . . 0\n1 0.6 0 . . . . 0\n1 2 0 . . . . 0"
    found = amounts(text, solver)
    t = found.TIME.to_numpy()
    given = [0, 1, 4, 4]
    arrived = np.array(
        [sum(np.exp(-K * (time - 0.3 - 0.1 * n)) for n in range(count)) for time, count in zip(t, given, strict=True)]
    )
    close(found, 100 * arrived)


@EVERY
def test_a_dose_at_the_very_end(solver):
    found = amounts("ID TIME EVID AMT CMT\n1 0 1 100 2\n1 24 1 50 2", solver)
    close(found, np.array([100, 100 * np.exp(-24 * K) + 50]))
    found = amounts("ID TIME EVID AMT CMT II ADDL\n1 0 1 100 2 24 1\n1 24 0 . . . .", solver)
    close(found, np.array([100, 100 * np.exp(-24 * K) + 100]))


@EVERY
def test_values_hold_over_the_interval_that_ends_at_their_record(solver):
    text = "ID TIME EVID AMT CMT CL\n1 0 1 100 2 9\n1 4 0 . . 1\n1 10 0 . . 3\n1 10 0 . . 5\n1 12 0 . . 2"
    found = amounts(text, solver)
    passed = np.array([0, 4 * 1, 4 + 6 * 3, 22, 22 + 2 * 2])
    close(found, 100 * np.exp(-passed / V))


def test_an_output_shows_the_values_of_its_own_record():
    text = "ID TIME EVID AMT CMT V CL\n1 0 1 100 2 20 0\n1 1 0 . . 20 0\n1 1 0 . . 40 0\n1 2 0 . . 10 0"
    found = ldn.simulate_data(model(), records(text), outputs=["CP"])
    np.testing.assert_allclose(found.CP, [5000, 5000, 2500, 10000], rtol=1e-9)


def test_a_dose_meets_the_values_of_its_own_record_and_so_do_its_additional_doses():
    text = "ID TIME EVID AMT CMT II ADDL BIOAV LAGT\n1 0 1 100 2 10 1 0.5 2\n1 1 0 . . . . 1 0\ntimes 2:20:2"
    found = amounts(text)
    t = found.TIME.to_numpy()
    close(found, 50 * (bolus(t - 2) + bolus(t - 12)))


def test_missing_values_are_those_of_the_next_record_or_else_of_the_last():
    rows = ["1 0 1 100 2", "1 4 0 . .", "1 10 0 . .", "1 12 0 . .", "2 0 1 100 2", "2 9 0 . ."]

    def told(*values: str) -> pd.DataFrame:
        lines = [f"{row} {value}" for row, value in zip(rows, values, strict=True)]
        return amounts("\n".join(["ID TIME EVID AMT CMT CL", *lines]))

    found = told(".", ".", "3", ".", ".", ".")
    assert found.A2.tolist() == told("3", "3", "3", "3", "1.1", "1.1").A2.tolist()
    assert any("5 missing values" in note for note in found.attrs["notes"])


@EVERY
def test_from_the_depot(solver):
    found = amounts("ID TIME EVID AMT CMT\n1 0 1 100 depot\ntimes 0:24:0.5", solver)
    t = found.TIME.to_numpy()
    close(found, 100 * KA / (KA - K) * (np.exp(-K * t) - np.exp(-KA * t)))


def test_ten_thousand_doses():
    found = amounts("ID TIME EVID AMT CMT II ADDL\n1 0 1 1 2 0.01 9999\n1 99.99 0 . . . .\n1 200 0 . . . .")
    q = np.exp(-0.01 * K)
    peak = (1 - q**10_000) / (1 - q)
    np.testing.assert_allclose(found.A2, [1, peak, peak * np.exp(-100.01 * K)], rtol=1e-7)


def test_ten_thousand_dose_records_at_one_time():
    rows = pd.DataFrame({"ID": 1, "TIME": 10.0, "EVID": 1, "AMT": 1.0, "CMT": 2}, index=range(10_000))
    found = ldn.simulate_data(model(), rows, outputs=["A2"])
    np.testing.assert_allclose(found.A2, np.arange(1, 10_001), rtol=1e-9)


@EVERY
def test_doses_a_billionth_of_an_hour_apart(solver):
    rows = [f"1 {(5 + 1e-9 * number)!r} 1 1 2" for number in range(50)]
    found = amounts("ID TIME EVID AMT CMT\n" + "\n".join(rows), solver)
    np.testing.assert_allclose(found.A2, np.arange(1, 51), rtol=1e-7)


def test_a_hundred_million_additional_doses_of_which_few_are_in_time():
    found = amounts("ID TIME EVID AMT CMT II ADDL\n1 0 1 100 2 12 100000000\n1 30 0 . . . .")
    close(found.iloc[1:], 100 * sum(bolus(np.array([30.0]) - 12 * number) for number in range(3)))


def test_clearance_is_that_of_the_weight():
    text = "ID TIME EVID AMT CMT WT\n1 0 1 100 2 35\n1 10 0 . . 35"
    close(amounts(text).iloc[1:], np.array([100 * np.exp(-10 * CL * 0.5**0.75 / V)]))
