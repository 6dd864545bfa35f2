"""Rodas5P and its driver: order, dense output, the compiled driver against its own text run uncompiled."""

from __future__ import annotations

from functools import partial
from unittest.mock import patch

import numpy as np
import pytest
from systems import library, random_people, random_schedule, system_from

from ldnsim.engine import driver, native, rodas5p, step
from ldnsim.engine.events import Event, Kind, Status

# stiff-ish and nonlinear with a known solution: x = exp(-t) + sin(t), y = x**2 + cos(t)
KNOWN = system_from(
    """
    sx = exp(-t) + sin(t)
    d/dt(x) = -k*(x - sx)*(1 + x^2) - exp(-t) + cos(t)
    d/dt(y) = -2*k*(y - sx^2 - cos(t))*exp(y) + 2*sx*(-exp(-t) + cos(t)) - sin(t) + (x - sx)*y
    """,
    {"k": 5.0},
    {"x": 1.0, "y": 2.0},
)


def exact(t: np.ndarray) -> np.ndarray:
    x = np.exp(-t) + np.sin(t)
    return np.column_stack([x, x**2 + np.cos(t)])


def one_step_at_a_time(h: float, end: float) -> np.ndarray:
    """States at `end` after fixed steps, by the method's own `attempt`, uncompiled."""
    program = native.Program(KNOWN, (), 1)
    w = np.zeros((program.count, 1))
    w[program.y : program.y + 2, 0] = exact(np.zeros(1))[0]
    w[program.p, 0] = 5.0
    program.prepare(w)
    for number in range(round(end / h)):
        w[program.time], w[program.proposed], w[program.stop] = number * h, h, (number + 1) * h
        step.attempt(program, w)
        w[program.y : program.y + 2] = w[program.y1 : program.y1 + 2]
    return w[program.y : program.y + 2, 0]


def test_observed_order_is_five():
    steps = [1 / 8, 1 / 16, 1 / 32, 1 / 64]
    errors = [np.abs(one_step_at_a_time(h, 2.0) - exact(np.array([2.0]))[0]).max() for h in steps]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert orders[-2:].min() > 4.7, orders


def test_the_table_is_consistent():
    """Row sums and the last stages: what makes the method stiffly accurate."""
    assert rodas5p.A[7] == rodas5p.A[6] + (1.0,)
    assert rodas5p.A[6] == rodas5p.A[5] + (1.0,)
    assert rodas5p.A[7] + (1.0,) == rodas5p.B
    assert len(rodas5p.A) == rodas5p.STAGES == len(rodas5p.C_TIME) == len(rodas5p.D)


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8, 1e-10])
def test_error_follows_the_tolerance_at_any_sample_time(rtol):
    times = np.concatenate([[0.0], np.sort(np.random.default_rng(1).uniform(0, 6, 500)), [6.0]])
    found = native.solve(KNOWN, np.array([[5.0]]), exact(np.zeros(1)), [()], times, ["x", "y"], rtol)
    error = np.abs(found.values[0] - exact(times)).max(axis=0) / np.abs(exact(times)).max(axis=0)
    assert error.max() < 30 * rtol


def plainly(system, *rest, **options):
    """`native.walk` with the driver's own text in place of the compiled driver."""
    entry = native.compiled(system, rest[4])
    with np.errstate(all="ignore"), patch.object(entry, "drive", partial(driver.drive, entry.program)):
        return native.walk(system, *rest, threads=1, **options)


WIDTH = native.machine().width


