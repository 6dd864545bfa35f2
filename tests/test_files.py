"""Files become records: by name or path, with all they name, and back to the place where they were written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

import ldnsim as ldn
from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.units import Quantity
from ldnsim.library.bibliography import read_bibliography
from ldnsim.library.files import (
    FORMATS,
    faults_in,
    files_under,
    library,
    load_any,
    load_bibliography,
    load_file,
    source_text,
)
from ldnsim.library.people_table import read_people
from ldnsim.model.records import Model, Part
from ldnsim.scenario.changes import setting_of
from ldnsim.scenario.scenario import Scenario

GOOD = Path(__file__).parent / "bad_input" / "good"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The good files, to be changed."""
    for file in GOOD.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def faults(file: Path) -> list[str]:
    with pytest.raises(LdnsimError) as caught:
        load_file(file)
    return [fault.message for fault in caught.value.faults]


# --- the library


@pytest.mark.parametrize("kind", ["models", "parts", "scenarios"])
def test_every_file_of_the_library_is_without_fault(kind):
    names = library(kind)
    assert names
    for name, file in names.items():
        assert load_file(file).name == name  # type: ignore[attr-defined]


def test_by_name_by_path_and_by_text_of_a_path():
    path = library("scenarios")["night_vs_morning"]
    assert ldn.load_scenario("night_vs_morning") == ldn.load_scenario(path) == ldn.load_scenario(str(path))
    assert isinstance(ldn.load_model("ldn"), Model)
    assert isinstance(load_any("ldn"), Model)
    assert isinstance(load_any("occupancy_plasma"), Part)
    assert isinstance(load_any("night_vs_morning"), Scenario)
    assert isinstance(load_any(str(path)), Scenario)
    assert isinstance(load_file(str(path)), Scenario)


@pytest.mark.parametrize(
    ("load", "name", "near"),
    [
        (ldn.load_scenario, "night_vs_mourning", "night_vs_morning"),
        (ldn.load_model, "lnd", "ldn"),
        (load_any, "ocupancy_plasma", "occupancy_plasma"),
        (ldn.load_model, "", ""),
        (ldn.load_model, "n" * 5_000, ""),
        (ldn.load_scenario, "a\0b", ""),
    ],
)
def test_a_name_that_nothing_has(load, name, near):
    with pytest.raises(LdnsimError) as caught:
        load(name)
    assert caught.value.faults[0].nearest == near


def test_a_file_of_another_kind():
    with pytest.raises(LdnsimError, match="this is a scenario, not a model"):
        ldn.load_model(library("scenarios")["first_dose"])
    with pytest.raises(LdnsimError, match="this is a model, not a scenario"):
        ldn.load_scenario(library("models")["ldn"])


def test_the_text_of_a_scenario_is_kept():
    path = library("scenarios")["night_vs_morning"]
    assert ldn.load_scenario(path).text == path.read_text() == source_text("night_vs_morning", "scenarios")


# --- models and their accounts


def test_one_account_of_a_model():
    model = ldn.load_model("ldn", account="transient")
    assert list(model.accounts) == ["transient"]
    assert setting_of(model, "transient").parts["occupancy"].name == "occupancy_plasma"


def test_a_part_chosen_anew_takes_the_account_s_values_for_the_old_one_with_it(folder):
    model = ldn.load_model(folder / "small.yaml", account="slow", receptor="direct")
    (label,) = model.accounts
    assert label == "slow_direct"
    setting = setting_of(model, label)
    assert setting.parts["receptor"].name == "direct"
    assert setting.values["receptor.Kd"] == Quantity(2.0, "ng/mL")
    same = ldn.load_model(folder / "small.yaml", account="slow", receptor="delayed")
    assert setting_of(same, "slow_delayed").values["receptor.Kd"] == Quantity(4.0, "nmol/L")


def test_what_cannot_be_chosen_is_told_at_once():
    with pytest.raises(LdnsimError) as caught:
        ldn.load_model("ldn", account="transent", ocupancy="occupancy_plasma", receptors="receptors_fixd")
    assert [fault.nearest for fault in caught.value.faults] == ["transient", "occupancy", "receptors_fixed"]


def test_shares_and_lists_in_their_short_forms(folder):
    file = folder / "small.yaml"
    file.write_text(file.read_text().replace("{plasma.central: 1}", "{plasma.central: 98.5 %, plasma.gut: 0.015}"))
    model = ldn.load_model(file)
    assert model.inputs["vein"].to == {"plasma.central": 0.985, "plasma.gut": 0.015}
    assert model.drugs["testol"].source == ("assumed",)
    assert [part.name for part in model.slots["plasma"]] == ["one"]


# --- which file a name means


def test_a_file_beside_comes_before_the_library(folder):
    shutil.copy(folder / "small.yaml", folder / "ldn.yaml")
    (folder / "q.yaml").write_text((folder / "once.yaml").read_text().replace("model: small", "model: ldn"))
    assert ldn.load_scenario(folder / "q.yaml").model.name == "small"


