"""CSV tables are read by one reader: same faults, same places, whatever the table is of."""

from __future__ import annotations

import pytest

from ldnsim.foundation.csv_tables import CsvHeader, header_faults, headers, read_csv
from ldnsim.foundation.errors import LdnsimError
from ldnsim.library.facts import COLUMNS, read_claims, read_facts
from ldnsim.library.fit_file import DataTable
from ldnsim.library.observations import observations
from ldnsim.library.people_table import read_people
from ldnsim.simulation.nonmem import read_table


def observed(path, check=lambda fact: []):
    facts, faults = observations(path, DataTable(file=path.name, unit="ng/mL", of="testol", cv="10 %"), check)
    if faults:
        raise LdnsimError(faults)
    return facts


READERS = {
    "people": (read_people, "weight [kg],age [year]", "80,40", "person"),
    "observations": (observed, "arm,output,time,value", "once,Cp,1 h,80", "observation"),
    "facts": (lambda path: read_facts([path], []), ",".join(COLUMNS), ",".join("x" * len(COLUMNS)), "fact"),
    "claims": (lambda path: read_claims(path, ["pk001"]), "claim,data,facts", "It rests,No,pk001", "claim"),
    "data sets": (read_table, "ID,TIME,EVID", "1,0,0", "record"),
}


@pytest.fixture(params=READERS)
def reader(request, tmp_path):
    """A reader of tables; a function that writes one and returns the faults; a header; a good row; what a row is."""
    read, header, row, row_is = READERS[request.param]

    def faults_of(content: bytes):
        file = tmp_path / "table.csv"
        file.write_bytes(content)
        with pytest.raises(LdnsimError) as caught:
            read(file)
        return caught.value.faults

    return faults_of, header, row, row_is


class TestEveryReader:
    def test_a_row_of_too_few_cells(self, reader):
        faults_of, header, row, _ = reader
        found = faults_of(f"\ufeff{header}\r\n\r\n{row},1\r\n{row},1,2\r\n".encode())
        width = header.count(",") + 1
        assert [(fault.line, fault.column, fault.message) for fault in found] == [
            (3, 1, f"{width + 1} cells in this row"), (4, 1, f"{width + 2} cells in this row"),
        ]  # fmt: skip
        assert {fault.expected for fault in found} == {f"{width}, as in the header"}
        assert found[0].source_line == f"{row},1"

    @pytest.mark.parametrize(
        ("content", "line", "message"),
        [
            (b"", 1, "the file is empty"),
            (b"HEADER\n,\n", 1, "the table has no rows"),
            (b'HEADER\nROW\n"1,2\n3\n', 3, "this is no CSV: unexpected end of data"),
            (b"HEADER\nROW\n1\xff\n", 3, "not a text file: these bytes are no UTF-8"),
            ("HEADER\n".encode("utf-16"), 0, "the file is in UTF-16"),
        ],
    )
    def test_what_is_no_table(self, reader, content, line, message):
        faults_of, header, row, row_is = reader
        found = faults_of(content.replace(b"HEADER", header.encode()).replace(b"ROW", row.encode()))
        assert [(fault.line, fault.message) for fault in found] == [(line, message)]
        if "empty" in message or "no rows" in message:
            assert found[0].expected == f"a header, and a row for each {row_is}"


def table(tmp_path, text, **limits):
    file = tmp_path / "table.csv"
    file.write_text(text, encoding="utf-8")
    return read_csv(file, row_is="row", **limits)


@pytest.mark.parametrize(
    ("text", "cell", "place"),
    [
        ("a,b,c\n1,2,3\n", 2, (2, 5)),
        ("a,b,c\n1,2,\n", 2, (2, 5)),
        ('a,b,c\n"1,5","2""3,",4\n', 2, (2, 15)),
        ('a,b,c\n1,"two\nlines, here",4\n', 2, (3, 14)),
        ('"a\na",b,c\n1,2,3\n', 1, (3, 3)),
    ],
)
def test_the_place_of_a_cell(tmp_path, text, cell, place):
    found = table(tmp_path, text)
    fault = found.located(LdnsimError("wrong").faults[0], found.rows[0], cell)
    assert (fault.line, fault.column) == place
    assert fault.source_line == text.split("\n")[place[0] - 1]


def test_limits(tmp_path):
    with pytest.raises(LdnsimError, match=r"the file has 8 bytes\n  expected: at most 7"):
        table(tmp_path, "a\n1\n2\n3\n", largest=7)
    with pytest.raises(LdnsimError, match=r"table.csv:4:1: 3 rows\n(.*\n)*  expected: at most 2"):
        table(tmp_path, "a\n1\n2\n3\n", most_rows=2)
    assert len(table(tmp_path, "a\n1\n2\n3\n", largest=8, most_rows=3).rows) == 3


def test_units_in_the_header(tmp_path):
    found, faults = headers(table(tmp_path, "weight [kg] , person.age[ year ],female\n1,2,3\n"))
    assert (found, faults) == (
        [CsvHeader("weight", "kg"), CsvHeader("person.age", "year"), CsvHeader("female", "")],
        [],
    )


def test_faults_of_a_header(tmp_path):
    read = table(tmp_path, "time [hh],tmie,,time,a [b] c\n1,2,3,4,5\n")
    found, faults = headers(read)
    assert [(fault.column, fault.message) for fault in faults] == [
        (1, "unknown unit 'hh'"), (16, "'' is not the name of a column"), (17, "the column 'time' stands here twice"),
        (22, "'a [b] c' is not the name of a column"),
    ]  # fmt: skip
    unknown = list(header_faults(read, found[:2], ["value"], ["time", "value"], []))
    assert [(fault.column, fault.message, fault.nearest) for fault in unknown] == [
        (1, "the column 'time' has no unit", ""), (11, "unknown column 'tmie'", "time"),
        (1, "the column 'value' is missing", ""),
    ]  # fmt: skip


def test_observations_take_units_from_the_header_else_from_the_table(tmp_path):
    file = tmp_path / "lab.csv"
    file.write_text("arm,output,time [min],value [ug/L],sd\nonce,Cp,30,80,3\nonce,Cp,2 h,7 ng/mL,1 ug/L\n")
    first, second = observed(file).values()
    assert [str(first.at), str(first.value), str(first.sd)] == ["0.5", "80 ug/L", "3 ng/mL"]
    assert [str(second.at), str(second.value), str(second.sd)] == ["2.0", "7 ng/mL", "1 ug/L"]
    file.write_text("arm [1],output,time,value\nonce,Cp,1 h,80\n")
    with pytest.raises(LdnsimError, match="the column 'arm' has no unit"):
        observed(file)
