"""Comparisons, min, max and abs on the time: where they change, and that no solver steps over them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from systems import library, system_from

from ldnsim.engine import native, reference
from ldnsim.engine.cycles import Cycles
from ldnsim.engine.events import Event, Kind, Status
from ldnsim.engine.grids import Grids
from ldnsim.engine.orbit import periodic_states
from ldnsim.engine.pieces import shared_windows
from ldnsim.engine.schedules import no_events, pack
from ldnsim.engine.steady import steady_states
from ldnsim.engine.stops import with_stops
from ldnsim.engine.switches import switched

SOLVERS = pytest.mark.parametrize("solve", [native.solve, reference.solve], ids=["native", "reference"])
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]  # shrinking would take minutes
many = settings(max_examples=40, deadline=None, print_blob=True, phases=PHASES)
few = settings(max_examples=15, deadline=None, print_blob=True, phases=PHASES)
DAY = 24.0
NOTHING = np.zeros((1, 0))


def stops_of(text: str, parameters: dict[str, float] | None = None, end: float = 100.0, start: float = 0.0):
    """(first values of the conditions, [(time, condition, value)], reasons) of d/dt(R) = x."""
    system = system_from(f"{text}\nd/dt(R) = x", parameters or {}, {"R": 0.0})
    p = np.array([list((parameters or {}).values())]).reshape(1, -1)
    found = with_stops(system, p, no_events(1), np.array([start]), np.array([end]))
    first = found.parameters[0, p.shape[1] :].tolist()
    [events] = list(found.schedules)
    return first, [(e.time, e.index - p.shape[1], e.value) for e in events], found.unresolved


def decayed(t: np.ndarray, begin: np.ndarray, end: np.ndarray, k: float) -> np.ndarray:
    """R(t) of d/dt(R) = [begin <= t < end] - k*R from 0, summed over windows: begin, end (windows,)."""
    t = np.asarray(t)[:, None]
    reached = np.clip(t, begin, end)
    late = np.maximum(t, begin)
    return ((np.exp(-k * (late - reached)) - np.exp(-k * (late - begin))) / k).sum(axis=1)


class TestPlaces:
    @pytest.mark.parametrize("operation", ["<", "<=", ">", ">="])
    def test_of_a_line_are_exact(self, operation):
        first, changes, _ = stops_of(f"x = ifelse(3*t {operation} 150, 1, 0)")
        assert changes == [(50.0, 0, 1.0 - first[0])]
        assert first == [float("<" in operation)]

    @given(phase=st.floats(-30, 30), width=st.floats(1 / 60, 12))
    @many
    def test_of_waves_are_those_of_the_arc_cosine(self, phase, width):
        q = {"q": phase, "c": math.cos(math.pi * width / DAY)}
        _, changes, _ = stops_of("x = ifelse(cos(2*pi*(t - q)/day) > c, 1, 0)", q, end=72.0)
        expected = sorted((phase + s * width / 2 + day * DAY, 0, float(s < 0)) for s in (-1, 1) for day in range(-3, 6))
        expected = [change for change in expected if 0 < change[0] < 72]
        assert [change[1:] for change in changes] == [change[1:] for change in expected]
        np.testing.assert_allclose([c[0] for c in changes], [c[0] for c in expected], atol=1e-9 / width)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("ifelse(1/(t - 5) > 0, 1, 0)", [5]),
            ("ifelse(log(t - 5) > 1, 1, 0)", [5 + math.e]),
            ("ifelse(sqrt(abs(t - 5)) > 1, 1, 0)", [4, 5, 6]),
            (
                "ifelse(exp(-((t - 50)/0.001)^2) > 0.5, 1, 0)",
                [50 - 1e-3 * math.log(2) ** 0.5, 50 + 1e-3 * math.log(2) ** 0.5],
            ),
            ("ifelse(tanh(t - 7) > 0.5, 1, 0)", [7 + math.atanh(0.5)]),
            ("ifelse((t - 5)^3 > 8, 1, 0)", [7]),
            ("ifelse((t - 5)^2.5 > 32, 1, 0)", [9]),
            ("ifelse(2^(t/10) > 8, 1, 0)", [30]),
            ("ifelse(t^2 - 30*t + 200 < 0, 1, 0)", [10, 20]),
            ("ifelse(10 + t*cos(t) < 0, 1, 0)", None),
            ("ifelse(sin(t)*exp(-t/20) + 0.1*cos(3*t) > 0.2, 1, 0)", None),
        ],
    )
    def test_of_anything(self, text, expected):
        first, changes, lost = stops_of(f"x = {text}")
        assert not lost
        times = [change[0] for change in changes]
        if expected is not None:
            np.testing.assert_allclose(times, expected, rtol=1e-12)
            return
        # against a fine scan
        condition = text.removeprefix("ifelse(").removesuffix(", 1, 0)")
        names = {"t": np.linspace(0, 100, 1_000_001), "sin": np.sin, "cos": np.cos, "exp": np.exp}
        holds = eval(condition, names)
        assert first == [float(holds[0])]
        np.testing.assert_allclose(times, names["t"][1:][holds[1:] != holds[:-1]], atol=1.1e-4)

    @pytest.mark.parametrize(
        "text", ["(t - 5)^2 > 0", "cos(2*pi*t/day) > 1", "(t - 5)^2 < 0", "t*t - 10*t + 25 >= 0", "log(-t - 1) > 0"]
    )
    def test_what_only_touches_changes_nothing_for_long(self, text):
        _, changes, lost = stops_of(f"x = ifelse({text}, 1, 0)")
        assert not lost
        assert not changes or changes[-1][0] - changes[0][0] < 1e-5

    @pytest.mark.parametrize(("end", "count"), [(24 * 365.0, 2 * 365), (1000 * 24.0, 2000)])
    def test_runs_may_be_long(self, end, count):
        text = "x = ifelse(cos(2*pi*(t - 3)/day) > 0.999, 1, 0)"
        assert len(stops_of(text, end=end)[1]) == count
        drifting = stops_of(text.replace("day", "q"), {"q": DAY * (1 + 1e-9)}, end=end)[1]  # not told by the day
        assert len(drifting) == count

    @pytest.mark.parametrize("start", [2.5, 3.0, 27.0, 26.9, 100.0])
    def test_a_run_may_start_anywhere(self, start):
        cut = math.cos(math.pi / 24)
        first, changes, _ = stops_of(f"x = ifelse(cos(2*pi*(t - 3)/day) > {cut!r}, 1, 0)", start=start, end=start + 30)
        clock = start % DAY
        assert first == [float(2.5 <= clock < 3.5)]
        assert all(start < change[0] < start + 30 for change in changes)

    def test_what_changes_too_often_is_told(self):
        for text in ("ifelse(sin(1e6*t) > 0, 1, 0)", "ifelse(sin(t)^2 + cos(t)^2 > 1, 1, 0)"):
            *_, lost = stops_of(f"x = {text}")
            assert "comparison on the time in x changes too often" in lost[0]

    def test_equations_without_one_stay_the_same_object(self):
        for system, _ in library().values():
            assert switched(system) is None
        system = system_from("x = ifelse(R > q, min(q, 3), abs(q))\nd/dt(R) = x - R*t", {"q": 1.0}, {"R": 0.0})
        p, events, at = np.ones((1, 1)), no_events(1), np.zeros(1)
        found = with_stops(system, p, events, at, at + 1)
        assert found[:3] == (system, p, events)
        assert found.system is system
        assert found.parameters is p


class TestWindows:
    """Closed forms, within 30 * rtol of the largest value."""

    @SOLVERS
    def test_a_window_between_doses(self, solve):
        system = system_from("on = ifelse(t >= 50, ifelse(t < 55, 1, 0), 0)\nd/dt(R) = 100*on - 0.1*R", {}, {"R": 0.0})
        doses = [Event(time, Kind.ADD, 0, 0.0) for time in (0.0, 24.0, 72.0, 120.0)]
        found = solve(system, NOTHING, np.zeros((1, 1)), [doses], np.array([0, 50.0, 72.0, 130.0]), ["R", "on"])
        assert found.status.tolist() == [Status.SOLVED]
        expected = 100 * decayed(np.array([0, 50.0, 72.0, 130.0]), np.array([50.0]), np.array([55.0]), 0.1)
        assert expected[2] == pytest.approx(71.88, abs=1e-2)
        np.testing.assert_allclose(found.values[0, :, 0], expected, atol=3e-5 * 400)
        assert found.values[0, :, 1].tolist() == [0, 0, 0, 0]  # at a stop, what was before it

    @given(
        windows=st.lists(st.tuples(st.floats(0.01, 300), st.floats(1 / 60, 12)), min_size=1, max_size=4),
        k=st.floats(1e-3, 5),
        doses=st.lists(st.tuples(st.floats(0.01, 300), st.just(0.0) | st.floats(1e-9, 10)), max_size=5),
        literal=st.booleans(),
        seed=st.integers(0, 99),
    )
    @many
    def test_any_windows_and_doses(self, windows, k, doses, literal, seed):
        begin = np.array([window[0] for window in windows])
        end = begin + [window[1] for window in windows]
        bounds = {f"{name}{i}": value for i in range(len(windows)) for name, value in (("a", begin[i]), ("b", end[i]))}
        text = " + ".join(f"ifelse(t >= a{i}, ifelse(t < b{i}, 1, 0), 0)" for i in range(len(windows)))
        if literal:
            for name, value in bounds.items():
                text = text.replace(name, repr(float(value)))
        p = {"k": k} if literal else {"k": k, **bounds}
        system = system_from(f"d/dt(R) = {text} - k*R", p, {"R": 0.0})
        schedule = sorted((Event(time, Kind.ADD, 0, amount) for time, amount in doses), key=lambda event: event.time)
        times = np.sort(np.append(np.random.default_rng(seed).uniform(0, 320, 20), [0.0, 320.0]))
        expected = decayed(times, begin, end, k)
        expected += sum(
            (np.where(times > time, amount * np.exp(-k * np.maximum(times - time, 0)), 0) for time, amount in doses),
            start=0 * times,
        )
        one = np.array([list(p.values())])
        for solve, rtol in ((native.solve, 1e-6), (reference.solve, 1e-8)):
            found = solve(system, one, np.zeros((1, 1)), [schedule], times, ["R"], rtol)
            assert found.status.tolist() == [Status.SOLVED], found.reason
            largest = max(expected.max(), (1 - math.exp(-k / 60)) / k)
            np.testing.assert_allclose(found.values[0, :, 0], expected, rtol=0, atol=30 * rtol * largest + 1e-8)

    @given(phase=st.floats(0, 24), width=st.floats(1 / 60, 12), k=st.floats(0.02, 5))
    @few
    def test_daily_windows_of_a_drug_free_day_and_of_dosed_ones(self, phase, width, k):
        """On the drug-free orbit every day is the first, whatever restarts the solver."""
        p = {"q": phase, "c": math.cos(math.pi * width / DAY), "k": k}
        system = system_from("d/dt(R) = ifelse(cos(2*pi*(t - q)/day) > c, 1, 0) - k*R", p, {"R": 0.0})
        one, times = np.array([list(p.values())]), np.linspace(0, 96, 97)
        start, status, reason = periodic_states(system, one)
        assert status[0] == Status.SOLVED, reason
        openings = phase - width / 2 + DAY * np.arange(-math.ceil(800 / k / DAY) - 3, 6)
        expected = decayed(times, openings, openings + width, k)
        doses = [Event(time, Kind.ADD, 0, 0.0) for time in np.arange(0.0, 96.0, 5.0)]
        for schedule in ((), doses):
            found = native.solve(system, one, start, [schedule], times, ["R"])
            np.testing.assert_allclose(found.values[0, :, 0], expected, rtol=0, atol=3e-5 * expected.max())

    def test_people_with_windows_of_their_own(self):
        rng = np.random.default_rng(5)
        text = "d/dt(R) = ifelse(t >= a, ifelse(t < a + w, 1, 0), 0) + ifelse(cos(2*pi*(t - a)/day) > c, 1, 0) - k*R"
        system = system_from(text, {"a": 0.0, "w": 0.0, "c": 0.0, "k": 0.0}, {"R": 0.0})
        p = np.column_stack(
            [rng.uniform(0, 90, 60), rng.uniform(0.02, 3, 60), rng.uniform(0.9, 1, 60), rng.uniform(0.1, 2, 60)]
        )
        schedules = [
            [Event(time, Kind.ADD, 0, 1.0) for time in np.sort(rng.uniform(0, 90, rng.integers(0, 4)))]
            for _ in range(60)
        ]
        times, y = np.linspace(0, 100, 41), np.zeros((60, 1))
        whole = native.solve(system, p, y, schedules, times, ["R"])
        exact = reference.solve(system, p, y, schedules, times, ["R"], 1e-10)
        np.testing.assert_allclose(whole.values, exact.values, rtol=0, atol=3e-5)
        for person in (0, 17, 59):
            alone = native.solve(system, p[[person]], y[:1], [schedules[person]], times, ["R"])
            assert alone.values[0].tobytes() == whole.values[person].tobytes()
        threaded = native.solve(system, p, y, schedules, times, ["R"], threads=2)
        assert threaded.values.tobytes() == whole.values.tobytes()
        order = rng.permutation(60)
        shuffled = native.solve(system, p[order], y, pack([schedules[i] for i in order]), times, ["R"])
        assert shuffled.values.tobytes() == whole.values[order].tobytes()

    @SOLVERS
    def test_each_person_has_a_run_of_its_own(self, solve):
        system = system_from("d/dt(R) = ifelse(t >= 10, 1, 0)", {}, {"R": 0.0})
        grids = Grids(np.array([0, 2, 4]), np.array([2, 4, 6]), np.array([0.0, 9.0, 8.0, 12.0, 10.0, 15.0]))
        found = solve(system, np.zeros((3, 0)), np.zeros((3, 1)), [()] * 3, grids, ["R"])
        np.testing.assert_allclose(found.values[:, 0], [0, 0, 0, 2, 0, 5], atol=1e-9)

    @SOLVERS
    def test_a_threshold_may_change_on_the_way(self, solve):
        """The condition is asked anew when its parameter is set: open from 10 to 20 h, and from 40 h on."""
        system = system_from("d/dt(R) = ifelse(t >= a, 1, 0)", {"a": 10.0}, {"R": 0.0})
        events = [Event(20.0, Kind.SET, 0, 40.0), Event(60.0, Kind.SET, 0, 50.0)]
        found = solve(system, np.array([[10.0]]), np.zeros((1, 1)), [events], np.array([0, 30.0, 45.0, 70.0]), ["R"])
        np.testing.assert_allclose(found.values[0, :, 0], [0, 10, 15, 40], rtol=1e-7)


class TestOtherWords:
    @SOLVERS
    @given(a=st.floats(1, 90), b=st.floats(1, 90))
    @few
    def test_min_max_and_abs(self, solve, a, b):
        p = {"a": a, "b": b}
        text = "d/dt(u) = max(t - a, 0)\nd/dt(v) = abs(t - b)\nd/dt(w) = min(t, a, b)\nd/dt(z) = max(0, min(1, t - a))"
        system = system_from(text, p, dict.fromkeys("uvwz", 0.0))
        found = solve(system, np.array([[a, b]]), np.zeros((1, 4)), [()], np.array([0.0, 100.0]), ["u", "v", "w", "z"])
        least = min(a, b)
        ramp = min(1.0, 100 - a)
        expected = [
            (100 - a) ** 2 / 2,
            (b**2 + (100 - b) ** 2) / 2,
            least**2 / 2 + least * (100 - least),
            ramp**2 / 2 + max(0, 99 - a),
        ]
        np.testing.assert_allclose(found.values[0, -1], expected, rtol=1e-5)

    @SOLVERS
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("ifelse(ifelse(t > 10, t, 2*t) >= 18, 1, 0)", 1 + 82),  # from 9 to 10 h, and from 18 h on
            ("ifelse(t > 10, ifelse(t < 20, ifelse(sin(2*pi*t) > 0, 1, 0), 2), 3)", 30 + 5 + 160),
            ("ifelse(max(t, 50) - 50 > 0, 1, 0)", 50),
            ("ifelse(abs(t - 50) < min(3, 4), 1, 0)", 6),
            ("ifelse(2 < 3, ifelse(t < 1, 5, 0), 7)", 5),
            ("ifelse(t > 3, ifelse(t > 3, 1, 100), ifelse(t <= 3, 0, 100))", 97),
            ("step*step\nstep = ifelse(late > 0.5, 2, 0)\nlate = ifelse(t >= 90, 1, 0)", 40),
        ],
    )
    def test_within_each_other(self, solve, text, expected):
        found = solve(
            system_from(f"d/dt(R) = {text}", {}, {"R": 0.0}),
            NOTHING,
            np.zeros((1, 1)),
            [()],
            np.array([0.0, 100.0]),
            ["R"],
        )
        assert found.values[0, -1, 0] == pytest.approx(expected, rel=1e-6)

    @SOLVERS
    def test_both_sides_of_a_jump_are_within_windows(self, solve):
        system = system_from("out = ifelse(t >= 7, 3, 1)\nd/dt(R) = out", {}, {"R": 0.0})
        windows = shared_windows(1, [(0.0, 10.0)])
        pieces = solve(system, NOTHING, np.zeros((1, 1)), [()], np.array([0.0, 10.0]), ["out"], windows=windows).pieces
        assert 7.0 in pieces.end
        assert np.all(pieces.values[0][pieces.end <= 7] == 1)
        assert np.all(pieces.values[0][pieces.start >= 7] == 3)

    @SOLVERS
    def test_without_states(self, solve):
        system = system_from("out = ifelse(t >= 7, 3, 1)", {}, {})
        found = solve(system, NOTHING, np.zeros((1, 0)), [()], np.array([0.0, 6.9, 7.1, 9.0]), ["out"])
        assert found.values[0, :, 0].tolist() == [1, 1, 3, 3]

    @SOLVERS
    def test_who_cannot_be_followed_is_told_and_others_keep_their_bits(self, solve):
        system = system_from("d/dt(R) = ifelse(sin(w*t) > 0, 1, 0)", {"w": 1.0}, {"R": 0.0})
        p, times = np.array([[1.0], [1e7], [2.0]]), np.array([0.0, 20.0])
        found = solve(system, p, np.zeros((3, 1)), [()] * 3, times, ["R"], windows=shared_windows(3, [(0.0, 5.0)]))
        assert found.status.tolist() == [Status.SOLVED, Status.BAD_EQUATION, Status.SOLVED]
        assert "comparison on the time in d/dt(R) changes too often" in found.reason[1]
        assert np.isnan(found.values[1]).all()
        assert found.pieces.first[1] == found.pieces.last[1]
        alone = solve(system, p[[2]], np.zeros((1, 1)), [()], times, ["R"])
        assert alone.values[0].tobytes() == found.values[2].tobytes()


@pytest.mark.parametrize("solver", ["native", "reference"])
def test_steady_state_of_a_daily_window(solver):
    """A dose a day and an hour of production a day: closed form of both."""
    p = {"k": 0.05, "c": math.cos(math.pi / 24)}
    system = system_from("d/dt(R) = ifelse(cos(2*pi*(t - 3)/day) > c, 10, 0) - k*R", p, {"R": 0.0})
    schedule = pack([[Event(8.0, Kind.ADD, 0, 100.0)]])
    cycles = Cycles(np.array([list(p.values())]), schedule, np.zeros(1), np.full(1, DAY))
    found = steady_states(system, cycles, solver=solver)
    days = DAY * np.arange(-60, 0)
    dosed = 100 * np.exp(0.05 * (days + 8.0)).sum()
    made = 10 * decayed(np.zeros(1), days + 2.5, days + 3.5, 0.05)[0]
    assert found.state[0, 0] == pytest.approx(dosed + made, rel=1e-6)
