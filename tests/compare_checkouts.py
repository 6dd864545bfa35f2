"""python tests/compare_checkouts.py BEFORE AFTER: exit 1 unless both checkouts give the same bits.

For changes that must move no number: each checkout does the same jobs by its public interface (the command `ldnsim` and
`import ldnsim`), and what they wrote is compared. Where modules lie does not matter. Needs the extra `tables`.

    python tests/compare_checkouts.py ../before . --keep ../kept            # all, and what BEFORE wrote is kept
    python tests/compare_checkouts.py ../before . --quick                   # one job of each main kind
    python tests/compare_checkouts.py ../before . --expect-moved 'opioid_tone*' --expect-moved 'fits/*:parameters.*'

A glob is matched against the name of what differs (`Cp`, `@notes`, `Cp@units`, `parameters.plasma.CL.value`) and
against the same with its file before it (`runs/first_dose/metrics.nc:Cp_Cmax`). A scenario that only one of them has
counts as a difference, `runs/NAME:scenario`. What may differ without being named is listed in `tests/same_numbers.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path

from same_numbers import Difference, differences

AT_ONCE = 2  # processes
NICENESS = 5  # others may be at work on this machine
LONGEST = 900  # s for one command
MARK = "job.json"  # in the folder of a job that was done: what was done, and by what
NUMERICS = ("numpy", "scipy", "llvmlite", "xarray", "pandas")

# A result file -> its metrics. From the file, since that is what people have.
SUMMARIZE = """
import sys, xarray as xr, ldnsim as ldn
with xr.open_dataset(sys.argv[1], engine="h5netcdf") as result:
    ldn.summarize(result).to_netcdf(sys.argv[2], engine="h5netcdf")
"""
# No command asks for the other solver.
REFERENCE = """
import ldnsim as ldn
scenario = ldn.load_scenario("night_vs_morning").with_changes({"duration": "3 d"})
ldn.simulate(scenario, solver="reference").to_netcdf("reference.nc", engine="h5netcdf")
"""
# The fits of the library have facts alone: this one has a table, too.
FIT = """\
format: ldnsim-fit/1
name: small
question: "Which clearance and volume do these made-up levels ask for?"
model: ldn
account: pet_pool
duration: 24 h
arms: {once: {regimen: [{input: oral, dose: 50 mg, at: "00:00", until: day 1}]}}
estimate:
  plasma.CL: {start: 100 L/h, bounds: [50 L/h, 400 L/h]}
  plasma.V1: {start: 200 L, bounds: [30 L, 1000 L]}
