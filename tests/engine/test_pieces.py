"""Outputs within windows as polynomials: closed forms, both solvers, events, bits, room, bad windows."""

from __future__ import annotations

import numpy as np
import pytest
from systems import library, random_people, random_schedule, system_from
from test_method import plainly

from ldnsim.engine import native, reference, room
from ldnsim.engine.events import Event, Kind, Status
from ldnsim.engine.grids import Grids
from ldnsim.engine.pieces import NODES, Pieces, Windows, shared_windows
from tests.curves import evaluate

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
            times = np.linspace(compiled.start[mine][0], compiled.end[mine][-1], 500)
            inside = np.any((compiled.start[mine] < times[:, None]) & (times[:, None] <= compiled.end[mine]), axis=1)
            np.testing.assert_allclose(
                evaluate(plain, person, times[inside]), evaluate(compiled, person, times[inside]), rtol=1e-6, atol=1e-8
            )


class TestAgreement:
    """Errors at any time within the windows, relative to the largest value of each output, against rtol 1e-11."""

    SPANS = ((2.0, 26.0), (26.0, 50.0), (70.0, 120.0))
    OUTPUTS = ("Cp", "Cm", "mu_occupancy", "kappa_occupancy", "opioid_tone", "endorphin", "receptor_density")

    @pytest.mark.parametrize("name", library())
    def test_library(self, name):
        system, typical = library()[name]
        parameters, initial = random_people(system, typical, 4, 6)
        schedules = [random_schedule(system, typical, 5, seed) for seed in range(20, 24)]
        random = np.random.default_rng(7).uniform(0, 120, 3000)
        times = np.unique(np.append(random[[self.inside(time) for time in random]], RUN))
        given = parameters, initial, schedules, times, self.OUTPUTS
        exact = np.moveaxis(reference.solve(system, *given, 1e-11).values, -1, 1)[:, :, 1:-1]
        largest = np.abs(exact).max(axis=2, keepdims=True)
        windows = shared_windows(4, self.SPANS)
        for solver, rtol in ((native, 1e-6), (native, 1e-9), (reference, 1e-8)):
            pieces = solver.solve(system, *given[:3], RUN, self.OUTPUTS, rtol, windows=windows).pieces
            found = np.array([evaluate(pieces, person, times[1:-1]) for person in range(4)])
            assert np.max(np.abs(found - exact) / largest) < 10 * rtol

    def inside(self, time: float) -> bool:
        return any(start < time <= end for start, end in self.SPANS)

    def test_doses_that_saturate_at_once(self):
        """The occupancy rises within the first step after a dose: shorter pieces, as accurate as ever."""
        system, typical = library()["pet_pool"]
        depot = system.states.index("plasma.gut")
        schedule = [Event(24.0 * day, Kind.ADD, depot, 1e6) for day in range(4)]
        times = np.sort(24.0 + np.geomspace(1e-4, 23.9, 500))
        given = system, typical[None], np.array([system.initial]), [schedule]
        exact = reference.solve(*given, np.append(0.0, times), self.OUTPUTS, 1e-11).values[0, 1:].T
        pieces = native.solve(*given, RUN, self.OUTPUTS, windows=shared_windows(1, [(24.0, 48.0)])).pieces
        error = np.abs(evaluate(pieces, 0, times) - exact) / np.abs(exact).max(axis=1, keepdims=True)
        assert error.max() < 1e-5

    @pytest.mark.parametrize("solver", [native, reference])
    def test_stiff(self, solver):
        system = system_from("d/dt(x) = k*(cos(t) - x)\nd/dt(y) = x - y", {"k": 1.0}, {"x": 0.0, "y": 0.0})
        k, times = 1e5, np.linspace(0.5, 30, 3000)
        found = solve([], [(0.0, 30.0)], ("x",), solver, times=np.array([0.0, 30.0]), system=system, p=np.array([[k]]))
        exact = (k**2 * np.cos(times) + k * np.sin(times)) / (k**2 + 1)
        assert np.abs(evaluate(found.pieces, 0, times)[0] - exact).max() < 1e-5


