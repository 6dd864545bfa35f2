"""Numbers that a body could hardly have are told, with their place, unless the file gives a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ldnsim.cli import app
from ldnsim.foundation.errors import LdnsimError
from ldnsim.library.files import implausible_values_in, load_file

PART = """format: ldnsim-part/1
name: body
version: 0.1.0
title: A body
evidence: hypothesis
exports: {{Cp: "In plasma"}}
parameters:
  CL: {{value: 20 L/h, source: assumed, note: a test, description: "Clearance"}}
  V: {{value: 40 L, source: assumed, note: a test, description: "Volume"}}
  x: {{{x}}}
states:
  central: {{unit: nmol, scale: 100 nmol, description: "In plasma"}}
equations: |
  Cp = central/V*(1 + 0*{use})
  d/dt(central) = -CL*Cp
{rest}"""


def found(tmp_path: Path, x: str, use: str, rest: str = ""):
    file = tmp_path / "body.yaml"
    name = re.split(r"[/*]", use)[0]
    text = PART.format(x=f"{x}, source: assumed, note: a test", use=use, rest=rest).replace("  x: ", f"  {name}: ")
    file.write_text(text, encoding="utf-8")
    load_file(file)
    return implausible_values_in(file)


@pytest.mark.parametrize(
    ("name", "field", "by", "told"),
    [
        ("CLx", 'value: 150 L/h, description: "Clearance"', "/CL", "at least 42 % leaves elsewhere"),
        ("Qx", 'value: 400 L/h, description: "Exchange"', "/CL", "all the blood that the heart pumps"),
        ("Vx", 'value: 0.5 L, description: "Volume"', "/V", "plasma is 3 L"),
        ("Vx", 'value: 90000 L, description: "Volume"', "/V", "not within 3 to 20000 L"),
        ("t_x", 'value: 0.1 s, description: "Half-life"', "/day", "from a second to a year"),
        ("kx", 'value: 2 1/s, description: "Rate constant"', "*day", "half-lives from a second to a year"),
        ("fx", 'value: 1.2, description: "Share that stays"', "", "a share is between 0 and 1"),
    ],
)
def test_hard_to_believe(tmp_path, name, field, by, told):
    (fault,) = found(tmp_path, field, f"{name}{by}")
    assert told in fault.message
    assert (fault.line, fault.path) == (10, ("parameters", name, "value"))
    assert "plausible:" in fault.expected
    assert found(tmp_path, f'{field}, plausible: "the paper measured it"', f"{name}{by}") == ()


@pytest.mark.parametrize(
    ("name", "field", "by"),
    [
        ("CLx", 'value: 80 L/h, description: "Clearance"', "/CL"),
        ("Qx", 'value: 150 L/h, description: "Exchange between volumes"', "/CL"),
        ("fx", 'value: 1.2, description: "Gain"', ""),
        ("lag", 'value: 0 h, description: "Delay"', "/day"),
    ],
)
def test_believable(tmp_path, name, field, by):
    assert found(tmp_path, field, f"{name}{by}") == ()


def test_a_share_whose_range_leaves_0_to_1(tmp_path):
    (fault,) = found(tmp_path, 'value: 0.9, range: [0.5, 1.1], description: "Share that stays"', "fx")
    assert fault.path == ("parameters", "fx", "range", 1)


def test_an_excuse_for_nothing(tmp_path):
    (fault,) = found(tmp_path, 'value: 5 L, plausible: "it is small", description: "Volume"', "Vx/V")
    assert "needs no excuse" in fault.message


def test_rival_sets_beyond_the_range_say_why(tmp_path):
    field = 'value: 5 L, range: [4 L, 6 L], description: "Volume"'
    rest = "rivals: {{other: {{Vx: 9 L, source: lee1988{note}}}}}\n"
    (fault,) = found(tmp_path, field, "Vx/V", rest.format(note=""))
    assert "outside of the range of Vx" in fault.message
    assert found(tmp_path, field, "Vx/V", rest.format(note=", note: another assay")) == ()


def test_values_of_accounts_stay_within_the_range(tmp_path):
    found(tmp_path, 'value: 5 L, range: [4 L, 6 L], description: "Volume"', "Vx/V")
    model = tmp_path / "model.yaml"
    model.write_text(
        "format: ldnsim-model/1\nname: model\nversion: 0.1.0\ntitle: A model\nslots: {body: body}\n"
        "accounts:\n  one: {title: One, values: {body.Vx: 9 L}}\noutputs: {Cp: {title: In plasma, unit: nmol/L}}\n",
        encoding="utf-8",
    )
    (fault,) = implausible_values_in(model)
    assert "9 L is outside of the range of body.Vx" in fault.message
    assert fault.line == 7


def test_naltrexone_has_its_reason(tmp_path):
    """Its clearance exceeds the liver's blood flow in all sources; without the reason that is told."""
    path = Path(__file__).parents[1] / "models" / "naltrexone_plasma.yaml"
    assert implausible_values_in(path) == ()
    bare = re.sub(r' plausible: "[^"]*",', "", path.read_text(encoding="utf-8"))
    (tmp_path / path.name).write_text(bare, encoding="utf-8")
    told = implausible_values_in(tmp_path / path.name)
    assert {fault.path for fault in told} == {
        ("parameters", "CL", "value"),
        *(("rivals", f"clearance_{paper}", "CL") for paper in ("meyer1984", "dunbar2007", "licko1981")),
    }


def test_the_command_tells_doubts_and_loading_does_not(tmp_path):
    found(tmp_path, 'value: 150 L/h, description: "Clearance"', "CLx/CL")  # loads without a fault
    told = CliRunner().invoke(app, ["check", str(tmp_path / "body.yaml")])
    assert isinstance(told.exception, LdnsimError)
    assert "leaves elsewhere" in str(told.exception)
