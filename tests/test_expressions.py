"""Equations: precedence against Python's, places, dimensions, and what is no equation."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ldnsim.engine.equations import output_function
from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.expressions import (
    BUILT_IN,
    FUNCTIONS,
    Call,
    Name,
    Number,
    infer,
    names_in,
    parse_equations,
    read_equations,
    rename,
    walk,
)
from ldnsim.foundation.units import DIMENSIONLESS, parse_unit
from ldnsim.model.records import Model, Part
from ldnsim.model.system import compose

VALUES = {"a": 1.7, "b": 0.3, "c": 2.25}


def computed(text: str, t: float = 5.0) -> float:
    """The value of an expression, by way of a part, a model and the engine's functions."""
    parameters = {name: {"value": value, "description": ""} for name, value in VALUES.items()}
    page = {"name": "p", "version": "1", "title": "", "evidence": "measured", "exports": {"y": ""}}
    part = Part(format="ldnsim-part/1", parameters=parameters, equations=f"y = {text}", **page)
    model = Model(format="ldnsim-model/1", name="m", version="1", title="", slots={"s": [part]}, outputs={})
    system = compose(model, {"s": part})
    return output_function(system, ["y"])(t, [], [VALUES[name.split(".")[1]] for name in system.parameters])[0]


def expression(text: str):
    (equation,) = parse_equations(f"y = {text}")
    return equation.expression


def unit(text: str):
    return parse_unit(text).dimension


# --- precedence

a, b, c = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b*c", Call("+", (a, Call("*", (b, c))))),
        ("a - b - c", Call("-", (Call("-", (a, b)), c))),
        ("a/b*c", Call("*", (Call("/", (a, b)), c))),
        ("a/(b*c)", Call("/", (a, Call("*", (b, c))))),
        ("-a^b", Call("neg", (Call("**", (a, b)),))),
        ("a^-b", Call("**", (a, Call("neg", (b,))))),
        ("a^b^c", Call("**", (a, Call("**", (b, c))))),
        ("a**b", Call("**", (a, b))),
        ("-a*b", Call("*", (Call("neg", (a,)), b))),
        ("+a", a),
        ("--a", Call("neg", (Call("neg", (a,)),))),
        ("a*-b", Call("*", (a, Call("neg", (b,))))),
        ("((a))", a),
        ("2e-3", Number(0.002)),
        (".5 + 5.", Call("+", (Number(0.5), Number(5.0)))),
        ("exp(a + b)", Call("exp", (Call("+", (a, b)),))),
        ("max(a, b, c)", Call("max", (a, b, c))),
        ("ifelse(a <= b, a, c)", Call("ifelse", (Call("<=", (a, b)), a, c))),
    ],
)
def test_precedence(text, tree):
    assert expression(text) == tree


numbers = st.floats(0.01, 9.9).map(lambda x: f"{x:.3g}") | st.integers(0, 9).map(str)
leaves = numbers | st.sampled_from(("a", "b", "c", "t", "pi", "day"))


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    space = st.sampled_from(("", " "))
    binary = st.builds(
        lambda x, s, o, y: f"{x}{s}{o}{s}{y}", inner, space, st.sampled_from(("+", "-", "*", "/", "^", "**")), inner
    )
    call = st.builds(
        lambda f, x: f"{f}({x})", st.sampled_from(("exp", "log", "log10", "sqrt", "sin", "cos", "tanh", "abs")), inner
    )
    pair = st.builds(lambda f, x, y: f"{f}({x}, {y})", st.sampled_from(("min", "max")), inner, inner)
    choice = st.builds(
        lambda x, o, y, p, q: f"ifelse({x} {o} {y}, {p}, {q})",
        inner,
        st.sampled_from(("<", "<=", ">", ">=")),
        inner,
        inner,
        inner,
    )
    return (
        binary
        | inner.map(lambda x: f"({x})")
        | st.builds(str.__add__, st.sampled_from("+-"), inner)
        | call
        | pair
        | choice
    )


def in_python(text: str, t: float) -> float:
    names = {name: getattr(math, name) for name in ("exp", "log", "log10", "sqrt", "sin", "cos", "tanh", "pi")}
    names |= {"abs": abs, "min": min, "max": max, "t": t, "day": 24.0, **VALUES}
    return eval(text.replace("^", "**"), {"__builtins__": {}}, names | {"ifelse": None})


@settings(max_examples=300, deadline=None)
@given(st.recursive(leaves, combined, max_leaves=12), st.floats(0, 100))
def test_expressions_mean_what_they_mean_in_python(text, t):
    assume(len(text) < 500)
    try:
        expected = in_python(to_python(text), t)
    except (ArithmeticError, ValueError):
        expected = math.nan
    try:
        found = computed(text, t)
    except (LdnsimError, ArithmeticError, ValueError):
        found = None
    if isinstance(expected, complex) or not math.isfinite(expected):
        assert found is None or not math.isfinite(found)
    else:
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-300)