@pytest.mark.parametrize("solver", [native, reference])
class TestEdges:
    DOSE = (Event(24.0, Kind.ADD, CENTRAL, 100.0),)

    def test_pieces_fill_the_window_and_neighbours_meet(self, solver):
        found = solve(self.DOSE, [(7.3, 55.1)], ("C",), solver)
        pieces = found.pieces
        assert pieces.values.shape == (1, len(pieces.start), len(NODES))
        assert [pieces.start[0], pieces.end[-1]] == [7.3, 55.1]
        assert pieces.start[1:].tolist() == pieces.end[:-1].tolist()
        jumps = pieces.start[1:][pieces.values[0, 1:, 0] - pieces.values[0, :-1, -1] > 1e-6]
        assert jumps.tolist() == [24.0]

    def test_a_window_shows_what_is_after_the_events_at_its_start_and_before_those_at_its_end(self, solver):
        schedule = [*self.DOSE, Event(48.0, Kind.ADD, CENTRAL, 1000.0)]
        pieces = solve(schedule, [(24.0, 48.0)], ("C",), solver).pieces
        assert pieces.values[0, 0, 0] == pytest.approx(2.0, rel=1e-12)
        assert pieces.values[0, -1, -1] == pytest.approx(2 * np.exp(-K * 24), abs=1e-7)

    def test_both_sides_of_a_dose_within_the_window(self, solver):
        schedule = [*self.DOSE, Event(25.0, Kind.ADD, CENTRAL, 50.0)]
        pieces = solve(schedule, [(24.0, 48.0)], ("C",), solver, rtol=1e-8).pieces
        (after,) = np.flatnonzero(pieces.start == 25.0)
        assert pieces.values[0, after - 1, -1] == pytest.approx(2 * np.exp(-K), rel=1e-7)
        assert pieces.values[0, after, 0] == pytest.approx(2 * np.exp(-K) + 1, rel=1e-7)
        assert evaluate(pieces, 0, np.array([25.0]))[0, 0] == pieces.values[0, after - 1, -1]

    def test_an_output_jumps_where_a_parameter_is_set(self, solver):
        schedule = [*self.DOSE, Event(30.0, Kind.SET, 2, 25.0)]
        pieces = solve(schedule, [(24.0, 48.0)], ("C",), solver, rtol=1e-8).pieces
        (after,) = np.flatnonzero(pieces.start == 30.0)
        assert pieces.values[0, after, 0] == pytest.approx(2 * pieces.values[0, after - 1, -1], rel=1e-7)

    def test_windows_that_touch(self, solver):
        whole = solve(self.DOSE, [(20.0, 40.0)], ("C",), solver).pieces
        halves = solve(self.DOSE, [(20.0, 30.0), (30.0, 40.0)], ("C",), solver).pieces
        assert 30.0 in halves.start
        times = np.linspace(20.5, 40.0, 400)
        np.testing.assert_allclose(evaluate(halves, 0, times), evaluate(whole, 0, times), atol=1e-6)

    def test_several_windows_within_one_step(self, solver):
        spans = [(100.0 + 0.01 * i, 100.005 + 0.01 * i) for i in range(5)]
        pieces = solve(self.DOSE, spans, ("C",), solver).pieces
        assert {start for start, _ in spans} <= set(pieces.start.tolist())
        assert {end for _, end in spans} <= set(pieces.end.tolist())
        assert (pieces.end - pieces.start).sum() == pytest.approx(0.025, rel=1e-9)

    def test_the_whole_run_with_an_event_at_each_end(self, solver):
        schedule = [Event(0.0, Kind.ADD, CENTRAL, 100.0), Event(120.0, Kind.ADD, CENTRAL, 100.0)]
        pieces = solve(schedule, [(0.0, 120.0)], ("C",), solver).pieces
        assert pieces.values[0, 0, 0] == pytest.approx(2.0, rel=1e-12)
        assert abs(pieces.values[0, -1, -1]) < 1e-6

    def test_a_person_may_have_no_window(self, solver):
        windows = Windows(np.array([0, 0]), np.array([0, 1]), np.array([3.0]), np.array([4.0]))
        given = ORAL, np.tile(TYPICAL, (2, 1)), np.zeros((2, 2)), [self.DOSE] * 2, RUN, ["C"]
        pieces = solver.solve(*given, windows=windows).pieces
        assert pieces.first[0] == pieces.last[0] == pieces.first[1] == 0
        assert pieces.last[1] == len(pieces.start) > 0

    def test_a_window_starts_with_the_run_of_its_person(self, solver):
        grids = Grids(np.array([0, 2]), np.array([2, 4]), np.array([0.0, 10.0, 90.0, 120.0]))
        windows = Windows(np.array([0, 1]), np.array([1, 2]), np.array([0.0, 90.0]), np.array([10.0, 120.0]))
        given = ORAL, np.tile(TYPICAL, (2, 1)), np.ones((2, 2)), [()] * 2, grids, ["C"]
        pieces = solver.solve(*given, windows=windows).pieces
        assert pieces.start[pieces.first].tolist() == [0.0, 90.0]
        np.testing.assert_allclose(
            evaluate(pieces, 1, np.array([100.0])), evaluate(pieces, 0, np.array([10.0])), atol=1e-7
        )