facts: {peak: {arm: once, output: Cp, metric: Cmax, value: 13.3 ng/mL, of: naltrexone, cv: 20 %}}
tables: {lab: {file: lab.csv, unit: ng/mL, of: naltrexone, cv: 10 %}}
starts: 2
"""
LAB = "arm,output,time,value\nonce,Cp,1,12.1\nonce,Cp,2,8.7\nonce,Cp,4,4.1\nonce,Cp,8,2.2\nonce,Cp,12,1.3\n"
# What exported doses do not have: further doses, a reset, a steady state, an infusion, a parameter that changes.
RECORDS = """\
ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS,CL
1,0,1,13000,oral,0,24,4,0,150
1,30,0,.,.,.,.,.,.,150
1,50,4,9000,oral,0,12,2,0,120
1,60,0,.,.,.,.,.,.,120
2,0,1,13000,oral,0,24,2,1,150
2,5,1,3000,plasma.central,500,0,0,0,150
2,40,0,.,.,.,.,.,.,150
"""


@dataclass(frozen=True)
class Job:
    """Commands that one after the other fill the folder `name`; `files` lie there before."""

    name: str
    steps: tuple[tuple[str, ...], ...]  # "ldnsim", argument, ... or "python", code, argument, ...
    files: tuple[tuple[str, str], ...] = ()
    quick: bool = False


class Failed(Exception):
    """A command of a job failed; the text says which, and how."""


# --- what is done


def jobs(checkout: Path) -> list[Job]:
    """All of them, the longest first, so that no process idles at the end."""
    axes = ("--axis", "night.dose=1.5 mg,3 mg,4.5 mg", "--axis", "night.at=18:00..23:00/3")
    few = ("--axis", "night.dose=1.5 mg,4.5 mg", "--set", "population.size=12")
    sweep = ("ldnsim", "sweep", "night_vs_morning", "--workers", "1", "-o")
    data = ("ldnsim", "data", "ldn")
    return [
        Job("fits/occupancy_pet", (("ldnsim", "fit", "occupancy_pet", "--out", "."),)),
        Job("validation", (("ldnsim", "validate", "--csv", "facts.csv"),)),
        Job("sweeps/map", ((*sweep, "map.zarr", *axes, "--format", "csv"),), quick=True),
        Job("sweeps/people", ((*sweep, "people.zarr", *few, "--keep", "quantiles"),)),
        *(_run(file.stem) for file in sorted((checkout / "scenarios").glob("*.yaml"))),
        Job(
            "fits/small",
            (("ldnsim", "fit", "small.yaml", "--out", "."),),
            files=(("small.yaml", FIT), ("lab.csv", LAB)),
            quick=True,
        ),
        Job("reference_solver", (("python", REFERENCE),)),
        Job(
            "data",
            (
                ("ldnsim", "export", "night_vs_morning", "--to", "nonmem", "--account", "pet_pool", "-o", "doses.csv"),
                (*data, "doses.csv", "--account", "pet_pool", "--outputs", "Cp,mu_occupancy", "-o", "from_doses.csv"),
                (*data, "records.csv", "--account", "pet_pool", "-o", "from_records.csv"),
            ),
            files=(("records.csv", RECORDS),),
            quick=True,
        ),
    ]


def _run(scenario: str) -> Job:
    """The answer, the result and its metrics; as CSV, too, for one scenario without people and one with."""
    table = ("--format", "csv") if scenario in ("night_vs_morning", "tablet_splitting") else ()
    steps = (
        ("ldnsim", "run", scenario, "--out", ".", *table),
        ("python", SUMMARIZE, f"{scenario}.nc", "metrics.nc"),
    )
    return Job(f"runs/{scenario}", steps, quick=scenario in ("night_vs_morning", "compounding_potency"))


class Side:
    """A checkout, and the folder that its artefacts go to."""

    def __init__(self, checkout: Path, folder: Path, compiled: Path) -> None:
        self.checkout, self.folder = checkout, folder
        scripts = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
        module, _, function = scripts["ldnsim"].partition(":")
        self.command = f"import sys; from {module} import {function}; sys.argv[0] = 'ldnsim'; sys.exit({function}())"
        # Compiled models of a side's own: else one checkout could run what the other compiled, or an earlier state did.
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(checkout),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
            "LDNSIM_CACHE": str(compiled),
            "COLUMNS": "100",
        }
        self._assert_own()

    def do(self, job: Job) -> str:
        """Fill the folder of a job, or leave what is there already; why it failed, or ""."""
        folder, recipe = self.folder / job.name, _recipe(job)
        mark = folder / MARK
        if mark.is_file() and mark.read_text(encoding="utf-8") == recipe:
            return ""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, text in job.files:
            (folder / name).write_text(text, encoding="utf-8")
        try:
            printed = [self._call(step, folder) for step in job.steps]
        except Failed as failed:
            return str(failed)
        for name, _ in job.files:
            (folder / name).unlink()
        for page in folder.glob("*.html"):  # megabytes of a library's script; what they show is in the other files
            page.unlink()
        (folder / "printed.txt").write_text("".join(printed), encoding="utf-8")
        mark.write_text(recipe, encoding="utf-8")
        return ""

    def _call(self, step: Sequence[str], folder: Path) -> str:
        kind, *rest = step
        code = [self.command, *rest] if kind == "ldnsim" else rest
        call = [sys.executable, "-P", "-c", *code]
        try:
            done = subprocess.run(
                call,
                cwd=folder,
                env=self.environment,
                capture_output=True,
                encoding="utf-8",
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"{_words(step)}: not done after {LONGEST} s") from None
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip() or "without a word").splitlines()[-5:]
            raise Failed("\n    ".join([f"{_words(step)}: exit code {done.returncode}", *last]))
        return done.stdout  # stderr tells times and free memory

    def _assert_own(self) -> None:
        """An installed ldnsim must not stand in for the checkout's."""
        self.folder.mkdir(parents=True, exist_ok=True)
        found = self._call(("python", "import ldnsim; print(ldnsim.__file__)"), self.folder).strip()
        if self.checkout not in Path(found).resolve().parents:
            raise Failed(f"{self.checkout}: `import ldnsim` finds {found}")


def _words(step: Sequence[str]) -> str:
    return " ".join(step if step[0] == "ldnsim" else ("python", "-c", "...", *step[2:]))


def _recipe(job: Job) -> str:
    """What an artefact depends on besides the commit: other versions and other processors may give other bits."""
    content = {
        "steps": job.steps,
        "files": job.files,
        "made on": [platform.node(), platform.platform(), platform.python_version()],
        "with": {name: version(name) for name in NUMERICS},
    }
    return json.dumps(content, indent=1)


