"""Parts put together: names, order, units inside, what rests on what."""

from __future__ import annotations

from typing import Any

import pytest

from ldnsim.engine.equations import derivative_function, output_function
from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.expressions import parse_equations
from ldnsim.model.records import Model, Part
from ldnsim.model.system import compose, computing_order, cycles_in, molar_mass, part_dimensions


def part(name: str, equations: str, **fields: Any) -> Part:
    page = {"name": name, "version": "1", "title": "", "evidence": "measured", "exports": {}}
    return Part(format="ldnsim-part/1", equations=equations, **{**page, **fields})


def parameter(value: object, **fields: str) -> dict[str, object]:
    return {"value": value, "description": "", **fields}


def model(**slots: Part) -> Model:
    drugs = {"testol": {"molar_mass": "250 g/mol"}}
    return Model(
        format="ldnsim-model/1",
        name="m",
        version="1",
        title="",
        drugs=drugs,
        slots={k: [v] for k, v in slots.items()},
        outputs={},
    )


PLASMA = part(
    "plasma",
    "d/dt(central) = -k*central\nCp = central/V\nunused = 2*k",
    exports={"Cp": "", "k": ""},
    parameters={"k": parameter("0.2 1/h"), "V": parameter("50 L")},
    states={"central": {"unit": "mg", "of": "testol", "initial": "2.5 mg", "scale": "1 mg", "description": ""}},
)
EFFECT = part(
    "effect",
    "effect = top*load^n/(1 + load^n)\nload = Cp/k",  # in the order of reading, not of computing
    evidence="hypothesis",
    needs={"Cp": "nmol/L"},
    exports={"effect": "", "load": ""},
    parameters={"k": parameter("1 ng/mL", of="testol"), "n": parameter(2), "top": parameter("80 %")},
)


@pytest.fixture
def system():
    whole = model(plasma=PLASMA, effect=EFFECT)
    return compose(whole, {"plasma": PLASMA, "effect": EFFECT})


def test_names_are_private_to_a_part(system):
    assert system.states == ("plasma.central",)
    assert system.parameters == ("plasma.k", "plasma.V", "effect.k", "effect.n", "effect.top")
    assert system.exports == {"Cp": "plasma.Cp", "k": "plasma.k", "effect": "effect.effect", "load": "effect.load"}


def test_assignments_stand_in_computing_order(system):
    order = [name for name, _ in system.assignments]
    assert order.index("plasma.Cp") < order.index("effect.load") < order.index("effect.effect")


def test_states_are_in_coherent_units(system):
    assert system.initial == (pytest.approx(10_000),)  # 2.5 mg / 250 g/mol, nmol
    assert system.scale == (pytest.approx(4_000),)


def test_what_an_export_rests_on(system):
    assert system.rests_on["Cp"] == {"plasma.Cp", "plasma.central", "plasma.k", "plasma.V"}
    assert system.rests_on["k"] == {"plasma.k"}
    assert system.rests_on["effect"] >= {"plasma.central", "effect.k", "effect.n", "effect.top", "effect.load"}
    assert "plasma.unused" not in system.rests_on["effect"]


def test_an_export_is_as_weak_as_what_it_rests_on(system):
    assert system.evidence == {"Cp": "measured", "k": "measured", "effect": "hypothesis", "load": "hypothesis"}


def test_the_equations_compute(system):
    p = [0.2, 50.0, 4.0, 2.0, 0.8]  # k of the effect: 1 ng/mL / 250 g/mol = 4 nmol/L
    assert derivative_function(system)(0.0, [100.0], p) == [pytest.approx(-20)]
    found = output_function(system, ["Cp", "load", "effect", "k"])(0.0, [100.0], p)
    assert found == pytest.approx([2.0, 0.5, 0.8 * 0.25 / 1.25, 0.2])


