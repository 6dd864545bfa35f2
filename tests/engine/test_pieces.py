"""Outputs within windows as polynomials: closed forms, both solvers, events, bits, room, bad windows."""

from __future__ import annotations

import numpy as np
import pytest
from systems import library, random_people, random_schedule, system_from
from test_method import plainly

from ldnsim.engine import native, reference, room
from ldnsim.engine.events import Event, Kind, Status
from ldnsim.engine.pieces import NODES, Pieces, Windows, evaluate, shared_windows

RUN = np.array([0.0, 120.0])
ONE = np.array([[1.0]])
# Oral dose into `gut`, or intravenous into `central`; an occupancy that is steep in the concentration
ORAL = system_from(
    "C = central/V\noccupancy = C^4/(C^4 + 0.02^4)\nd/dt(gut) = -ka*gut\nd/dt(central) = ka*gut - CL/V*central",
    {"ka": 1.5, "CL": 25.0, "V": 50.0},
    {"gut": 0.0, "central": 0.0},
)
TYPICAL = np.array([[1.5, 25.0, 50.0]])
GUT, CENTRAL = 0, 1
K = 25.0 / 50.0


def solve(schedule, spans, outputs=("C",), solver=native, rtol=1e-6, times=RUN, system=ORAL, p=TYPICAL):
    """One person from nothing."""
    start = np.array([system.initial])
    return solver.solve(system, p, start, [schedule], times, outputs, rtol, windows=shared_windows(1, spans))


def bateman(t: np.ndarray) -> np.ndarray:
    """The concentration after a dose of 100 into the gut at 0."""
    return 100 / 50 * 1.5 / (1.5 - K) * (np.exp(-K * t) - np.exp(-1.5 * t))


class TestClosedForms:
    """At the default tolerance, within 1e-5 of the largest value, at any time within the window."""

    SPAN = (3.0, 27.0)
    TIMES = np.linspace(3.0, 27.0, 5000)[1:]

    @pytest.mark.parametrize("solver", [native, reference])
    def test_oral(self, solver):
        found = solve([Event(0.0, Kind.ADD, GUT, 100.0)], [self.SPAN], solver=solver)
        got = evaluate(found.pieces, 0, self.TIMES)[0]
        assert np.abs(got - bateman(self.TIMES)).max() < 1e-5 * bateman(np.log(3.0))

    def test_bolus_at_the_start_of_the_window(self):
        found = solve([Event(3.0, Kind.ADD, CENTRAL, 100.0)], [self.SPAN])
        assert evaluate(found.pieces, 0, np.array([3.0]))[0, 0] == 2.0  # after the dose, to the bit
        np.testing.assert_allclose(
            evaluate(found.pieces, 0, self.TIMES)[0], 2 * np.exp(-K * (self.TIMES - 3)), rtol=0, atol=2e-5
        )

    def test_infusion_of_a_minute(self):
        """The largest value is at the end of the infusion, and that is a node."""
        minute = 1 / 60
        given = [Event(5.0, Kind.RATE, CENTRAL, 100 / minute), Event(5.0 + minute, Kind.RATE, CENTRAL, 0.0)]
        pieces = solve(given, [self.SPAN]).pieces
        largest = 100 / minute / 25 * (1 - np.exp(-K * minute))
        place = np.unravel_index(np.argmax(pieces.values[0]), pieces.values[0].shape)
        assert pieces.end[place[0]] == 5.0 + minute
        assert pieces.nodes[place[1]] == 1.0
        assert pieces.values[0][place] == pytest.approx(largest, rel=1e-5)

    def test_area_is_that_of_the_whole_dose(self):
        """By quadrature on the nodes alone: dose/CL, in what a week leaves over."""
        pieces = solve([Event(0.0, Kind.ADD, GUT, 100.0)], [(0.0, 120.0)]).pieces
        weights = np.linalg.solve(np.vander(NODES, increasing=True).T, 1 / np.arange(1, len(NODES) + 1))
        assert (pieces.values[0] @ weights) @ (pieces.end - pieces.start) == pytest.approx(100 / 25, rel=1e-5)

    def test_a_steep_output(self):
        """Steps are as long as the states allow: pieces are shorter where an output bends more."""
        times = np.linspace(0.0, 48.0, 20_000)[1:]
        found = solve([Event(0.0, Kind.ADD, CENTRAL, 100.0)], [(0.0, 48.0)], ("C", "occupancy"))
        exact = 1 / (1 + (0.02 / (2 * np.exp(-K * times))) ** 4)
        assert np.abs(evaluate(found.pieces, 0, times)[1] - exact).max() < 1e-5
        steps = solve([Event(0.0, Kind.ADD, CENTRAL, 100.0)], [(0.0, 48.0)]).pieces
        assert len(found.pieces.start) > len(steps.start)

    def test_a_corner_costs_few_pieces(self):
        system = system_from("over = max(x - 0.3, 0)\nd/dt(x) = -0.1*x", {"a": 1.0}, {"x": 1.0})
        pieces = solve([], [(0.0, 48.0)], ("over",), system=system, p=ONE).pieces
        times = np.linspace(0.0, 48.0, 5000)[1:]
        assert np.abs(evaluate(pieces, 0, times)[0] - np.maximum(np.exp(-0.1 * times) - 0.3, 0)).max() < 2e-3
        assert len(pieces.start) < 100


