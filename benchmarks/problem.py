"""The reference problem, taken from its model file and written down for every tool in the words of that tool."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ldnsim import load_model
from ldnsim.engine import reference
from ldnsim.engine.events import Event, Kind
from ldnsim.foundation.expressions import Call, Expression, Name, Number
from ldnsim.foundation.units import coherent
from ldnsim.model.system import System, compose, molar_mass
from ldnsim.scenario.changes import setting_of

HERE = Path(__file__).parent
DAYS, FIRST_DOSE, INTERVAL = 28, 21.0, 24.0
DOSE = 4.5e6 / 341.4  # nmol in 4.5 mg of base
OUTPUTS = ("peptide", "bound", "last")
SPREAD = {"ka": 0.5, "CL": 0.3, "V": 0.25, "koff": 0.3, "kdeg": 0.2, "kr": 0.3, "kM": 0.3}  # log-normal sd
TIMES = np.arange(DAYS * 24 + 1.0)
DOSE_TIMES = FIRST_DOSE + INTERVAL * np.arange(DAYS)


@dataclass(frozen=True)
class Problem:
    """parameters (people, parameters), initial (people, states); one schedule for all."""

    system: System
    parameters: np.ndarray
    initial: np.ndarray

    @property
    def schedule(self) -> tuple[Event, ...]:
        return tuple(Event(float(time), Kind.ADD, 0, DOSE) for time in DOSE_TIMES)

    def first(self, people: int) -> Problem:
        return Problem(self.system, self.parameters[:people], self.initial[:people])

    def places(self) -> list[int]:
        """The states that the outputs are."""
        wanted = {"peptide": "E", "bound": "RN", "last": "W"}
        return [short(self.system.states).index(wanted[name]) for name in OUTPUTS]


def short(names: tuple[str, ...]) -> list[str]:
    return [name.split(".")[-1] for name in names]


def make(people: int, variant: str = "literal", stiffness: float = 1.0) -> Problem:
    """The first `people` of seed 1; the Hill exponent is what `variant` says, binding constants times `stiffness`."""
    model = load_model(HERE / "reference.yaml", feedback=f"reference_{variant}")
    setting = setting_of(model, next(iter(model.accounts)))
    system = compose(model, setting.parts)
    names = short(system.parameters)
    typical = [
        coherent(setting.values[name], molar_mass(model, setting.parameters[name].of)) for name in system.parameters
    ]
    parameters = np.tile(typical, (people, 1))
    draws = np.random.default_rng(1).standard_normal((people, len(SPREAD)))
    for column, (name, sd) in enumerate(SPREAD.items()):
        parameters[:, names.index(name)] *= np.exp(sd * draws[:, column])
    for name in ("kon", "koff"):
        parameters[:, names.index(name)] *= stiffness
    p = dict(zip(names, parameters.T, strict=True))
    initial = np.tile(np.asarray(system.initial), (people, 1))
    states = short(system.states)
    initial[:, states.index("P")] = p["ksyn"] / p["krel"]
    initial[:, states.index("E")] = p["ksyn"] / p["kdeg"]
    return Problem(system, parameters, initial)


def exact(problem: Problem) -> np.ndarray:
    """The outputs at rtol 1e-11, by the reference solver."""
    people = len(problem.parameters)
    solution = reference.solve(
        problem.system, problem.parameters, problem.initial, [problem.schedule] * people, TIMES, OUTPUTS, 1e-11
    )
    assert not any(solution.reason), solution.reason
    return solution.values


def error(values: np.ndarray, solution: np.ndarray) -> float:
    """The largest error of any output at any time, of that output's largest value in that person."""
    return float(np.max(np.abs(values - solution) / np.abs(solution).max(axis=1, keepdims=True)))


# --- in the words of others


def infix(tree: Expression, power: str = "**") -> str:
    """The expression as most languages write it; `power` is their operator, or a function's name."""
    match tree:
        case Number(value):
            return repr(value)
        case Name(name):
            return {"day": "24.0", "pi": repr(math.pi)}.get(name, name.split(".")[-1])
        case Call("neg", (inner,)):
            return f"(-{infix(inner, power)})"
        case Call("**", (base, exponent)) if power.isalpha():
            return f"{power}({infix(base, power)}, {infix(exponent, power)})"
        case Call(operation, (left, right)) if operation in "+-*/**":
            return f"({infix(left, power)} {power if operation == '**' else operation} {infix(right, power)})"
        case Call(function, arguments):
            return f"{function}({', '.join(infix(argument, power) for argument in arguments)})"
    raise TypeError(tree)


def python_function(problem: Problem) -> str:
    """Source of `rhs(t, y, p)`; cos comes from whoever executes it."""
    system = problem.system
    lines = [f"    {', '.join(short(system.states))} = y", f"    {', '.join(short(system.parameters))} = p"]
    lines += [f"    {name.split('.')[-1]} = {infix(tree)}" for name, tree in system.assignments]
    return (
        "def rhs(t, y, p):\n"
        + "\n".join(lines)
        + f"\n    return [{', '.join(infix(tree) for tree in system.derivatives)}]"
    )


