"""`ldnsim data` and `ldnsim export`: files in and out, notes, exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest
from recording import RECORDED

import ldnsim as ldn
from ldnsim import cli

DATA = "ID,TIME,EVID,AMT,CMT,CL,visit\n1,0,1,100,2,1.1,a\n1,5,0,.,.,1.1,b\n"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """run(argument, ...) in an empty folder -> exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ldnsim", *arguments])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def files(folder: Path = Path()) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_row_out_per_row_in(run):
    Path("data.csv").write_text(DATA)
    code, out, err = run("data", str(RECORDED), "data.csv", "-o", "out.csv", "--outputs", "A2,CP")
    assert (code, err) == (0, "")
    assert "Columns that were not used: visit." in out
    assert "Columns taken for parameters: CL (plasma.CL)." in out
    assert "2 rows written to out.csv" in out
    found = pd.read_csv("out.csv")
    assert list(found.columns) == [*DATA.splitlines()[0].split(","), "A2", "CP", "status"]
    expected = ldn.simulate_data(ldn.load_model(RECORDED), pd.read_csv("data.csv", na_values="."), outputs=["A2"])
    assert found.A2.tolist() == expected.A2.tolist()
    assert files() == ["data.csv", "out.csv"]


def test_faults_name_file_row_and_column(run):
    Path("data.csv").write_text(DATA + "1,4,1,x,7,1.1,c\n")
    code, out, err = run("data", str(RECORDED), "data.csv", "-o", "out.csv")
    assert (code, out) == (1, "")
    assert "data.csv: row 3.AMT: 'x' is no finite number" in err
    assert "data.csv: row 3.CMT: there is no compartment 7" in err
    assert "data.csv: row 3.TIME: time goes back from 5 to 4 h" in err
    assert "Traceback" not in err
    assert files() == ["data.csv"]


def test_the_data_set_itself_is_never_written_over(run):
    Path("data.csv").write_text(DATA)
    Path("link.csv").symlink_to("data.csv")
    for out in ("data.csv", "./data.csv", "link.csv"):
        code, _, err = run("data", str(RECORDED), "data.csv", "-o", out)
        assert code == 1
        assert "is the data set itself" in err
    assert Path("data.csv").read_text() == DATA


def test_no_such_file_and_no_place_to_write(run):
    assert run("data", str(RECORDED), "none.csv", "-o", "out.csv")[0] == 1
    Path("data.csv").write_text(DATA)
    code, _, err = run("data", str(RECORDED), "data.csv", "-o", "no/where/out.csv")
    assert code == 1
    assert "cannot be written" in err
    assert files() == ["data.csv"]


def test_someone_who_cannot_be_solved(run):
    Path("data.csv").write_text("ID,TIME,EVID,AMT,CMT,V\n1,0,1,100,2,0\n1,5,0,.,.,0\n2,0,1,100,2,20\n")
    code, out, _ = run("data", str(RECORDED), "data.csv", "-o", "out.csv", "--outputs", "CP")
    assert code == 3
    assert "1 of 2 individuals could not be solved: 1." in out
    found = pd.read_csv("out.csv", na_values=".")
    assert found.CP.isna().tolist() == [True, True, False]
    assert found.status[2] == "solved"


def test_without_pandas_it_says_what_to_install(run, monkeypatch):
    Path("data.csv").write_text(DATA)
    monkeypatch.setitem(sys.modules, "pandas", None)
    code, _, err = run("data", str(RECORDED), "data.csv", "-o", "out.csv")
    assert code == 1
    assert "pip install 'ldnsim[tables]'" in err


def test_doses_go_out_and_come_back(run):
    code, out, _ = run("export", "night_vs_morning", "--to", "nonmem", "--account", "pet_pool", "-o", "doses.csv")
    assert code == 0
    assert "56 records of 2 individuals written to doses.csv" in out
    code, out, _ = run("data", "ldn", "doses.csv", "--account", "pet_pool", "-o", "out.csv", "--outputs", "Cp")
    assert code == 0
    assert len(pd.read_csv("out.csv")) == 56


def test_changes_are_exported(run):
    to = ("--to", "nonmem", "--account", "pet_pool", "-o", "doses.csv")
    assert run("export", "night_vs_morning", *to, "--set", "night.dose=3 mg", "--set", "plasma.CL=100 L/h")[0] == 0
    doses = pd.read_csv("doses.csv")
    assert doses["plasma.CL"].eq(100).all()
    assert doses.AMT[0] / doses.AMT[28] == pytest.approx(3 / 4.5)


def test_other_formats_are_not_there_yet(run):
    code, _, err = run("export", "night_vs_morning", "--to", "paper", "-o", "doses.csv")
    assert code == 1
    assert "expected: nonmem" in err