def commit_of(checkout: Path) -> str | None:
    """The commit that a checkout stands at; None where it holds anything else, which no name could stand for."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(checkout), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return None if git("status", "--porcelain") else git("rev-parse", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        return None


# --- what is said


def artefacts(folder: Path) -> set[str]:
    """Files below a folder, and Zarr stores, which are folders."""
    found = set()
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        in_store = any(part.endswith(".zarr") for part in inside.parts[:-1])
        if not in_store and path.name != MARK and (path.is_file() or path.suffix == ".zarr"):
            found.add(inside.as_posix())
    return found


def compared(before: Path, after: Path) -> Iterator[tuple[str, list[Difference]]]:
    """Each artefact of a job's two folders, and what differs."""
    here, there = artefacts(before), artefacts(after)
    for name in sorted(here | there):
        if name in here and name in there:
            yield name, differences(before / name, after / name)
        else:
            yield name, [Difference("file", "is gone" if name in here else "is new")]


class Judge:
    """Prints a line per artefact, and counts those that differ in what was not expected to."""

    def __init__(self, globs: Sequence[str]) -> None:
        self.globs, self.met, self.wrong = globs, set[str](), 0

    def says(self, artefact: str, found: Sequence[Difference]) -> None:
        lines, unexpected = [], 0
        for difference in found:
            names = (difference.name, f"{artefact}:{difference.name}")
            fitting = {glob for glob in self.globs if any(fnmatchcase(each, glob) for each in names)}
            self.met |= fitting
            unexpected += not fitting
            lines.append(f"    {difference.name}: {'moved as expected, ' if fitting else ''}{difference.what}")
        state = f"{unexpected} differ" if unexpected else "moved as expected" if found else "identical"
        print("\n".join([f"{artefact}: {state}", *lines]), flush=True)
        self.wrong += bool(unexpected)

    def failed(self, job: str, side: str, why: str) -> None:
        """Never as expected: of what could not be done nothing is known."""
        print(f"{job}: failed in {side}: {why}", flush=True)
        self.wrong += 1

    def ends(self) -> bool:
        for glob in self.globs:
            if glob not in self.met:
                print(f"Nothing that was expected to move by {glob} did.")
        if self.wrong:
            print(f"{self.wrong} artefacts differ or could not be made.")
        else:
            print("Nothing moved but as expected." if self.met else "All identical.")
        return bool(self.wrong)


def compare(before: Side, after: Side, quick: bool, judge: Judge) -> None:
    """Do the jobs on both sides, and report on each in turn."""
    here, there = ({job.name: job for job in jobs(side.checkout) if job.quick or not quick} for side in (before, after))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        both = [job for name, job in here.items() if name in there]
        waiting = [(job.name, [pool.submit(side.do, job) for side in (before, after)]) for job in both]
        for name, sides in waiting:
            failures = [
                (side, text) for side, done in zip(("BEFORE", "AFTER"), sides, strict=True) if (text := done.result())
            ]
            for side, why in failures:
                judge.failed(name, side, why)
            if not failures:
                for artefact, found in compared(before.folder / name, after.folder / name):
                    judge.says(f"{name}/{artefact}", found)
    for name in sorted(here.keys() ^ there.keys()):
        judge.says(name, [Difference("scenario", "is gone" if name in here else "is new")])


# --- the command


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Do two checkouts give the same numbers, to the bit?")
    parser.add_argument("before", type=Path, help="a checkout, the state to compare with")
    parser.add_argument("after", type=Path, help="another one")
    parser.add_argument("--quick", action="store_true", help="one job of each main kind")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what BEFORE wrote, by commit, and use it again")
    parser.add_argument("--expect-moved", action="append", default=[], metavar="GLOB", help="a name that may differ")
    parser.add_argument("--allow", type=Path, metavar="FILE", help="such globs, one a line; # begins a comment")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    asked = arguments(words)
    globs = list(asked.expect_moved)
    if asked.allow:
        lines = (line.partition("#")[0].strip() for line in asked.allow.read_text(encoding="utf-8").splitlines())
        globs += filter(None, lines)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    before, after = asked.before.resolve(), asked.after.resolve()
    judge = Judge(globs)
    commit = commit_of(before) if asked.keep else None
    if asked.keep and commit is None:
        print("BEFORE is not a clean checkout of a commit: what it writes is not kept.")
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        kept = asked.keep.resolve() / commit if commit else work / "before"
        try:
            sides = [
                Side(before, kept, work / "compiled_before"),
                Side(after, work / "after", work / "compiled_after"),  # made anew each time
            ]
        except Failed as failed:
            sys.exit(str(failed))
        compare(*sides, asked.quick, judge)
    return judge.ends()


if __name__ == "__main__":
    sys.exit(main())
