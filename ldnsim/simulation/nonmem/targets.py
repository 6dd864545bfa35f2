"""Where a record's dose goes: CMT is the name or number of a state, or the name of an input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, listed, nearest, shown
from ldnsim.foundation.units import declared
from ldnsim.model.system import molar_mass

if TYPE_CHECKING:
    from ldnsim.model.records import Input, Model, State
    from ldnsim.model.system import System
    from ldnsim.scenario.changes import Setting

__all__ = ["MODELLED_DURATION", "MODELLED_RATE", "Target", "find_target", "targets_of"]

MODELLED_RATE, MODELLED_DURATION = -1.0, -2.0  # what RATE says of them


@dataclass(frozen=True)
class Target:
    """A state or an input that takes doses.

    `shares` has the states (by number) with the share of the dose that each gets, a number or a parameter. `factor`
    turns AMT into coherent units. The others are parameters, "" where there is none. A bioavailability scales the
    amount of a dose: of an infusion with a given rate the duration, as in NONMEM. Shares of an input divide a dose up
    while it lasts: they scale the rate. A product that lets go of its dose slowly (`slow`) takes the duration also
    where no RATE is given. `drug` is what the dose is of.
    """

    name: str
    shares: tuple[tuple[int, str | float], ...]
    factor: float
    lag: str = ""
    bioavailability: str = ""
    rate: str = ""
    duration: str = ""
    slow: bool = False
    drug: str | None = None


def targets_of(model: Model, setting: Setting, system: System) -> tuple[list[Target], list[Fault]]:
    """Every state in order of its number, then the inputs that this account can take; and what keeps others out."""
    states = {f"{slot}.{name}": state for slot, part in setting.parts.items() for name, state in part.states.items()}
    targets = [_of_state(model, system, name, states[name]) for name in system.states]
    faults = []
    for name, product in model.inputs.items():
        parameters = [*product.delivery_parameters, *([product.rate] if product.rate else [])]
        if not set(product.to) <= set(system.states) or not set(parameters) <= set(system.parameters):
            continue  # another account's
        units = {(states[to].unit, states[to].of) for to in product.to}
        if len(units) > 1:
            faults.append(Fault(f"input {name} goes to states of several units: AMT has none of its own", ("CMT",)))
            continue
        targets.append(_of_input(model, system, name, product, states[next(iter(product.to))]))
    return targets, faults


def find_target(text: str, targets: list[Target], numbered: int) -> int | Fault:
    """The place in `targets` that a CMT names: a number from 1 to `numbered`, or a name, if need be in another case."""
    if text.removeprefix("-").isdigit():
        number = int(text) if len(text) < 10 else 0
        if 1 <= number <= numbered:
            return number - 1
        return Fault(f"there is no compartment {text}", expected=f"1 to {numbered}, or a name: {_names(targets)}")
    names = [target.name for target in targets]
    for same in (str, str.lower):
        whole = [place for place, name in enumerate(names) if same(name) == same(text)]
        bare = [place for place, name in enumerate(names) if same(name.rpartition(".")[2]) == same(text)]
        for found in (whole, bare):
            if len(found) == 1:
                return found[0]
            if found:
                which = " or ".join(names[place] for place in found)
                return Fault(f"{shown(text)} may be several compartments", expected=which)
    return Fault(f"there is no compartment {shown(text)}", expected=_names(targets), nearest=nearest(text, names))


def _names(targets: list[Target]) -> str:
    return listed(target.name for target in targets)


def _of_state(model: Model, system: System, name: str, state: State) -> Target:
    slot = name.partition(".")[0]

    def met(field: str) -> str:
        return f"{slot}.{getattr(state, field)}" if getattr(state, field) else ""

    return Target(
        name,
        ((system.states.index(name), 1.0),),
        declared(state.unit, molar_mass(model, state.of)),
        lag=met("lag"),
        bioavailability=met("bioavailability"),
        rate=met("rate"),
        duration=met("duration"),
        drug=state.of,
    )


def _of_input(model: Model, system: System, name: str, product: Input, state: State) -> Target:
    shares = tuple((system.states.index(to), share) for to, share in product.to.items())
    factor = declared(state.unit, molar_mass(model, state.of))
    lag, rate, over = product.lag or "", product.rate or "", product.over or ""
    return Target(name, shares, factor, lag=lag, rate=rate, duration=over, slow=bool(over), drug=product.drug)
