"""The command line as people use it: a process, its output, its files, its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

import ldnsim as ldn
from ldnsim import cli


def ldnsim(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.argv[0] = 'ldnsim'; from ldnsim.cli import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment}, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    done = ldnsim("run", "night_vs_morning", "--format", "csv,parquet,zarr", cwd=folder)
    return folder, done


def test_the_main_job(ran):
    folder, done = ran
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith("Does it matter whether 4.5 mg is taken at night or in the morning?")
    assert "transient: Opioid tone (hypothesis) rebounds" in " ".join(done.stdout.split())
    assert "pet_pool: Opioid tone (hypothesis) never rises" in " ".join(done.stdout.split())
    assert "difference" in done.stdout
    assert "extrapolated" in done.stdout
    assert "Limitations: " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b[" not in done.stdout  # no colours where there is no terminal
    assert sorted(path.name for path in (folder / "results").iterdir()) == [
        f"night_vs_morning.{end}" for end in ("csv", "html", "nc", "parquet", "zarr")
    ]


def test_netcdf_holds_what_python_gets(ran):
    folder, _ = ran
    result = ldn.simulate(ldn.load_scenario("night_vs_morning"))
    with xr.open_dataset(folder / "results" / "night_vs_morning.nc", engine="h5netcdf") as read:
        xr.testing.assert_equal(read, result)
        assert read.Cp.attrs["units"] == "nmol/L"
        assert read.attrs["scenario_text"] == result.attrs["scenario_text"]
        assert read.attrs["model_hash"] == result.attrs["model_hash"]
        xr.testing.assert_equal(ldn.summarize(read.load()), ldn.summarize(result))


def test_further_formats(ran):
    import pandas as pd

    folder, _ = ran
    table = pd.read_csv(folder / "results" / "night_vs_morning.csv")
    assert len(table) == 4
    assert table.loc[table.account == "transient", "opioid_tone_rebound_hours"].round(1).tolist() == [16.3, 10.8]
    courses = pd.read_parquet(folder / "results" / "night_vs_morning.parquet")
    assert {"account", "arm", "time", "Cp", "opioid_tone"} <= set(courses.columns)
    with xr.open_zarr(folder / "results" / "night_vs_morning.zarr", consolidated=False) as store:
        assert dict(store.sizes) == dict(ldn.simulate(ldn.load_scenario("night_vs_morning")).sizes)


def test_set_is_the_same_as_with_changes(tmp_path):
    done = ldnsim("run", "first_dose", "--set", "once.dose=3 mg", "--set", "EC50=x 2", "--out", "here", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = ldn.simulate(
        ldn.load_scenario("first_dose").with_changes({"once.dose": "3 mg", "occupancy.EC50": "x 2"})
    )
    with xr.open_dataset(tmp_path / "here" / "first_dose.nc", engine="h5netcdf") as read:
        xr.testing.assert_equal(read, expected)
        assert json.loads(read.attrs["changes"]) == {"once.dose": "3 mg", "EC50": "x 2"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nigth_vs_morning"], "did you mean 'night_vs_morning'?"),
        (["run", "night_vs_morning", "--set", "nigth.dose=3 mg"], "did you mean 'night.dose'?"),
        (["run", "night_vs_morning", "--set", "night.dose"], "ADDRESS=VALUE"),
        (["run", "night_vs_morning", "--set", "night.dose=-3 mg"], "negative"),
        (["run", "night_vs_morning", "--set", "occupancy.EC50=3 h"], "expected: a value in ng/mL"),
        (["run", "night_vs_morning", "--set", "receptors.t_R=3 h"], "moves nothing"),
        (["run", "night_vs_morning", "--format", "cvs"], "did you mean 'csv'?"),
        (["run", "missing.yaml"], "there is no such file"),
        (["check", "missing.yaml"], "there is no such file"),
        (["check", "."], "no .yaml file"),
        (["describe", "lnd"], "did you mean 'ldn'?"),
        (["describe", "ldn", "--set", "a=1"], "scenarios only"),
        (["describe", "ldn", "--format", "pdf"], "md, html or json"),
        (["list", "model"], "did you mean 'models'?"),
        (["schema", "scenaro"], "did you mean 'scenario'?"),
        (["new", "no-name.yaml"], "cannot be a scenario file"),
        (["new", "folder/that/is/not/there.yaml"], "cannot write"),
    ],
)
def test_faults_are_one_message_and_exit_1(tmp_path, arguments, said):
    done = ldnsim(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []  # nothing half-written, no folder either


def test_all_faulty_changes_are_told_at_once(tmp_path):
    done = ldnsim(
        "run",
        "night_vs_morning",
        "--set",
        "nigth.dose=3 mg",
        "--set",
        "night.dose=3 h",
        "--set",
        "occupancy.EC50=x y",
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert all(text in done.stderr for text in ("nigth.dose", "night.dose", "occupancy.EC50"))


def test_usage_is_exit_2(tmp_path):
    assert ldnsim("frobnicate", cwd=tmp_path).returncode == 2
    assert ldnsim("run", cwd=tmp_path).returncode == 2


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "results").write_text("in the way")
    done = ldnsim("run", "first_dose", cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot write to results" in done.stderr
    assert (tmp_path / "results").read_text() == "in the way"


def test_failed_cells_are_exit_3_and_everything_is_written(tmp_path):
    done = ldnsim("run", "first_dose", "--set", "endorphin.th0=0", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "None of its runs could be solved" in " ".join(done.stdout.split())
    with xr.open_dataset(tmp_path / "results" / "first_dose.nc", engine="h5netcdf") as read:
        assert (read.status != 0).all()
        assert "no drug-free rhythm" in str(read.reason.values.flat[0])


def test_unforeseen_errors_are_told_without_a_traceback(monkeypatch, capsys):
    def broken() -> None:
        raise RuntimeError("of its own making")

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.setattr(sys, "argv", ["ldnsim"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert "of its own making" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["ldnsim", "--debug"])
    with pytest.raises(RuntimeError):
        cli.main()


def test_starter_is_without_fault_and_kept(tmp_path):
    assert ldnsim("new", "mine.yaml", cwd=tmp_path).returncode == 0
    assert ldnsim("check", "mine.yaml", cwd=tmp_path).stdout == "1 file without faults\n"
    before = (tmp_path / "mine.yaml").read_text()
    again = ldnsim("new", "mine.yaml", cwd=tmp_path)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert (tmp_path / "mine.yaml").read_text() == before


def test_list_names_the_library(tmp_path):
    text = ldnsim("list", cwd=tmp_path).stdout
    assert all(name in text for name in ("ldn", "night_vs_morning", "dose_sizes", "first_dose"))
    assert "occupancy_brain_pool" in ldnsim("list", "parts", cwd=tmp_path).stdout


def test_describe_model_shows_equations_parameters_and_sources(tmp_path):
    text = ldnsim("describe", "ldn", cwd=tmp_path).stdout
    assert "d/dt(D) = log(2)/t_pool*(f*Cp - D)" in text
    assert "| `t_pool` | 26 h | 20 h to 40 h |" in text
    assert "- `lee1988`: Lee" in text
    html = ldnsim("describe", "ldn", "--format", "html", cwd=tmp_path).stdout
    assert "<table>" in html
    record = json.loads(ldnsim("describe", "ldn", "--format", "json", cwd=tmp_path).stdout)
    assert record["name"] == "ldn"


def test_describe_scenario_shows_the_calendar(tmp_path):
    text = ldnsim("describe", "night_vs_morning", "--set", "night.ladder=", cwd=tmp_path)
    assert text.returncode == 1
    text = ldnsim("describe", "night_vs_morning", "--set", "night.every=2 d", cwd=tmp_path).stdout
    assert "- day 1 to 27, every 2 days: 4.5 mg oral at 22:00" in text
    assert "- day 1 to 28: 4.5 mg oral at 08:00" in text


def test_schema_is_json_schema(tmp_path):
    for kind in ("part", "model", "scenario"):
        schema = json.loads(ldnsim("schema", kind, cwd=tmp_path).stdout)
        assert schema["type"] == "object"
        assert "format" in schema["required"]


def test_the_readme_shows_what_is_printed(ran):
    """Every line of the README's block is printed by the command that it names, wherever lines break."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    block = readme.split("```text\n", 1)[1].split("```", 1)[0]
    printed = "".join(ran[1].stdout.split())
    assert "".join(block.split("\n\n")[1].split()) in printed  # the answers
    tone = block[block.index("\nOpioid tone\n") :]
    assert "".join(tone.split()) in printed


def test_the_readme_says_of_the_accounts_what_dose_sizes_prints(tmp_path):
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    claims = readme.split("| says of 4.5 mg every night |", 1)[1].split("\n\n", 1)[0]
    printed = ldnsim("run", "dose_sizes", cwd=tmp_path).stdout
    lines = [line.split() for line in printed.splitlines()]
    rows = [line for line in lines if line[:2] == ["4.5", "mg"] and line[2][0].isdigit()]
    assert len(rows) == 9  # three outputs in three accounts
    numbers = {cell for row in rows for cell in row}
    for number in ("+14.5", "16.3", "1.00", "62.6", "66.7", "0.473", "70.2", "76.0", "0.364"):
        assert number in numbers
        assert number.lstrip("+") in claims


def test_the_readme_yaml_is_a_scenario(tmp_path):
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (tmp_path / "my_question.yaml").write_text(readme.split("```yaml\n", 1)[1].split("```", 1)[0], encoding="utf-8")
    done = ldnsim(
        "describe", "my_question.yaml", "--set", "usual.dose=3 mg", "--set", "occupancy.EC50=x 0.5", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
