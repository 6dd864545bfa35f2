"""Systems for the engine's tests: small ones from text, and the library's own."""

from __future__ import annotations

from functools import cache

import numpy as np

import ldnsim as ldn
from ldnsim.engine.events import Event, Kind
from ldnsim.foundation.expressions import names_in, parse_equations
from ldnsim.foundation.units import coherent
from ldnsim.model.system import System, compose, computing_order, molar_mass
from ldnsim.scenario.changes import setting_of


def system_from(text: str, parameters: dict[str, float], initial: dict[str, float], scale: float = 1.0) -> System:
    """A system written as equations; every name that is neither parameter nor state is an output."""
    equations = parse_equations(text)
    expressions = {e.target: e.expression for e in equations if not e.is_derivative}
    derivatives = {e.target: e.expression for e in equations if e.is_derivative}
    assert set(derivatives) == set(initial)
    assert not {name for e in equations for name in names_in(e.expression)} - {
        *parameters,
        *initial,
        *expressions,
        "t",
        "day",
        "pi",
    }
    return System(
        states=tuple(derivatives),
        initial=tuple(float(initial[name]) for name in derivatives),
        scale=(scale,) * len(derivatives),
        parameters=tuple(parameters),
        assignments=tuple((name, expressions[name]) for name in computing_order(expressions)),
        derivatives=tuple(derivatives.values()),
        exports={name: name for name in (*expressions, *derivatives)},
        evidence={},
        rests_on={},
    )


@cache
def library() -> dict[str, tuple[System, np.ndarray]]:
    """account and choice of parts -> (system, typical parameters)."""
    model = ldn.load_model("ldn")
    found = {}
    chosen = [(name, {}) for name in model.accounts]
    chosen += [("transient", {"receptors": "receptors_upregulated"})]
    for name, choices in chosen:
        setting = setting_of(model.with_account(name, **choices), "_".join([name, *choices.values()]))
        system = compose(model, setting.parts)
        records = setting.parameters
        typical = [coherent(setting.values[p], molar_mass(model, records[p].of)) for p in system.parameters]
        found["_".join([name, *choices.values()])] = system, np.array(typical)
    return found


def random_people(system: System, typical: np.ndarray, people: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Parameters spread by about 20 % (whole Hill exponents too) and the system's initial states."""
    factors = np.exp(np.random.default_rng(seed).normal(0, 0.2, (people, len(typical))))
    return typical * factors, np.tile(np.asarray(system.initial, float), (people, 1))


def random_schedule(system: System, typical: np.ndarray, days: float, seed: int) -> tuple[Event, ...]:
    """Doses, infusions, changed parameters and a reset, at any times, some of them at once."""
    rng = np.random.default_rng(seed)
    events = []
    for _ in range(rng.integers(1, 8)):
        time, state = float(rng.uniform(0, days * 24)), int(rng.integers(0, min(3, len(system.states))))
        amount = float(system.scale[state] * rng.uniform(0.2, 2))
        match rng.integers(0, 4):
            case 0 | 1:
                events.append(Event(time, Kind.ADD, state, amount))
            case 2:
                events += [
                    Event(time, Kind.RATE, state, amount),
                    Event(time + float(rng.uniform(0.1, 5)), Kind.RATE, state, 0.0),
                ]
            case 3:
                index = int(rng.integers(0, len(typical)))
                events.append(Event(time, Kind.SET, index, float(typical[index] * rng.uniform(0.8, 1.2))))
    if seed % 3 == 0:
        events += [Event(days * 16.0, Kind.RESET), Event(days * 16.0, Kind.ADD, 0, float(system.scale[0]))]
    return tuple(sorted(events, key=lambda event: event.time))