@pytest.fixture(scope="module")
def crowd():
    """61 people with schedules and windows of their own, some with none, and their result in one thread."""
    system, typical = library()["transient"]
    parameters, initial = random_people(system, typical, 61, 8)
    schedules = [random_schedule(system, typical, 5, seed) for seed in range(61)]
    rng = np.random.default_rng(4)
    bounds = [np.sort(rng.uniform(0, 120, 2 * rng.integers(0, 4))) for _ in range(61)]
    for own, schedule in zip(bounds[::5], schedules[::5], strict=True):
        if len(own):
            own[0] = min(schedule[0].time, own[0])  # some start or end at an event
    last = np.cumsum([len(own) // 2 for own in bounds])
    first = np.append(0, last[:-1])
    start, end = np.concatenate(bounds).reshape(-1, 2).T.copy()
    windows = Windows(first, last, start, end)
    outputs = ("Cp", "mu_occupancy", "opioid_tone")
    whole = native.solve(system, parameters, initial, schedules, RUN, outputs, windows=windows, threads=1)
    assert set(whole.status.tolist()) == {Status.SOLVED}
    return system, parameters, initial, schedules, outputs, windows, whole


def own(pieces: Pieces, person: int) -> bytes:
    """All that is recorded of a person."""
    mine = slice(pieces.first[person], pieces.last[person])
    return b"".join(array.tobytes() for array in (pieces.start[mine], pieces.end[mine], pieces.values[:, mine]))


def some_windows(windows: Windows, people) -> Windows:
    return Windows(windows.first[people], windows.last[people], windows.start, windows.end)


class TestBits:
    @pytest.mark.parametrize("threads", [1, 2, 5])
    def test_in_any_company(self, crowd, threads):
        system, parameters, initial, schedules, outputs, windows, whole = crowd
        order = np.random.default_rng(threads).permutation(61)[: 61 - threads]
        found = native.solve(
            system,
            parameters[order],
            initial[order],
            [schedules[i] for i in order],
            RUN,
            outputs,
            windows=some_windows(windows, order),
            threads=threads,
        )
        for place, person in enumerate(order):
            assert own(found.pieces, place) == own(whole.pieces, person)

    def test_alone(self, crowd):
        system, parameters, initial, schedules, outputs, windows, whole = crowd
        for person in (1, 30, 60):
            who = [person]
            given = parameters[who], initial[who], [schedules[person]], RUN, outputs
            found = native.solve(system, *given, windows=some_windows(windows, who))
            assert own(found.pieces, 0) == own(whole.pieces, person)

    def test_windows_change_nothing_else(self, crowd):
        system, parameters, initial, schedules, outputs, windows, _ = crowd
        times = np.linspace(0, 120, 50)
        given = system, parameters, initial, schedules, times, outputs, 1e-6
        plain, recorded = native.walk(*given), native.walk(*given, windows=windows)
        assert plain.pieces is None
        for name in ("values", "ends", "status", "tries"):
            assert getattr(plain, name).tobytes() == getattr(recorded, name).tobytes()

    def test_samples_change_no_piece(self, crowd):
        system, parameters, initial, schedules, outputs, windows, whole = crowd
        found = native.solve(system, parameters, initial, schedules, np.linspace(0, 120, 731), outputs, windows=windows)
        assert all(own(found.pieces, person) == own(whole.pieces, person) for person in range(61))

    def test_people_with_too_little_room_are_solved_again(self, crowd, monkeypatch):
        system, parameters, initial, schedules, outputs, windows, whole = crowd
        monkeypatch.setattr(room, "PER_WINDOW", 20)  # enough for some
        monkeypatch.setattr(room, "PER_HOUR", 0)
        monkeypatch.setattr(room, "PER_EVENT", 0)
        runs = []
        monkeypatch.setattr(native, "_run", lambda *given, real=native._run: runs.append(given[-1]) or real(*given))
        times = np.linspace(0, 120, 50)
        found = native.solve(system, parameters, initial, schedules, times, outputs, windows=windows)
        assert [len(runs), runs[0].people] == [2, 61]
        assert 0 < runs[1].people < 61
        assert all(own(found.pieces, person) == own(whole.pieces, person) for person in range(61))
        plain = native.solve(system, parameters, initial, schedules, times, outputs)
        assert found.values.tobytes() == plain.values.tobytes()

    def test_the_driver_does_what_its_text_says(self, crowd):
        system, parameters, initial, schedules, outputs, windows, _ = crowd
        who = np.arange(3, 8)
        given = system, parameters[who], initial[who], [schedules[i] for i in who], RUN, outputs, 1e-6
        compiled, plain = (walk(*given, windows=some_windows(windows, who)).pieces for walk in (native.walk, plainly))
        for person in range(len(who)):
            mine = slice(compiled.first[person], compiled.last[person])
            if len(compiled.start[mine]) == 0:
                assert plain.first[person] == plain.last[person]
                continue
            times = np.linspace(compiled.start[mine][0], compiled.end[mine][-1], 500)
            inside = np.any((compiled.start[mine] < times[:, None]) & (times[:, None] <= compiled.end[mine]), axis=1)
            np.testing.assert_allclose(
                evaluate(plain, person, times[inside]), evaluate(compiled, person, times[inside]), rtol=1e-6, atol=1e-8
            )