def diffsl(problem: Problem) -> str:
    """pydiffsol's language; initial states and the time of the start are inputs, so that a dose can restart it."""
    states, parameters = short(problem.system.states), short(problem.system.parameters)

    # F, M and the like mean something in DiffSL
    names = {
        name: f"q{i}"
        for i, name in enumerate([*states, *parameters, *short(tuple(n for n, _ in problem.system.assignments))])
    }

    def words(tree: Expression) -> str:
        match tree:
            case Name(name) if name.split(".")[-1] in names:
                return names[name.split(".")[-1]]
            case Name("t"):
                return "(t + start)"
            case Call("neg", (inner,)):
                return f"(-{words(inner)})"
            case Call("**", (base, exponent)):
                return f"pow({words(base)}, {words(exponent)})"
            case Call(operation, (left, right)) if operation in "+-*/":
                return f"({words(left)} {operation} {words(right)})"
            case Call(function, (inner,)):
                return f"{function}({words(inner)})"
        return infix(tree)

    inputs = [*(names[p] for p in parameters), *(f"i{i}" for i in range(len(states))), "start"]
    lines = [f"in_i {{ {', '.join(f'{name} = 1' for name in inputs)} }}"]
    lines.append(f"u_i {{ {', '.join(f'{names[s]} = i{i}' for i, s in enumerate(states))} }}")
    lines += [f"{names[name.split('.')[-1]]} {{ {words(tree)} }}" for name, tree in problem.system.assignments]
    lines.append(f"F_i {{ {', '.join(words(tree) for tree in problem.system.derivatives)} }}")
    lines.append(f"out_i {{ {', '.join(names[s] for s in states)} }}")
    return "\n".join(lines)


def sbml(problem: Problem) -> str:
    """SBML level 3: rate rules for states, assignment rules, one event for all doses."""
    system = problem.system
    states, parameters = short(system.states), short(system.parameters)
    assigned = [name.split(".")[-1] for name, _ in system.assignments]

    def entry(name: str, value: float | None, constant: bool) -> str:
        given = "" if value is None else f' value="{value!r}"'
        return f'<parameter id="{name}"{given} constant="{str(constant).lower()}"/>'

    def math_of(tree: Expression) -> str:
        return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{_mathml(tree)}</math>'

    listed = [entry(name, 1.0, True) for name in parameters]
    listed += [entry(name, float(value), False) for name, value in zip(states, problem.initial[0], strict=True)]
    listed += [entry(name, None, False) for name in assigned]
    rules = [
        f'<assignmentRule variable="{n.split(".")[-1]}">{math_of(tree)}</assignmentRule>'
        for n, tree in system.assignments
    ]
    rules += [
        f'<rateRule variable="{name}">{math_of(tree)}</rateRule>'
        for name, tree in zip(states, system.derivatives, strict=True)
    ]
    listed.append(entry("next_dose", FIRST_DOSE, False))
    due = f"<apply><geq/>{_mathml(Name('t'))}<ci>next_dose</ci></apply>"
    changes = {
        states[0]: Call("+", (Name(states[0]), Number(DOSE))),
        "next_dose": Call("+", (Name("next_dose"), Number(INTERVAL))),
    }
    assigned_by_event = "".join(
        f'<eventAssignment variable="{name}">{math_of(tree)}</eventAssignment>' for name, tree in changes.items()
    )
    # one event that sets its own next time: tools look for the root of every event at every step
    events = (
        '<event id="dose" useValuesFromTriggerTime="true"><trigger initialValue="true" persistent="true">'
        f'<math xmlns="http://www.w3.org/1998/Math/MathML">{due}</math></trigger>'
        f"<listOfEventAssignments>{assigned_by_event}</listOfEventAssignments></event>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">'
        f'<model id="reference"><listOfParameters>{"".join(listed)}</listOfParameters>'
        f"<listOfRules>{''.join(rules)}</listOfRules>"
        f"<listOfEvents>{events}</listOfEvents></model></sbml>"
    )


MATHML = {"+": "plus", "-": "minus", "*": "times", "/": "divide", "**": "power", "neg": "minus", "cos": "cos"}


def _mathml(tree: Expression) -> str:
    match tree:
        case Number(value):
            return f"<cn>{value!r}</cn>"
        case Name("t"):
            return '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>'
        case Name("day"):
            return "<cn>24</cn>"
        case Name("pi"):
            return "<pi/>"
        case Name(name):
            return f"<ci>{name.split('.')[-1]}</ci>"
    return f"<apply><{MATHML[tree.operation]}/>{''.join(map(_mathml, tree.arguments))}</apply>"