def test_a_file_of_another_kind_beside_does_not_hide_the_library(folder):
    text = library("scenarios")["first_dose"].read_text()
    (folder / "ldn.yaml").write_text(text)  # a scenario that has the name of its model
    assert ldn.load_scenario(folder / "ldn.yaml").model.name == "ldn"


def test_a_name_may_lead_through_folders(folder):
    (folder / "deep").mkdir()
    text = (folder / "once.yaml").read_text()
    (folder / "deep" / "q.yaml").write_text(text.replace("model: small", "model: ../small"))
    assert ldn.load_scenario(folder / "deep" / "q.yaml").model.name == "small"
    (folder / "deep" / "q.yaml").write_text(text.replace("model: small", "model: ../small.yaml"))
    assert ldn.load_scenario(folder / "deep" / "q.yaml").model.name == "small"


def test_a_part_is_named_as_its_file(folder):
    (folder / "one.yaml").rename(folder / "two.yaml")
    (folder / "small.yaml").write_text((folder / "small.yaml").read_text().replace("plasma: one", "plasma: two"))
    assert faults(folder / "small.yaml") == ["the file two.yaml holds a part that is named 'one'"]


def test_each_file_is_read_once_and_its_faults_are_told_once(folder):
    part = (folder / "delayed.yaml").read_text()
    (folder / "delayed.yaml").write_text(part.replace("k*(Cp - E)", "k*(Cp - EE)"))
    model = (folder / "small.yaml").read_text().replace("slots:", "slots:\n  again: delayed")
    (folder / "small.yaml").write_text(model)
    assert faults(folder / "once.yaml").count("unknown name 'EE'") == 1


# --- sources


def test_sources_of_one_s_own_stand_in_a_file_beside(folder):
    part = folder / "one.yaml"
    part.write_text(part.read_text().replace("source: assumed, note", "source: me2024, note"))
    assert faults(part) == ["unknown source 'me2024'"] * 6
    (folder / "references.bib").write_text("@misc{me2024,\n  title = {My notes},\n}\n")
    load_file(part)
    assert load_bibliography(folder)["me2024"] == "My notes"
    assert "me2024" not in load_bibliography()


def test_references_that_cannot_be_read_are_reported_with_the_schema_faults(folder):
    (folder / "references.bib").write_bytes(b"@misc{\xff")
    text = (folder / "one.yaml").read_text().replace("ka*gut -", "ka*gutt -")
    (folder / "one.yaml").write_text(text)
    assert faults(folder / "one.yaml") == ["not a text file: these bytes are no UTF-8"]
    (folder / "one.yaml").write_text(text.replace("version:", "verzion:"))
    assert faults(folder / "one.yaml") == ["unknown key 'verzion'", "not a text file: these bytes are no UTF-8"]
    (folder / "references.bib").unlink()
    (folder / "one.yaml").write_text(text)
    assert faults(folder / "one.yaml") == ["unknown name 'gutt'"]


def test_citations():
    text = """
@article{a1999,
  author = {Doe, J. and Roe, R.},
  title = {{On {Things}
    that span {several} lines}},
  year = 1999,
  journal = "J. Things", volume = {3},
  pages = {1--2},
  doi = {10.1/x},
}
@misc{b, institution = {Office},
  pmid = 12
}
not an entry
@misc{c,}
"""
    found = read_bibliography(text)
    assert list(found) == ["a1999", "b", "c"]
    # the second line of a title was dropped without a word
    assert found["a1999"].startswith("Doe, J., Roe, R. (1999). On Things that span several lines. ")
    assert found["a1999"].endswith("1--2. doi:10.1/x")
    assert found["b"] == "Office. PMID 12"


def test_faulty_entries_are_told_with_their_line():
    text = "@misc{a,\n  title = {x}\n}\n@misc{b,\n  title = {y\n}\n@misc{a, year = 1}\n"
    with pytest.raises(ldn.LdnsimError) as caught:
        read_bibliography(text, "mine.bib")
    assert [(fault.file, fault.line, fault.message) for fault in caught.value.faults] == [
        ("mine.bib", 4, "this entry cannot be read"),
        ("mine.bib", 7, "the key 'a' occurs twice"),
    ]


def test_every_source_of_the_library_can_be_cited():
    assert all(citation for citation in load_bibliography().values())


# --- records


def test_records_are_frozen():
    scenario = ldn.load_scenario("first_dose")
    with pytest.raises(ValidationError):
        scenario.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("record_type", FORMATS.values(), ids=FORMATS)
