"""Data sets that cannot be: one error with all faults, by row and column."""

from __future__ import annotations

import pandas as pd
import pytest
from recording import amounts, model, records

import ldnsim as ldn
from ldnsim.foundation.errors import LdnsimError

HEAD = "ID TIME EVID AMT CMT RATE II ADDL SS"
GOOD = "1 0 1 100 2 . . . ."


def faults(text: str | pd.DataFrame) -> list[str]:
    """The faults as they are told, a text each."""
    with pytest.raises(LdnsimError) as caught:
        ldn.simulate_data(model(), records(text) if isinstance(text, str) else text, outputs=["A2"])
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("row", "place", "said"),
    [
        ("1 5 1 x 2 10 12 . 1", "row 2.AMT", "'x'"),
        ("1 5 1 0 2 x . . 1", "row 2.RATE", "'x'"),
        ("1 5 1 100 2 . 12 . .", "row 2.II", "neither ADDL nor SS"),
        ("1 5 1 100 2 . . 3 .", "row 2.II", "ADDL without II"),
        ("1 5 1 100 2 . . . 1", "row 2.II", "SS without II"),
        ("1 5 1 100 2 10 . . 1", "row 2.II", "SS without II"),
        ("1 5 1 0 2 10 12 . 1", "row 2.AMT", "nothing at an interval"),
        ("1 5 1 0 2 10 . . .", "row 2.AMT", "infusion of nothing"),
        ("1 5 1 . 2 . . . .", "row 2.AMT", "without an amount"),
        ("1 5 1 -3 2 . . . .", "row 2.AMT", "negative"),
        ("1 5 1 100 2 -3 . . .", "row 2.RATE", "negative"),
        ("1 5 1 100 2 . -12 2 .", "row 2.II", "negative"),
        ("1 5 1 100 2 . 12 -2 .", "row 2.ADDL", "negative"),
        ("1 5 1 100 1 -1 . . .", "row 2.RATE", "no rate"),
        ("1 5 1 100 1 -2 . . .", "row 2.RATE", "no duration"),
        ("1 5 1 100 3 . . . .", "row 2.CMT", "no compartment 3"),
        ("1 5 1 100 0 . . . .", "row 2.CMT", "no compartment"),
        ("1 5 1 100 . . . . .", "row 2.CMT", "no compartment"),
        ("1 5 1 100 1.5 . . . .", "row 2.CMT", "no compartment '1.5'"),
        ("1 5 1 100 centrall . . . .", "row 2.CMT", "did you mean 'plasma.central'"),
        ("1 5 0 . -2 . . . .", "row 2.CMT", "switched off"),
        ("1 5 1 100 2 . 12 1.5 .", "row 2.ADDL", "1.5"),
        ("1 5 1 100 2 . 12 . 3", "row 2.SS", "3"),
        ("1 5 5 . . . . . .", "row 2.EVID", "5"),
        ("1 5 1.5 . . . . . .", "row 2.EVID", "1.5"),
        ("1 5 0 100 . . . . .", "row 2.AMT", "gives no dose"),
        ("1 5 3 100 2 . . . .", "row 2.AMT", "gives no dose"),
        ("1 5 2 . . 10 . . .", "row 2.RATE", "gives no dose"),
        ("1 5 0 . . . . 2 .", "row 2.ADDL", "gives no dose"),
        ("1 -5 0 . . . . . .", "row 2.TIME", "goes back from 0 to -5"),
        ("1 . 0 . . . . . .", "row 2.TIME", "without a time"),
        ("1 soon 0 . . . . . .", "row 2.TIME", "'soon' is no finite number"),
        ("1 25:00 0 . . . . . .", "row 2.TIME", "no clock time"),
        ("1 12:60 0 . . . . . .", "row 2.TIME", "no clock time"),
        ("1 inf 0 . . . . . .", "row 2.TIME", "'inf' is no finite number"),
        ("1 nan 0 . . . . . .", "row 2.TIME", "'nan' is no finite number"),
        ("1 5 1 1e400 2 . . . .", "row 2.AMT", "no finite number"),
        ("1 5 1 much 2 . . . .", "row 2.AMT", "'much'"),
        (". 5 0 . . . . . .", "row 2.ID", "nobody"),
    ],
)
def test_each_fault_with_its_row_and_column(row, place, said):
    told = faults(f"{HEAD}\n{GOOD}\n{row}")
    assert len(told) == 1, told
    assert told[0].startswith(place + ": ")
    assert said in told[0]
    assert "expected: " in told[0]