@pytest.mark.parametrize("solver", [native, reference])
class TestFailures:
    # the root is not a number from 12 to 18 h, between the samples
    SYSTEM = system_from("root = (x + a)^0.5\nd/dt(x) = -pi/12*sin(pi*t/12)", {"a": 2.0}, {"x": 1.0})
    WINDOWS = shared_windows(3, [(0.0, 24.0)])

    def solve(self, solver, windows, initial=(1.0, 1.0, 1.0)):
        p, y = np.array([[2.0], [0.5], [2.0]]), np.array(initial)[:, None]
        return solver.solve(self.SYSTEM, p, y, [()] * 3, np.array([0.0, 24.0]), ["root"], windows=windows)

    def test_an_output_without_a_value_within_a_window_fails_its_person(self, solver):
        assert self.solve(solver, None).status.tolist() == [0, 0, 0]
        found = self.solve(solver, self.WINDOWS)
        assert found.status.tolist()[::2] == [Status.SOLVED] * 2
        assert found.status[1] in (Status.NOT_FINITE, Status.BAD_EQUATION)
        assert np.isnan(found.values[1]).all()
        assert found.pieces.first[1] == found.pieces.last[1] == found.pieces.first[2]
        assert own(found.pieces, 0) == own(found.pieces, 2)

    def test_a_person_that_cannot_be_solved_has_no_pieces(self, solver):
        found = self.solve(solver, self.WINDOWS, (np.nan, 1.0, 1.0))
        assert found.status[0] != Status.SOLVED
        assert found.pieces.last[0] == 0

    @pytest.mark.parametrize(
        ("spans", "said"),
        [
            ([(-1.0, 5.0)], "outside the run, which is from 0 to 24 h: -1 to 5 h"),
            ([(1.0, 5.0), (6.0, 24.5)], "outside the run"),
            ([(5.0, 5.0)], "end after it starts"),
            ([(5.0, 4.0)], "end after it starts"),
            ([(np.nan, 4.0)], "end after it starts"),
            ([(1.0, np.inf)], "finite"),
            ([(8.0, 9.0), (1.0, 2.0)], "ascending"),
            ([(1.0, 3.0), (2.0, 4.0)], "overlap"),
        ],
    )
    def test_bad_windows_are_refused(self, solver, spans, said):
        with pytest.raises(ValueError, match=said):
            self.solve(solver, shared_windows(3, spans))

    def test_windows_of_others_are_refused(self, solver):
        with pytest.raises(ValueError, match="windows of 2 people"):
            self.solve(solver, shared_windows(2, [(0.0, 24.0)]))
        with pytest.raises(ValueError, match="not among those"):
            self.solve(solver, Windows(np.zeros(3, int), np.array([1, 1, 2]), np.array([0.0]), np.array([1.0])))

    def test_between_people_windows_may_go_back(self, solver):
        windows = Windows(np.arange(3), np.arange(1, 4), np.array([9.0, 5.0, 1.0]), np.array([12.0, 6.0, 2.0]))
        given = np.full((3, 1), 2.0), np.ones((3, 1)), [()] * 3, np.array([0.0, 24.0]), ["root"]
        pieces = solver.solve(self.SYSTEM, *given, windows=windows).pieces
        assert pieces.start[pieces.first].tolist() == [9.0, 5.0, 1.0]


def test_times_outside_the_windows_are_refused():
    pieces = solve([], [(3.0, 5.0), (8.0, 9.0)]).pieces
    for time in (2.9, 6.0, 9.1):
        with pytest.raises(ValueError, match="outside the windows"):
            evaluate(pieces, 0, np.array([4.0, time]))
    assert evaluate(pieces, 0, np.array([])).shape == (1, 0)


def test_no_people_and_no_outputs():
    given = ORAL, np.zeros((0, 3)), np.zeros((0, 2)), [], RUN, ["C"]
    none = native.solve(*given, windows=shared_windows(0, [(1.0, 2.0)]))
    assert none.pieces.values.shape == (1, 0, len(NODES))
    for solver in (native, reference):
        assert solve([], [(1.0, 2.0)], (), solver).pieces.values.shape[::2] == (0, len(NODES))
