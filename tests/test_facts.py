"""Tables of facts: what a value may be, all faults at once with their place, and the library's own copy."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from ldnsim.foundation.errors import LdnsimError
from ldnsim.library.facts import COLUMNS, claims_of_library, facts_of_library, read_claims, read_facts, unfit_faults

HEAD = ",".join(COLUMNS)
SOURCES = ["lee1988", "meyer1984"]


def table(tmp_path: Path, *rows: str, head: str = HEAD) -> Path:
    file = tmp_path / "facts.csv"
    file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return file


def row(
    id="pk001", use="fit", quantity="Cmax", value="1", unit="ng/mL", spread="", source="lee1988", status="verified"
):
    return f'{id},{use},{quantity},"{value}",{unit},{spread},,,,,{source},{status},'


def faults_of(*rows: str, tmp_path: Path, head: str = HEAD):
    with pytest.raises(LdnsimError) as caught:
        read_facts([table(tmp_path, *rows, head=head)], SOURCES)
    return caught.value.faults


@pytest.mark.parametrize(
    ("value", "unit", "spans"),
    [
        ("13.3", "ng/mL", [(13.3, 13.3)]),
        ("-1.3, -0.9", "points", [(-1.3, -1.3), (-0.9, -0.9)]),
        ("5-40", "%", [(5, 40)]),
        ("3.081e-05", "1/h", [(3.081e-05, 3.081e-05)]),
        (">30", "d", [(30, math.inf)]),
        ("<1", "%", [(-math.inf, 1)]),
        ("10:43", "clock", [(10 + 43 / 60, 10 + 43 / 60)]),
        ("22:00-03:30, 04:00-10:00", "clock", [(22, 27.5), (4, 10)]),
        ("no change", "text", []),
    ],
)
def test_values(tmp_path, value, unit, spans):
    fact = read_facts([table(tmp_path, row(value=value, unit=unit))], SOURCES)["pk001"]
    assert [(span.low, span.high) for span in fact.numbers] == spans


@pytest.mark.parametrize(("value", "middle"), [("5-40", 22.5), (">30", 30), ("<1", 1), ("7", 7)])
def test_the_middle_of_a_number(tmp_path, value, middle):
    fact = read_facts([table(tmp_path, row(value=value))], SOURCES)["pk001"]
    assert fact.numbers[0].middle == middle


@pytest.mark.parametrize(
    ("changes", "message", "expected", "near"),
    [
        ({"use": "tset"}, "unknown use 'tset'", "fit, test, context", "test"),
        ({"status": "checked"}, "unknown status 'checked'", "verified, secondary, memory, derived", ""),
        ({"value": "about 5"}, "'about 5' is no number", "text", ""),
        ({"value": "nan"}, "'nan' is no number", "text", ""),
        ({"unit": "ng/mll"}, "unknown unit 'ng/mll'", "fold, clock, points, text", "ng/mL"),
        ({"unit": "flod"}, "unknown unit 'flod'", "fold", "fold"),
        ({"unit": "clock"}, "'1' in clock", "clock", ""),
        ({"value": "10:43"}, "'10:43' in ng/mL", "clock", ""),
        ({"source": "lee1989"}, "unknown source 'lee1989'", "references.bib", "lee1988"),
        ({"source": ""}, "has no source", "references.bib", ""),
        ({"spread": "a lot"}, "'a lot' is no spread", "2.6 SD", ""),
        ({"id": "one"}, "'one' is no id", "pk001", ""),
        ({"quantity": ""}, "says not what", "measured", ""),
    ],
)
def test_faults_of_a_row(tmp_path, changes, message, expected, near):
    (fault,) = faults_of(row(**changes), tmp_path=tmp_path)
    assert message in fault.message
    assert expected in fault.expected
    assert fault.nearest == near
    assert fault.file.endswith("facts.csv")
    assert fault.line == 2


def test_all_faults_at_once(tmp_path):
    found = faults_of(row(use="f", value="x"), row("pk002"), row("pk002"), "pk003,fit", tmp_path=tmp_path)
    assert [(fault.line, fault.message.split("'")[0].strip()) for fault in found] == [
        (2, "unknown use"), (2, ""), (4, "the id pk002 stands twice"), (5, "2 cells in this row"),
    ]  # fmt: skip


def test_columns(tmp_path):
    head = HEAD.replace("status", "stauts")
    found = faults_of(row(), tmp_path=tmp_path, head=head)
    assert [fault.message for fault in found] == ["unknown column 'stauts'", "the column 'status' is missing"]
    assert found[0].nearest == "status"


def test_derived_facts_need_no_source(tmp_path):
    assert read_facts([table(tmp_path, row(source="", status="derived"))], SOURCES)["pk001"].source == ""


def test_only_facts_for_fitting_may_be_fitted_to():
    facts = facts_of_library()
    assert not list(unfit_faults(["pd001", "pk015"], facts))
    test, unknown = unfit_faults(["pk028", "pk9"], facts)
    assert "pk028 is for test, not for fitting" in test.message
    assert "there is no fact 'pk9'" in unknown.message


class TestLibrary:
    def test_the_facts_of_the_design_are_there(self):
        facts = facts_of_library()
        assert {use: sum(fact.use == use for fact in facts.values()) for use in ("fit", "test")}["fit"] >= 35
        assert facts["pk041"].numbers[0].low == 0.584
        assert facts["pd047"].numbers[0].low == 94.9  # weerts2008: human mu
        assert facts["pd048"].numbers[0].low == 21.1  # and delta
        assert "72 and 144 h" in facts["pd049"].value  # 12.5 mg scanned for six days
        assert facts["pd034"].source == "clementjones1981"

    def test_facts_to_be_met_have_numbers_or_words(self):
        for fact in facts_of_library().values():
            assert bool(fact.numbers) == (fact.unit != "text"), fact.id

    def test_a_test_fact_is_not_a_fit_fact_of_the_same_number(self):
        seen: dict[tuple[str, ...], str] = {}
        for fact in facts_of_library().values():
            key = (fact.quantity, fact.dose, fact.route, fact.when, fact.source)
            assert seen.setdefault(key, fact.use) == fact.use, fact.id

    def test_claims_are_answered_by_facts(self):
        claims = claims_of_library()
        assert len(claims) >= 8
        facts = facts_of_library()
        assert all(id in facts for claim in claims for id in claim.facts)


def test_claims_with_faults(tmp_path):
    file = tmp_path / "claims.csv"
    file.write_text("claim,data,facts\nIt helps,,\nIt rests,No,pk001 pk999\n", encoding="utf-8")
    with pytest.raises(LdnsimError) as caught:
        read_claims(file, ["pk001", "pk998"])
    assert [fault.line for fault in caught.value.faults] == [2, 3]
    assert re.search("no fact 'pk999'", str(caught.value))