def test_all_at_once():
    told = faults(
        f"{HEAD}\n1 0 1 -1 9 . . . .\n1 9 7 . . . . . .\n2 3 1 x 2 . 12 . .\n2 1 0 . . . . . .\n1 4 0 . . . . . ."
    )
    places = [text.split(": ")[0] for text in told]
    assert places[:2] == ["row 1.CMT", "row 1.AMT"]
    assert set(places) == {"row 1.CMT", "row 1.AMT", "row 2.EVID", "row 3.AMT", "row 3.II", "row 4.TIME", "row 5.ID"}
    assert "further up" in told[-1]


def test_many_faults_are_bounded():
    rows = "\n".join(f"1 {number} 1 x y . . . ." for number in range(500))
    with pytest.raises(LdnsimError) as caught:
        amounts(f"{HEAD}\n{rows}")
    assert len(caught.value.faults) <= 100
    assert "more" in str(caught.value)
    assert str(caught.value).count("\n") < 200


def test_headers():
    told = faults(pd.DataFrame([["1", "0", "0", "1"]], columns=["ID", "TIME", "EVID", "time"]))
    assert len(told) == 1
    assert "columns 2 and 4 are both called 'TIME'" in told[0]
    told = faults(pd.DataFrame({"ID": [1], "TIMES": [0]}))
    assert [text.split("\n")[0] for text in told] == [
        "header: there is no column TIME",
        "header: there is no column EVID",
    ]
    assert "did you mean 'TIMES'" in told[0]
    told = faults(pd.DataFrame({"ID": [1], "TIME": [0], "EVID": [1], "AMT": [5]}))
    assert "there is no column CMT" in told[0]
    told = faults(pd.DataFrame({"ID": [1], "TIME": [0], "EVID": [0], "": [5]}))
    assert "column 4 has no name" in told[0]


def test_no_rows():
    told = faults(pd.DataFrame({"ID": [], "TIME": [], "EVID": []}))
    assert len(told) == 1
    assert "no rows" in told[0]
    assert len(faults(pd.DataFrame())) == 4


def test_two_columns_of_one_parameter():
    told = faults("ID TIME EVID CL plasma.cl\n1 0 0 1 2")
    assert len(told) == 1
    assert "'CL' and 'plasma.cl' are both plasma.CL" in told[0]


@pytest.mark.parametrize(
    ("column", "row", "said"),
    [
        ("LAGT", "1 0 1 100 2 . -1", "a lag that is not negative"),
        ("BIOAV", "1 0 1 100 2 . -0.1", "a bioavailability that is not negative"),
        ("DUR2", "1 0 1 100 2 -2 0", "a duration above 0"),
        ("RAT2", "1 0 1 100 2 -1 0", "a rate above 0"),
    ],
)
def test_values_that_no_dose_can_have(column, row, said):
    told = faults(f"ID TIME EVID AMT CMT RATE {column}\n{row}")
    assert len(told) == 1
    assert told[0].startswith("row 1: plasma.")
    assert said in told[0]


def test_a_parameter_that_is_no_number():
    assert "row 1.CL: 'low' is no finite number" in faults("ID TIME EVID CL\n1 0 0 low")[0]


def test_values_that_doses_do_not_meet_are_free():
    assert amounts("ID TIME EVID AMT CMT LAGT\n1 0 1 100 1 -1\n1 1 0 . . -1").status.eq("solved").all()


def test_too_many_doses_to_follow():
    told = faults("ID TIME EVID AMT CMT II ADDL\n1 0 1 1 2 1e-9 1000000000\n1 9 0 . . . .")
    assert "1e+09 doses in all" in told[0]
    assert told[0].startswith("row 1.ADDL")


def test_unknown_outputs():
    with pytest.raises(LdnsimError, match="did you mean 'CP'"):
        ldn.simulate_data(model(), records("ID TIME EVID\n1 0 0"), outputs=["CPP"])


def test_a_model_with_several_accounts():
    with pytest.raises(LdnsimError, match="3 accounts"):
        ldn.simulate_data(ldn.load_model("ldn"), records("ID TIME EVID\n1 0 0"))


def test_records_that_follow_too_closely_to_be_told_apart():
    """At one time more doses and looks than the clock has steps up to the next record."""
    rows = [f"1 1000 {evid} . ." if evid == "0" else "1 1000 1 1 2" for evid in "10" * 40]
    late = repr(1000 + 2e-13)
    told = faults("ID TIME EVID AMT CMT\n" + "\n".join([*rows, f"1 {late} 0 . ."]))
    assert "order is lost in rounding" in told[0]