def test_every_kind_of_file_has_a_schema_for_editors(record_type):
    schema = record_type.model_json_schema()
    assert schema["additionalProperties"] is False
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("duration: 14 d", "duration: 14 dd"),
        ("model: small", "model: nowhere"),
        ("model: small\n", ""),
        ("  night:   {regimen: [{input: oral,", "  night:   {regimen: [{input: [oral],"),
        ("population: {size: 5, seed: 1}", "population: 7"),
        ("accounts: [quick, slow]", "accounts: {quick: slow}"),
        ('question: "Night or morning?"', "question: [1]"),
        ('at: "22:00"', "at: 25:00"),
    ],
)
def test_one_slip_does_not_hide_the_others(folder, old, new):
    """With each of these, the same two other faults are told."""
    text = (folder / "once.yaml").read_text()
    assert old in text
    text = text.replace(old, new).replace("until: day 9", "until: day 0").replace("report:", "reprot:")
    (folder / "q.yaml").write_text(text)
    told = faults(folder / "q.yaml")
    assert "unknown key 'reprot'" in told
    assert "'day 0' is not a day" in told
    assert len(told) == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value: 1.5 1/h", "value: 1.5 1/hh"),
        ("value: 1.5 1/h, ", ""),
        ("  ka: {value: 1.5 1/h", "  ka: {vale: 1.5 1/h"),
        (
            'unit: nmol, scale: 1000 nmol, description: "In the gut"',
            'unit: nml, scale: 1000 nmol, description: "In the gut"',
        ),
        ('exports: {Cp: "Concentration"}', "exports: {Cp: [1]}"),
        ("evidence: measured", "evidence: mesured"),
        ("parameters:", "paramters:"),
    ],
)
def test_one_slip_in_a_part_does_not_hide_the_others_nor_bring_in_more(folder, old, new):
    text = (folder / "one.yaml").read_text()
    assert old in text
    text = text.replace(old, new, 1).replace("30 min", "30 minn").replace("version:", "verzion:")
    (folder / "p.yaml").write_text(text)
    told = faults(folder / "p.yaml")
    assert "unknown key 'verzion'" in told
    if new != "paramters:":  # whose contents are not looked at
        assert "unknown unit 'minn'" in told
        assert len(told) == 3
    else:
        assert len(told) == 2


@pytest.mark.parametrize("new", ["Cp = (central/V", "Cp = central//V"])
def test_an_equation_that_cannot_be_read_does_not_hide_the_others_nor_bring_in_more(folder, new):
    text = (folder / "one.yaml").read_text().replace("ka*gut - CL*Cp", "ka*gut - CL*Cp + CL")
    (folder / "p.yaml").write_text(text.replace("Cp = central/V", new, 1))
    told = faults(folder / "p.yaml")
    assert "this term has the unit L/h" in told
    assert len(told) == 2


# --- the stages of checking: YAML, schema, cross-checks


def test_cross_checks_run_once_yaml_and_schema_are_without_fault(folder):
    text = (folder / "once.yaml").read_text().replace("Cp, occupancy", "Cp, ocupancy")
    twice = text.replace("duration: 14 d", "duration: 14 dd\nduration: 14 d")
    steps = [
        (twice, "the key 'duration' stands here a second time, first in line"),
        (text.replace("duration: 14 d", "duration: 14 dd"), "unknown unit 'dd'"),
        (text, "model small has no output 'ocupancy'"),
    ]
    for content, message in steps:
        (folder / "q.yaml").write_text(content)
        (told,) = faults(folder / "q.yaml")
        assert told.startswith(message)


def test_schema_faults_of_a_file_and_of_those_that_it_names_are_reported_together(folder):
    (folder / "one.yaml").write_text((folder / "one.yaml").read_text().replace("30 min", "30 minn"))
    text = (folder / "once.yaml").read_text().replace("Cp, occupancy", "Cp, ocupancy")
    (folder / "q.yaml").write_text(text.replace("duration: 14 d", "duration: 14 dd"))
    assert faults(folder / "q.yaml") == ["unknown unit 'dd'", "unknown unit 'minn'"]
    (folder / "q.yaml").write_text(text)  # its output is checked once its model can be relied on
    assert faults(folder / "q.yaml") == ["unknown unit 'minn'"]


def test_other_files_of_a_folder_are_still_checked_in_full(folder):
    (folder / "a.yaml").write_text((folder / "once.yaml").read_text().replace("14 d", "14 dd"))
    (folder / "b.yaml").write_text((folder / "once.yaml").read_text().replace("Cp, occupancy", "Cp, ocupancy"))
    told = {fault.message for fault in faults_in(files_under([folder]))}
    assert {"unknown unit 'dd'", "model small has no output 'ocupancy'"} <= told


def test_a_table_that_is_no_text_is_not_called_a_yaml_file(tmp_path):
    (tmp_path / "people.csv").write_bytes(b"weight [kg]\n7\xff\n")
    with pytest.raises(LdnsimError) as caught:
        read_people(tmp_path / "people.csv")
    assert [(Path(f.file).name, f.line, f.expected) for f in caught.value.faults] == [
        ("people.csv", 2, "a text file in UTF-8")
    ]