def to_python(text: str) -> str:
    """ifelse(a < b, x, y) as (x if a < b else y)."""
    while (start := text.rfind("ifelse(")) >= 0:  # the last one holds no other
        depth, commas, end = 0, [], start + 7
        while depth >= 0:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            commas += [end] if text[end] == "," and depth == 0 else []
            end += 1
        condition, then, other = (
            text[start + 7 : commas[0]],
            text[commas[0] + 1 : commas[1]],
            text[commas[1] + 1 : end - 1],
        )
        text = f"{text[:start]}(({then}) if {condition} else ({other})){text[end:]}"
    return text


def test_names_that_are_words_of_python_are_names_here():
    (equation,) = parse_equations("y = lambda*if + None")
    assert names_in(equation.expression) == {"lambda", "if", "None"}


# --- reading


def test_kinds_of_equations():
    one, two, three = parse_equations(
        "# a page\n\nCp = central/V   # plasma\n  d/dt(central) = -k*central\n d / dt ( x )=1\n"
    )
    assert (one.target, one.is_derivative, one.text, one.comment, one.at) == (
        "Cp",
        False,
        "Cp = central/V",
        "plasma",
        (2, 0),
    )
    assert (two.target, two.is_derivative, two.at) == ("central", True, (3, 2))
    assert (three.target, three.is_derivative) == ("x", True)


def test_an_equation_goes_on_within_parentheses():
    (equation,) = parse_equations("y = (a  # first\n  + b^2 # second\n  + c)")
    assert equation.text == "y = (a + b^2 + c)"
    assert equation.comment == "first second"
    assert {node.name: node.at for node in walk(equation.expression) if isinstance(node, Name)} == {
        "a": (0, 5),
        "b": (1, 4),
        "c": (2, 4),
    }


def test_places_do_not_move_after_powers():
    found = {node.name: node.at for node in walk(expression("a^2 + b^2^2*c**t")) if isinstance(node, Name)}
    assert found == {"a": (0, 4), "b": (0, 10), "c": (0, 16), "t": (0, 19)}


def test_a_parenthesis_left_open_does_not_hide_the_next_equation():
    reading = read_equations("x = (a\ny = b\nz = )")
    assert [fault.offset for fault in reading.faults] == [(0, 4), (2, 4)]
    assert [equation.target for equation in reading.equations] == ["y"]
    assert reading.lost == {"x", "z"}


def test_what_an_unreadable_line_may_have_defined():
    assert read_equations("d/dt(gut) := 3").lost == {"d", "dt", "gut"}


def test_all_faults_come_at_once():
    with pytest.raises(LdnsimError) as caught:
        parse_equations("a = (1\nb = 2 +\nc = open(1)")
    assert [fault.offset for fault in caught.value.faults] == [(0, 4), (1, 7), (2, 4)]


@pytest.mark.parametrize(
    ("text", "message", "column", "near"),
    [
        ("__import__('os')", "unknown function '__import__'", 0, ""),
        ("().__class__", "')' comes unexpectedly", 1, ""),
        ("a.b", "the character '.'", 1, ""),
        ("(lambda: 1)()", "the character ':'", 7, ""),
        ("lambda: 1", "the character ':'", 6, ""),
        ("[i for i in a]", "the character '['", 0, ""),
        ("f'{a}'", 'the character "\'"', 1, ""),
        ("(x := 1)", "the character ':'", 3, ""),
        ("a if b else c", "'if' comes unexpectedly", 2, ""),
        ("a(b)", "unknown function 'a'", 0, ""),
        ("exp(a)(b)", "'(' comes unexpectedly", 6, ""),
        ("ln(a)", "unknown function 'ln'", 0, "log"),
        ("sqr(a)", "unknown function 'sqr'", 0, "sqrt"),
        ("a == b", "a second '='", 2, ""),
        ("a < b", "'<' comes unexpectedly", 2, ""),
        ("a ^ ^ b", "'^' comes unexpectedly", 4, ""),
        ("2 a", "'a' comes unexpectedly", 2, ""),
        ("2a", "'2a' is neither", 0, ""),
        ("1_0", "'1_0' is neither", 0, ""),
        ("1e", "'1e' is neither", 0, ""),
        ("1e999", "this number is not finite", 0, ""),
        ("9^9^9^9", "this is not a finite number", 2, ""),
        ("a + 1/0", "this is not a finite number", 4, ""),
        ("a − b", "the character '−' (minus sign)", 2, "-"),
        ("а", "the character 'а' (cyrillic small letter a)", 0, ""),
        ("", "the end of the equation comes unexpectedly", -1, ""),
        ("exp()", "')' comes unexpectedly", 4, ""),
        ("exp(a, b)", "exp() with 2 arguments", 0, ""),
        ("min(a)", "min() with 1 argument", 0, ""),
        ("ifelse(a, b, c)", "the first argument of ifelse is no comparison", 7, ""),
        ("(" * 60 + "a" + ")" * 60, "the equation is nested too deeply", 50, ""),
        ("-" * 60 + "a", "the equation is nested too deeply", 50, ""),
        ("+".join("a" * 95), "the equation has too many operations", 0, ""),
        ("a" + "+a" * 1_500, "an equation of", -4, ""),
    ],
)
def test_what_no_equation_holds(text, message, column, near):
    with pytest.raises(LdnsimError) as caught:
        parse_equations(f"y = {text}")
    (fault,) = caught.value.faults
    assert fault.message.startswith(message)
    assert fault.offset == (0, 4 + column)
    assert fault.nearest == near