@pytest.mark.parametrize("name", library())
def test_compiled_driver_does_what_its_text_says(name):
    system, typical = library()[name]
    parameters, initial = random_people(system, typical, WIDTH + 2, 5)
    schedules = [random_schedule(system, typical, 2, seed) for seed in range(len(parameters))]
    times = np.sort(np.append(np.random.default_rng(2).uniform(0, 48, 20), 0.0))
    outputs = ("Cp", "mu_occupancy", "opioid_tone")
    compiled = native.walk(system, parameters, initial, schedules, times, outputs, 1e-6)
    plain = plainly(system, parameters, initial, schedules, times, outputs, 1e-6)
    np.testing.assert_array_equal(plain.status, compiled.status)
    assert np.abs(plain.tries - compiled.tries).max() <= 2  # rounding may tip an acceptance
    np.testing.assert_allclose(plain.values, compiled.values, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(plain.ends, compiled.ends, rtol=1e-7, atol=1e-7)


class TestEvents:
    """A chain x -> y with rate constants a and b, in closed form."""

    SYSTEM = system_from("s = x + y\nd/dt(x) = -a*x\nd/dt(y) = a*x - b*y", {"a": 0.3, "b": 0.2}, {"x": 1.0, "y": 0.0})

    def solve(self, schedule, times, rtol=1e-9):
        return native.solve(
            self.SYSTEM,
            np.array([[0.3, 0.2]]),
            np.array([[1.0, 0.0]]),
            [schedule],
            np.asarray(times, float),
            ["x", "s"],
            rtol,
        )

    def test_add(self):
        found = self.solve([Event(2.0, Kind.ADD, 0, 5.0)], [0, 2, np.nextafter(2, 3), 4]).values[0, :, 0]
        before = np.exp(-0.6)
        np.testing.assert_allclose(found, [1, before, before + 5, (before + 5) * np.exp(-0.6)], rtol=1e-8)

    def test_rate_runs_until_it_changes(self):
        found = self.solve([Event(0.0, Kind.RATE, 0, 2.0), Event(3.0, Kind.RATE, 0, 0.0)], [0, 3, 5]).values[0, :, 0]
        at_3 = np.exp(-0.9) + 2 / 0.3 * (1 - np.exp(-0.9))
        np.testing.assert_allclose(found, [1, at_3, at_3 * np.exp(-0.6)], rtol=1e-8)

    def test_set_parameter(self):
        found = self.solve([Event(1.0, Kind.SET, 0, 2.0)], [0, 1, 3]).values[0, :, 0]
        np.testing.assert_allclose(found, [1, np.exp(-0.3), np.exp(-0.3 - 4)], rtol=1e-8)

    def test_reset_goes_back_to_the_systems_initial_state_and_stops_rates(self):
        found = self.solve([Event(0.0, Kind.RATE, 1, 3.0), Event(4.0, Kind.RESET)], [0, np.nextafter(4, 5), 6]).values[
            0
        ]
        np.testing.assert_allclose(found[1], [1, 1], rtol=1e-9)
        np.testing.assert_allclose(found[2, 0], np.exp(-0.6), rtol=1e-8)

    def test_samples_show_what_was_before_the_events_of_their_time(self):
        schedule = [Event(0.0, Kind.ADD, 0, 7.0), Event(5.0, Kind.ADD, 0, 9.0)]
        found = self.solve(schedule, [0, 5]).values[0, :, 0]
        np.testing.assert_allclose(found, [1, 8 * np.exp(-1.5)], rtol=1e-8)

    def test_order_of_events_at_one_time_is_kept(self):
        first = [Event(1.0, Kind.ADD, 0, 7.0), Event(1.0, Kind.RESET)]
        np.testing.assert_allclose(self.solve(first, [0, 1.5]).values[0, 1, 0], np.exp(-0.15), rtol=1e-8)
        np.testing.assert_allclose(self.solve(first[::-1], [0, 1.5]).values[0, 1, 0], 8 * np.exp(-0.15), rtol=1e-8)

    def test_events_a_rounding_apart(self):
        schedule = [
            Event(0.0, Kind.ADD, 0, 1.0),
            Event(5e-324, Kind.ADD, 0, 1.0),
            Event(1.0, Kind.ADD, 0, 1.0),
            Event(1 + 2**-52, Kind.ADD, 0, 1.0),
        ]
        found = self.solve(schedule, [0, 1, 2])
        assert found.status[0] == Status.SOLVED
        np.testing.assert_allclose(found.values[0, 2, 0], (3 * np.exp(-0.3) + 2) * np.exp(-0.3), rtol=1e-8)

    def test_start_at_a_time_that_is_not_zero(self):
        found = self.solve([Event(101.0, Kind.ADD, 0, 1.0)], [100, 102]).values[0, :, 0]
        np.testing.assert_allclose(found, [1, np.exp(-0.6) + np.exp(-0.3)], rtol=1e-8)

    def test_one_sample_is_the_start(self):
        assert self.solve([Event(3.0, Kind.ADD, 0, 50.0)], [3]).values[0, 0, 0] == 1

    def test_thousands_of_events(self):
        schedule = [Event(0.01 * i, Kind.ADD, 0, 0.01) for i in range(5000)]
        found = self.solve(schedule, [0, 50], 1e-8).values[0, 1, 0]
        assert found == pytest.approx(
            np.exp(-15) + 0.01 * sum(np.exp(-0.3 * (50 - 0.01 * i)) for i in range(5000)), rel=1e-6
        )
