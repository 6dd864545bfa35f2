"""Help, completion, JSON, listings and options of the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
import xarray as xr
from test_cli import ldnsim

import ldnsim as ldn
from ldnsim.report.listing import KINDS

COMMANDS = ("run", "sweep", "merge", "data", "export", "list", "describe", "check", "validate", "discriminate", "fit",
            "schema", "new")  # fmt: skip


@pytest.mark.parametrize("width", ["60", "80"])
def test_the_list_of_commands_is_not_cut(tmp_path, width):
    done = ldnsim("--help", cwd=tmp_path, COLUMNS=width)
    assert done.returncode == 0
    assert not re.search(r"[a-z]\.\.\.", done.stdout)
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout
    assert done.stdout.index("\n  run ") < done.stdout.index("\n  discriminate ")
    summaries = done.stdout.partition("Commands:")[2].partition("Start with:")[0]
    assert summaries.count(".") >= len(COMMANDS)  # each is a whole sentence


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_exit_codes(tmp_path, command):
    done = ldnsim(command, "--help", cwd=tmp_path)
    text = " ".join(done.stdout.split())
    assert f"Examples: ldnsim {command}" in text
    assert "Exit codes: 0 done; 1" in text
    assert not re.search(r"[a-z]\.\.\.", done.stdout)  # no sentence is cut


def complete(words: str, cwd) -> list[str]:
    code = "import sys; sys.argv[0] = 'ldnsim'; from ldnsim.cli import main; main()"
    environment = {
        **os.environ, "_LDNSIM_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    return done.stdout.split()


def test_completion_knows_names(tmp_path):
    assert "night_vs_morning" in complete("ldnsim run night", tmp_path)
    assert complete("ldnsim fit loop_pet_p", tmp_path) == ["loop_pet_pool"]
    assert set(complete("ldnsim run first_dose --solver ", tmp_path)) == {"native", "reference"}
    assert "validate" in complete("ldnsim val", tmp_path)
    assert complete("ldnsim list met", tmp_path) == ["metrics"]


def test_the_answer_as_json(tmp_path):
    done = ldnsim("run", "night_vs_morning", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    table = ldn.summarize(ldn.simulate(ldn.load_scenario("night_vs_morning")))
    one = next(
        record
        for record in found["metrics"]
        if (record["output"], record["metric"], record["account"], record["arm"])
        == ("opioid_tone", "rebound_hours", "transient", "night")
    )
    assert one["value"] == float(table.opioid_tone_rebound_hours.sel(account="transient", arm="night"))
    assert (one["unit"], one["evidence"]) == ("h", "hypothesis")
    none = [record for record in found["metrics"] if record["value"] is None]
    assert none
    assert all(record["reason"] for record in none)
    assert found["answers"]
    assert found["disclaimer"]
    assert found["files"] == ["results/night_vs_morning.nc", "results/night_vs_morning.html"]


def test_people_as_json_have_a_range(tmp_path):
    done = ldnsim("run", "compounding_potency", "--set", "population.size=5", "--json", "--out", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = next(r for r in json.loads(done.stdout)["metrics"] if r["metric"] == "Cmax")
    assert record["people_5_percent"] <= record["value"] <= record["people_95_percent"]


def test_other_commands_as_json(tmp_path):
    listed = json.loads(ldnsim("list", "accounts", "ldn", "--json", cwd=tmp_path).stdout)
    assert [entry["name"] for entry in listed["accounts"]] == ["transient", "pet_pool", "pet_slow"]
    text = "format: ldnsim-scenario/1\nname: bad\nquestion: what\nmodel: ldn\ndurations: 2 d\narms: {}\n"
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    done = ldnsim("check", "bad.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 1
    faults = json.loads(done.stdout)["faults"]
    assert ("durations" in faults[0]["message"], faults[0]["line"], faults[0]["nearest"]) == (True, 5, "duration")
    rows = json.loads(ldnsim("validate", "--json", cwd=tmp_path).stdout)["rows"]
    assert {"fact", "predicted", "observed", "tag"} <= rows[0].keys()
    swept = ldnsim("sweep", "first_dose", "-o", "s.zarr", "--axis", "once.dose=1.5 mg,3 mg", "--json", cwd=tmp_path)
    assert json.loads(swept.stdout)["failed"] == 0, swept.stderr


def test_quiet_says_nothing(tmp_path):
    done = ldnsim("run", "first_dose", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "results" / "first_dose.nc").exists()


def test_solver_tolerance_and_start_reach_the_engine(tmp_path):
    options = ["--solver", "reference", "--rtol", "1e-5", "--start", "steady_state", "--out", "."]
    done = ldnsim("run", "night_vs_morning", *options, "--set", "duration=2 d", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    scenario = ldn.load_scenario("night_vs_morning").with_changes({"duration": "2 d"})
    scenario = scenario.model_copy(update={"start": "steady_state"})
    with xr.open_dataset(tmp_path / "night_vs_morning.nc", engine="h5netcdf") as read:
        expected = ldn.simulate(scenario, solver="reference", rtol=1e-5)
        xr.testing.assert_equal(read, expected)
        assert (read.attrs["solver"], read.attrs["rtol"], read.attrs["start"]) == ("reference", 1e-5, "steady_state")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "first_dose", "--solver", "natvie"], "did you mean 'native'?"),
        (["run", "first_dose", "--start", "steady"], "steady_state"),
        (["data", "ldn", "doses.csv", "-o", "out.csv"], "--account transient or --account pet_pool"),
        (["data", "ldn", "doses.csv", "-o", "out.csv", "--account", "transient", "--rtol", "0"], "--rtol 0"),
        (["run", "first_dose", "--rtol", "nan"], "a number from 1e-12 to 0.1"),
        (["run", "first_dose", "--rtol", "5"], "a number from 1e-12 to 0.1"),
        (["export", "dose_sizes", "--to", "nonmem", "-o", "x.csv"], "--account transient or --account pet_pool"),
        (["list", "metrics", "ldn"], "metrics do not belong to a model"),
        (["list", "metrcis"], "did you mean 'metrics'?"),
        (["list", "accounts", "lnd"], "did you mean 'ldn'?"),
    ],
)
def test_faults_speak_of_the_command_line(tmp_path, arguments, said):
    (tmp_path / "doses.csv").write_text("ID,TIME,EVID,AMT,CMT\n1,0,1,100,oral\n", encoding="utf-8")
    done = ldnsim(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["doses.csv"]


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_can_be_listed_is(tmp_path, kind):
    done = ldnsim("list", kind, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines
    assert all(len(line.split()) >= 2 for line in lines), lines


@pytest.mark.parametrize("arguments", ["list sources", "run first_dose", "run first_dose --json", "describe ldn"])
def test_a_pipe_that_closes_is_no_fault(tmp_path, arguments):
    code = "import sys; sys.argv[0] = 'ldnsim'; from ldnsim.cli import main; main()"
    command = f"'{sys.executable}' -c \"{code}\" {arguments} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_ctrl_c_ends_without_a_word(tmp_path):
    code = (
        "import os, signal, sys; sys.argv = ['ldnsim', 'list']; import ldnsim.report.listing as listing; "
        "listing.entries = lambda *_: os.kill(os.getpid(), signal.SIGINT); from ldnsim.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_titles_are_those_of_the_checked_files():
    from ldnsim.library.files import load_file
    from ldnsim.library.index import library
    from ldnsim.report.listing import entries

    for kind in ("models", "parts", "scenarios", "fits"):
        found = entries(kind)
        assert found
        files = library(kind)
        for name, title in found:
            record = load_file(files[name])
            assert title == (getattr(record, "question", "") or record.title)


@pytest.mark.parametrize("title", ["'It''s one'", ">-\n  It's\n  one", '"It\'s one"', "It's one # a remark"])
def test_titles_are_read_as_yaml(tmp_path, title):
    from ldnsim.library.index import title_of

    (tmp_path / "a.yaml").write_text(f"format: ldnsim-part/1\ntitle: {title}\nname: a\n", encoding="utf-8")
    assert title_of(tmp_path / "a.yaml") == "It's one"


def test_listing_files_loads_nothing_heavy(tmp_path):
    code = (
        "import sys; sys.argv = ['ldnsim', 'list']; from ldnsim.cli.app import app; import ldnsim.cli; "
        "app(standalone_mode=False); print(sorted({'pint', 'numpy', 'pandas', 'xarray'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
    assert "More with `ldnsim list KIND [MODEL]`: parts, accounts" in done.stdout


@pytest.mark.parametrize("change", [[], ["--set", "endorphin.th0=0"]])
def test_people_without_a_value_have_a_reason(tmp_path, change):
    done = ldnsim("run", "compounding_potency", "--set", "population.size=3", *change, "--json", cwd=tmp_path)
    none = [record for record in json.loads(done.stdout)["metrics"] if record["value"] is None]
    assert none
    assert all(record["reason"] for record in none)


def test_describe_as_json(tmp_path):
    done = ldnsim("describe", "ldn", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["name"] == "ldn"
