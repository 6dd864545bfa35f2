"""Sample times of each person's own: the same numbers as on a common grid, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from systems import library, random_people, random_schedule

from ldnsim.engine import native, reference
from ldnsim.engine.events import Event, Kind, Status
from ldnsim.engine.grids import Grids
from ldnsim.engine.schedules import pack

OUTPUTS = ["Cp", "endorphin"]


@pytest.fixture(scope="module")
def crowd():
    system, typical = library()["pet_pool"]
    parameters, initial = random_people(system, typical, 40, 5)
    schedules = [random_schedule(system, typical, 3, seed) for seed in range(40)]
    rng = np.random.default_rng(2)
    own = [np.unique(np.append(rng.uniform(0, 72, rng.integers(0, 30)), 0.0)) for _ in range(40)]
    ends = np.cumsum([len(times) for times in own])
    grids = Grids(ends - [len(times) for times in own], ends, np.concatenate(own))
    return system, parameters, initial, schedules, own, grids


@pytest.mark.parametrize("threads", [1, 3])
def test_each_person_as_if_alone_on_a_common_grid(crowd, threads):
    system, parameters, initial, schedules, own, grids = crowd
    found = native.solve(system, parameters, initial, schedules, grids, OUTPUTS, threads=threads)
    assert found.values.shape == (len(grids.time), 2)
    for person, times in enumerate(own):
        who = slice(person, person + 1)
        alone = native.solve(system, parameters[who], initial[who], schedules[who], times, OUTPUTS)
        assert found.values[grids.first[person] : grids.last[person]].tobytes() == alone.values[0].tobytes()


def test_some_of_the_people(crowd):
    system, parameters, initial, schedules, _, grids = crowd
    who = np.array([31, 4, 4, 17])
    whole = native.solve(system, parameters, initial, schedules, grids, OUTPUTS)
    some = grids.of(who)
    found = native.solve(system, parameters[who], initial[who], pack(schedules).of(who), some, OUTPUTS)
    for place, person in enumerate(who):
        expected = whole.values[grids.first[person] : grids.last[person]]
        assert found.values[some.first[place] : some.last[place]].tobytes() == expected.tobytes()


def test_the_reference_agrees(crowd):
    system, parameters, initial, schedules, _, grids = crowd
    who = np.arange(3)
    some, scheduled = grids.of(who), pack(schedules).of(who)
    exact = reference.solve(system, parameters[who], initial[who], scheduled, some, OUTPUTS, 1e-10)
    found = native.solve(system, parameters[who], initial[who], scheduled, some, OUTPUTS, 1e-8)
    np.testing.assert_allclose(found.values, exact.values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("solver", [native, reference])
def test_a_person_that_cannot_be_solved_leaves_the_others(crowd, solver):
    system, parameters, initial, schedules, _, grids = crowd
    who = np.arange(3)
    some, scheduled, bad = grids.of(who), pack(schedules).of(who), parameters[who].copy()
    bad[1] = np.nan
    whole = solver.solve(system, parameters[who], initial[who], scheduled, some, OUTPUTS)
    found = solver.solve(system, bad, initial[who], scheduled, some, OUTPUTS)
    assert found.status[1] != Status.SOLVED
    assert found.status[[0, 2]].tolist() == [0, 0]
    hurt = slice(some.first[1], some.last[1])
    assert np.isnan(found.values[hurt]).all()
    kept = np.delete(np.arange(len(some.time)), np.arange(some.first[1], some.last[1]))
    assert found.values[kept].tobytes() == whole.values[kept].tobytes()


@pytest.mark.parametrize(
    ("first", "last", "time", "said"),
    [
        ([0, 2], [2, 3], [0.0, 0.0, 1.0], "ascending"),
        ([0, 2], [2, 2], [0.0, 1.0], "at least one"),
        ([0], [2], [0.0, 1.0], "at least one"),
        ([0, 1], [1, 2], [0.0, np.inf], "finite"),
        ([0, 1], [1, 2], [0.0, 5.0], "before the first sample"),
    ],
)
def test_bad_grids_are_refused(crowd, first, last, time, said):
    system, parameters, initial, *_ = crowd
    grids = Grids(np.array(first), np.array(last), np.array(time))
    schedules = [(Event(1.0, Kind.ADD, 0, 1.0),)] * 2
    with pytest.raises(ValueError, match=said):
        native.solve(system, parameters[:2], initial[:2], schedules, grids, OUTPUTS)


def test_events_of_those_left_out_are_not_looked_at(crowd):
    """Between two people who are not asked for, time may go back, too."""
    system, parameters, initial, *_ = crowd
    schedules = pack(
        [(Event(9.0, Kind.ADD, 0, 1.0),), (Event(5.0, Kind.ADD, 0, 1.0),), (Event(1.0, Kind.ADD, 0, 1.0),)]
    )
    times = np.array([0.0, 10.0])
    for person in range(3):
        who = np.array([person])
        assert native.solve(system, parameters[who], initial[who], schedules.of(who), times, OUTPUTS).status[0] == 0
