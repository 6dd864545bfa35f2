"""The native solver as its callers see it: agreement with the reference, bits, failures, bad input, the cache."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from systems import library, random_people, random_schedule, system_from

from ldnsim.engine import choose, native, reference
from ldnsim.engine.compiler import cache
from ldnsim.engine.events import Event, Kind, Status
from ldnsim.engine.orbit import periodic_states
from ldnsim.engine.schedules import pack
from ldnsim.foundation.errors import LdnsimError

OUTPUTS = ["Cp", "Cm", "mu_occupancy", "endorphin", "opioid_tone", "receptor_density"]
TIMES = np.sort(np.append(np.random.default_rng(3).uniform(0, 120, 100), [0.0, 120.0]))


class TestAgreement:
    """Errors relative to the largest value of each output: at most 30 * rtol, and falling with it."""

    @pytest.mark.parametrize("name", library())
    @pytest.mark.parametrize("seed", range(3))
    def test_native_is_the_reference_to_tolerance(self, name, seed):
        system, typical = library()[name]
        parameters, initial = random_people(system, typical, 2, seed)
        schedules = [random_schedule(system, typical, 5, 10 * seed + i) for i in range(2)]
        exact = reference.solve(system, parameters, initial, schedules, TIMES, OUTPUTS, 1e-11)
        assert exact.status.tolist() == [Status.SOLVED] * 2
        largest = np.abs(exact.values).max(axis=1, keepdims=True) + 1e-6
        errors = []
        for rtol in (1e-4, 1e-6, 1e-8):
            found = native.solve(system, parameters, initial, schedules, TIMES, OUTPUTS, rtol)
            assert found.status.tolist() == [Status.SOLVED] * 2, found.reason
            errors.append(np.max(np.abs(found.values - exact.values) / largest))
            assert errors[-1] < 30 * rtol
        assert errors[2] < errors[1] < errors[0]

    def test_stiff(self):
        system = system_from("d/dt(x) = k*(cos(t) - x)\nd/dt(y) = x - y", {"k": 1.0}, {"x": 0.0, "y": 0.0})
        p, y, times = np.array([[1e3], [1e6]]), np.zeros((2, 2)), np.linspace(0, 30, 31)
        exact = reference.solve(system, p, y, [()] * 2, times, ["x", "y"], 1e-11)
        found = native.walk(system, p, y, [()] * 2, times, ["x", "y"], 1e-6)
        assert np.abs(found.values - exact.values).max() < 3e-5
        assert found.tries.max() < 400


@pytest.fixture(scope="module")
def crowd():
    """97 people with schedules of their own, and their result as one batch in one thread."""
    system, typical = library()["pet_pool"]
    parameters, initial = random_people(system, typical, 97, 8)
    schedules = [random_schedule(system, typical, 5, seed) for seed in range(97)]
    whole = native.solve(system, parameters, initial, schedules, TIMES, OUTPUTS, threads=1)
    assert set(whole.status.tolist()) == {Status.SOLVED}
    return system, parameters, initial, schedules, whole


class TestBits:
    def some(self, crowd, people, **options):
        system, parameters, initial, schedules, _ = crowd
        return native.solve(
            system, parameters[people], initial[people], [schedules[i] for i in people], TIMES, OUTPUTS, **options
        )

    @pytest.mark.parametrize("person", [0, 13, 96])
    def test_alone(self, crowd, person):
        assert self.some(crowd, [person]).values[0].tobytes() == crowd[-1].values[person].tobytes()

    def test_permuted(self, crowd):
        order = np.random.default_rng(1).permutation(97)
        found = self.some(crowd, order)
        assert found.values.tobytes() == crowd[-1].values[order].tobytes()

    @pytest.mark.parametrize("size", [1, 7, 50])
    def test_in_chunks(self, crowd, size):
        pieces = [self.some(crowd, list(range(start, min(start + size, 97)))).values for start in range(0, 97, size)]
        assert np.concatenate(pieces).tobytes() == crowd[-1].values.tobytes()

    @pytest.mark.parametrize("threads", [2, 3, 16])
    def test_in_threads(self, crowd, threads):
        assert self.some(crowd, list(range(97)), threads=threads).values.tobytes() == crowd[-1].values.tobytes()

    def test_schedules_may_come_packed(self, crowd):
        system, parameters, initial, schedules, whole = crowd
        found = native.solve(system, parameters, initial, pack(schedules), TIMES, OUTPUTS)
        assert found.values.tobytes() == whole.values.tobytes()
        assert [tuple(s) for s in pack(schedules)] == schedules

    def test_other_outputs_do_not_matter(self, crowd):
        system, parameters, initial, schedules, whole = crowd
        found = native.solve(system, parameters, initial, schedules, TIMES, ["mu_occupancy"])
        np.testing.assert_allclose(found.values[..., 0], whole.values[..., 2], rtol=1e-13)

    def test_orbit(self, crowd):
        system, parameters = crowd[:2]
        states, status, _ = periodic_states(system, parameters)
        assert set(status.tolist()) == {Status.SOLVED}
        for person in (0, 50):
            assert periodic_states(system, parameters[[person]])[0].tobytes() == states[person].tobytes()
        again = native.walk(system, parameters, states, [()] * 97, np.array([0.0, 24.0]), [], 1e-11).ends
        np.testing.assert_allclose(again, states, rtol=1e-7, atol=1e-10)


def test_orbit_of_both_solvers_is_the_same():
    for system, typical in library().values():
        parameters, _ = random_people(system, typical, 2, 9)
        native_states, reference_states = (
            periodic_states(system, parameters, solver=name)[0] for name in ("native", "reference")
        )
        np.testing.assert_allclose(native_states, reference_states, rtol=1e-6, atol=1e-9)


class TestFailures:
    SYSTEM = system_from(
        "d/dt(x) = k*x^2 + log(q)\nd/dt(z) = sin(w*t)", {"k": 0.1, "q": 1.0, "w": 1.0}, {"x": 0.1, "z": 0.0}
    )
    GOOD = (0.1, 1.0, 1.0)
    TIMES = np.linspace(0, 50, 11)

    def solve(self, *people, **options):
        return native.solve(
            self.SYSTEM,
            np.array(people),
            np.tile([0.1, 0.0], (len(people), 1)),
            [()] * len(people),
            self.TIMES,
            ["x", "z"],
            **options,
        )

    @pytest.mark.parametrize(
        ("bad", "status"),
        [
            ((np.nan, 1.0, 1.0), {Status.NOT_FINITE}),
            ((0.1, -1.0, 1.0), {Status.NOT_FINITE}),
            ((0.1, 0.0, 1.0), {Status.NOT_FINITE}),
            ((np.inf, 1.0, 1.0), {Status.NOT_FINITE}),
            ((1.0, 1.0, 1.0), {Status.NOT_FINITE, Status.STEP_TOO_SMALL}),  # runs to infinity at t = 10
            ((0.1, 1.0, 1e6), {Status.TOO_MANY_STEPS}),
        ],
    )
    def test_neighbours_keep_their_bits(self, bad, status):
        alone = self.solve(self.GOOD).values[0].tobytes()
        found = self.solve(*[self.GOOD] * 9, bad, *[self.GOOD] * 20)
        assert found.status[9] in status
        assert found.reason[9]
        assert np.isnan(found.values[9]).all()
        others = [i for i in range(30) if i != 9]
        assert set(found.status[others].tolist()) == {Status.SOLVED}
        assert all(found.values[i].tobytes() == alone and not found.reason[i] for i in others)

    def test_initial_states_that_are_not_finite(self):
        found = native.solve(
            self.SYSTEM, np.array([self.GOOD] * 2), np.array([[np.nan, 0.0], [0.1, 0.0]]), [()] * 2, self.TIMES, ["x"]
        )
        assert found.status.tolist() == [Status.NOT_FINITE, Status.SOLVED]

    def test_an_event_that_is_not_finite(self):
        schedules = [(Event(5.0, Kind.ADD, 0, np.nan),), ()]
        found = native.solve(
            self.SYSTEM, np.array([self.GOOD] * 2), np.array([[0.1, 0.0]] * 2), schedules, self.TIMES, ["x"]
        )
        assert found.status.tolist() == [Status.NOT_FINITE, Status.SOLVED]


class TestBadInput:
    SYSTEM = TestFailures.SYSTEM
    P, Y = np.array([[0.1, 1.0, 1.0]]), np.array([[0.1, 0.0]])

    @pytest.mark.parametrize("solve", [native.solve, reference.solve])
    @pytest.mark.parametrize(
        ("schedule", "times", "rtol", "said"),
        [
            ([Event(2.0, Kind.RESET), Event(1.0, Kind.RESET)], [0, 3], 1e-6, "ascending"),
            ([Event(np.nan, Kind.RESET)], [0, 3], 1e-6, "finite"),
            ([Event(-1.0, Kind.RESET)], [0, 3], 1e-6, "before the first sample"),
            ([Event(1.0, Kind.ADD, 2, 1.0)], [0, 3], 1e-6, "index"),
            ([Event(1.0, Kind.SET, 3, 1.0)], [0, 3], 1e-6, "index"),
            ([Event(1.0, Kind.RATE, -1, 1.0)], [0, 3], 1e-6, "index"),
            ([Event(1.0, 7, 0, 1.0)], [0, 3], 1e-6, "kind"),
            ([], [3, 0], 1e-6, "ascending"),
            ([], [0, 0], 1e-6, "ascending"),
            ([], [], 1e-6, "at least one"),
            ([], [0, np.nan], 1e-6, "finite"),
            ([], [0, np.inf], 1e-6, "finite"),
            ([], [0, 3], 0.5, "out of range"),
            ([], [0, 3], 0.0, "out of range"),
            ([], [0, 3], np.nan, "out of range"),
        ],
    )
    def test_refused(self, solve, schedule, times, rtol, said):
        with pytest.raises(ValueError, match=said):
            solve(self.SYSTEM, self.P, self.Y, [schedule], np.array(times, float), ["x"], rtol)

    def test_arrays_that_do_not_match_are_refused(self):
        with pytest.raises(ValueError, match="do not match"):
            native.solve(self.SYSTEM, self.P, self.Y, [(), ()], np.zeros(1), ["x"])
        with pytest.raises(ValueError, match="do not match"):
            native.solve(self.SYSTEM, self.P[:, :2], self.Y, [()], np.zeros(1), ["x"])

    def test_no_people_is_an_empty_result(self):
        found = native.solve(self.SYSTEM, np.zeros((0, 3)), np.zeros((0, 2)), [], np.array([0.0, 1.0]), ["x", "z"])
        assert found.values.shape == (0, 2, 2)
        assert len(found.status) == len(found.reason) == 0
        assert periodic_states(self.SYSTEM, np.zeros((0, 3)))[0].shape == (0, 2)

    def test_no_states_is_algebra(self):
        system = system_from("out = a*t", {"a": 2.0}, {})
        schedule = [Event(1.5, Kind.SET, 0, 10.0)]
        found = native.solve(
            system, np.array([[2.0]]), np.zeros((1, 0)), [schedule], np.array([0.0, 1.0, 2.0, 1e6]), ["out"]
        )
        np.testing.assert_allclose(found.values[0, :, 0], [0, 2, 20, 1e7])

    def test_no_outputs(self):
        assert native.solve(self.SYSTEM, self.P, self.Y, [()], np.array([0.0, 1.0]), []).values.shape == (1, 2, 0)


class TestCache:
    SYSTEM = TestFailures.SYSTEM

    @pytest.fixture(autouse=True)
    def place(self, tmp_path, monkeypatch):
        monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "kept"))
        monkeypatch.setattr(cache, "_warned", False)
        return tmp_path / "kept"

    def compile(self) -> bytes:
        """Compile as a new process would, and solve."""
        native._kept.clear()
        return native.solve(
            self.SYSTEM, np.array([[0.1, 1.0, 1.0]]), np.array([[0.1, 0.0]]), [()], np.linspace(0, 9, 10), ["x", "z"]
        ).values.tobytes()

    def count(self, monkeypatch) -> list[int]:
        made = []
        monkeypatch.setattr(native, "assemble", lambda text, real=native.assemble: made.append(1) or real(text))
        return made

    def test_second_time_comes_from_disk_with_the_same_bits(self, place, monkeypatch):
        made = self.count(monkeypatch)
        first = self.compile()
        assert self.compile() == first
        assert len(made) == 1
        assert len(list(place.iterdir())) == 1

    @pytest.mark.parametrize(
        "damage", [lambda b: b[:100], lambda b: b"", lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b"x" * len(b)]
    )
    def test_a_damaged_file_is_ignored_and_written_anew(self, place, monkeypatch, damage):
        first = self.compile()
        (file,) = place.iterdir()
        whole = file.read_bytes()
        file.write_bytes(damage(whole))
        made = self.count(monkeypatch)
        assert self.compile() == first
        assert len(made) == 1
        assert len(file.read_bytes()) == len(whole)

    def test_another_version_does_not_see_it(self, place, monkeypatch):
        self.compile()
        made = self.count(monkeypatch)
        monkeypatch.setattr(cache, "engine_version", lambda: "another")
        self.compile()
        assert len(made) == 1
        assert len(list(place.iterdir())) == 2

    def test_a_place_that_cannot_be_written_costs_one_warning(self, place, monkeypatch):
        place.write_text("a file where a directory should be")  # also holds for root, unlike permissions
        with pytest.warns(UserWarning, match="cannot be kept") as caught:
            first = self.compile()
        assert len(caught) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert self.compile() == first

    def test_concurrent_processes(self, place):
        script = (
            "import numpy as np, sys; sys.path.insert(0, 'tests/engine')\n"
            "from test_native import TestFailures as F\n"
            "print(F().solve(F.GOOD).values.tobytes().hex())"
        )
        root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.path.join(root, "tests", "engine")])}
        running = [
            subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=root, env=environment)
            for _ in range(4)
        ]
        results = {process.communicate()[0] for process in running}
        assert len(results) == 1
        assert results != {b""}
        assert [file.suffix for file in place.iterdir()] == [".o"]


class TestChoose:
    @pytest.fixture(autouse=True)
    def anew(self):
        choose.native_works.cache_clear()
        yield
        choose.native_works.cache_clear()

    def test_native_is_the_default(self):
        assert choose.solver().func is native.solve
        assert choose.solver("reference") is reference.solve

    def test_without_llvmlite_the_reference_takes_over_with_one_warning(self, monkeypatch):
        native.machine.cache_clear()
        monkeypatch.setitem(sys.modules, "llvmlite", None)
        monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
        with pytest.warns(UserWarning, match="reference solver takes over"):
            assert choose.solver() is reference.solve
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert choose.solver() is reference.solve
            periodic_states(TestFailures.SYSTEM, np.zeros((0, 3)))
        native.machine.cache_clear()

    def test_an_unknown_name_is_told(self):
        with pytest.raises(LdnsimError, match="unknown solver 'refrence'") as caught:
            choose.solver("refrence")
        assert caught.value.faults[0].nearest == "reference"
        assert caught.value.faults[0].expected.startswith("native, reference")