@pytest.mark.parametrize("depth", [45, 49])
def test_what_is_just_deep_enough_can_be_computed(depth):
    assert computed("(" * depth + "a" + ")" * depth) == VALUES["a"]
    assert computed("ifelse(a < 3, " * depth + "b" + ", c)" * depth) == VALUES["b"]
    assert computed("+".join("a" * 90)) == pytest.approx(90 * VALUES["a"])
    assert computed("(a + " * depth + "b" + ")" * depth) == pytest.approx(depth * VALUES["a"] + VALUES["b"])


@pytest.mark.parametrize("word", [*BUILT_IN, *FUNCTIONS])
def test_words_of_the_equations_cannot_be_defined(word):
    with pytest.raises(LdnsimError, match="is a word of the equations"):
        parse_equations(f"{word} = 3")


def test_rename_keeps_places_and_other_names():
    tree = rename(expression("a + exp(b)"), {"a": "slot.a"})
    assert tree == Call("+", (Name("slot.a"), Call("exp", (b,))))
    assert [node.at for node in walk(tree) if isinstance(node, Name)] == [(0, 4), (0, 12)]


# --- dimensions

UNITS = {
    **{name: unit("nmol") for name in ("A", "B")},
    "V": unit("L"),
    "CL": unit("L/h"),
    "k": unit("1/h"),
    "C": unit("nmol/L"),
    "x": DIMENSIONLESS,
    "n": DIMENSIONLESS,
    **BUILT_IN,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A/V", "nmol/L"),
        ("CL*C", "nmol/h"),
        ("k*A - CL*C", "nmol/h"),
        ("V^2", "L^2"),
        ("V^-1", "1/L"),
        ("(V^2)^(1/2)", "L"),
        ("sqrt(V*V)", "L"),
        ("C^0", "1"),
        ("exp(-k*t)", "1"),
        ("log(2)/k", "h"),
        ("x^n/(x^n + 1)", "1"),
        ("2^n", "1"),
        ("0 + A", "nmol"),
        ("max(A, 0)", "nmol"),
        ("abs(-A)", "nmol"),
        ("ifelse(t < day, A, B)", "nmol"),
        ("cos(2*pi*(t - day)/day)", "1"),
        ("3", "1"),
    ],
)
def test_dimensions(text, expected):
    found, faults = infer(expression(text), UNITS)
    assert not faults
    assert found == unit(expected)


@pytest.mark.parametrize("text", ["0", "unknown", "unknown + A", "0*A", "unknown^2", "ifelse(t < day, 0, 0)"])
def test_what_fits_anything(text):
    assert infer(expression(text), UNITS, (unit("nmol"), "as wanted"))[1] == []


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("A + V", [4]),
        ("A + V + C + B", [4, 8]),
        ("A - (V + C)", [5, 9]),  # each term on its own
        ("-A + V", [5]),
        ("A + V*k", [4]),
        ("A*(V + k)", [7]),
        ("exp(A)", [4]),
        ("exp(A + V)", [4, 8]),
        ("A^x", [0]),
        ("x^A", [2]),
        ("A^0.77", [0]),
        ("A^20", [0]),
        ("min(A, V, B)", [7]),
        ("ifelse(A < V, A, B)", [11]),
        ("ifelse(A < B, A, V)", [17]),
        ("V^2 + A^2*x^2^2 + k", [6, 18]),
        ("(A + V)*(C + k)", [5, 13]),
    ],
)
def test_each_faulty_term_at_its_place(text, columns):
    faults = infer(expression(text), UNITS)[1]
    assert [fault.offset for fault in faults] == [(0, 4 + column) for column in columns]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("-k*A", []),
        ("A", [0]),
        ("-k*A + V", [7]),
        ("A + k*A", [0]),
        ("A + V", [0, 4]),
        ("ifelse(t < day, A, k*A)", [16]),
        ("0", []),
    ],
)
def test_terms_against_what_the_whole_must_be(text, columns):
    faults = infer(expression(text), UNITS, (unit("nmol/h"), "as d/dt(A) has"))[1]
    assert [fault.offset for fault in faults] == [(0, 4 + column) for column in columns]
    assert all(fault.expected == "the unit nmol/h, as d/dt(A) has" for fault in faults)