def test_molar_mass():
    assert molar_mass(model(plasma=PLASMA), "testol") == pytest.approx(250)
    assert molar_mass(model(plasma=PLASMA), None) is None


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        ({"effect": EFFECT}, "effect (effect) needs 'Cp', which no slot exports"),
        ({"plasma": PLASMA, "more": PLASMA, "effect": EFFECT}, "'Cp' is exported by more (plasma) and by plasma"),
        (
            {
                "a": part("a", "x = y + 1", needs={"y": "1"}, exports={"x": ""}),
                "b": part("b", "y = z\nz = 2*x", needs={"x": "1"}, exports={"y": ""}),
            },
            "algebraic cycle: a.x -> b.y -> b.z -> a.x (each needs the next)",
        ),
    ],
)
def test_parts_that_do_not_fit(slots, message):
    with pytest.raises(LdnsimError) as caught:
        compose(model(**slots), slots)
    assert caught.value.faults[0].message == message


def test_a_state_breaks_a_cycle():
    slots = {
        "a": part("a", "x = y + 1", needs={"y": "1"}, exports={"x": ""}),
        "b": part(
            "b",
            "d/dt(s) = (x - s)/t_half\ny = s",
            needs={"x": "1"},
            exports={"y": ""},
            parameters={"t_half": parameter("1 h")},
            states={"s": {"unit": "1", "scale": 1, "description": ""}},
        ),
    }
    assert compose(model(**slots), slots).states == ("b.s",)


def assigned(text: str):
    return {equation.target: equation.expression for equation in parse_equations(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\nb = a", []),
        ("a = a", [["a"]]),
        ("a = b\nb = a", [["a", "b"]]),
        ("c = a\na = b\nb = c\nx = c", [["c", "a", "b"]]),
        ("a = b\nb = a\nc = d + a\nd = c", [["a", "b"], ["c", "d"]]),
        ("a = b + c\nb = a\nc = a", [["a", "b"]]),  # loops that share a name are told one by one
    ],
)
def test_cycles(text, expected):
    assert cycles_in(assigned(text)) == expected


def test_computing_order_of_a_long_chain():
    text = "\n".join(f"a{n} = a{n + 1}" for n in range(400)) + "\na400 = 1"
    assert computing_order(assigned(text)) == [f"a{n}" for n in range(400, -1, -1)]


def test_dimensions_of_a_part():
    dimensions, faults = part_dimensions(EFFECT)
    assert not faults
    assert str(dimensions["k"]) == "nmol/L"  # a mass of a drug is an amount
    assert str(dimensions["load"]) == str(dimensions["effect"]) == "1"


def test_a_faulty_name_is_told_once_and_fits_everything_after():
    page = part(
        "p",
        "a = V + k\nb = a + V\nc = b + 1\nd = lost + V\n",
        parameters={"V": parameter("1 L"), "k": parameter("1 1/h")},
    )
    dimensions, faults = part_dimensions(page)
    assert [fault.offset for fault in faults] == [(0, 8), (2, 8)]
    assert "lost" not in dimensions


FREE = part(
    "free",
    "free = 1/(1 + loads)",
    gathers={"loads": "1"},
    exports={"free": ""},
)


def ligand(name: str, load: str) -> Part:
    return part(name, f"u_{name} = {load}", exports={f"u_{name}": {"description": "", "adds_to": ["loads"]}})


def free_with(**ligands: Part) -> float:
    parts = {"receptor": FREE, **ligands}
    return output_function(compose(model(**parts), parts), ["free"])(0.0, [], [])[0]


def test_a_sum_is_gathered_from_whatever_adds_to_it():
    """A further ligand is a further part: the receptor's page does not change."""
    assert free_with() == 1
    assert free_with(one=ligand("one", "1")) == pytest.approx(1 / 2)
    assert free_with(one=ligand("one", "1"), two=ligand("two", "3")) == pytest.approx(1 / 5)


def test_what_gathers_rests_on_its_terms_and_is_as_weak_as_they_are():
    parts = {"receptor": FREE, "one": ligand("one", "1").model_copy(update={"evidence": "hypothesis"})}
    system = compose(model(**parts), parts)
    assert "one.u_one" in system.rests_on["free"]
    assert system.evidence["free"] == "hypothesis"
