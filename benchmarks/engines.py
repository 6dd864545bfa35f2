"""Speed and accuracy of this engine beside other tools, on the reference problem, in one table.

    python benchmarks/engines.py             everything that is installed
    python benchmarks/engines.py heyoka      some tools only

Each tool runs in a process of its own, on one core, at the loosest tolerance (in powers of ten) whose error stays below
1e-5; ours at its default of 1e-6. Errors are against a solution at rtol 1e-11, of each output's largest value.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np  # noqa: E402

GOAL = 1e-5  # the error that all must stay below
FEW, MANY = 10, 1000
CASES = {"literal": ("literal", 1.0), "parameter": ("parameter", 1.0), "x1000": ("literal", 1000.0)}
PATIENCE = 90.0  # seconds for all that is measured of one tool
SLOW = 10.0  # seconds for FEW * 10 people: beyond, MANY is told from FEW


def measure(tool: str, case: str, exact: np.ndarray) -> dict[str, Any]:
    """Everything about one tool, in this process."""
    import problem as problems
    from tools import TOOLS

    made = TOOLS[tool][0]
    problem = problems.make(MANY, *CASES[case])
    few = problem.first(FEW)
    begun = time.perf_counter()
    solver = made(problem)
    solver.solve(problem.first(1), made.start_tolerance)
    result: dict[str, Any] = {"cold": time.perf_counter() - begun}
    rtol, result["error"] = _tolerance(solver, few, exact, made.start_tolerance, tool)
    result["rtol"] = rtol
    result["one"] = _best(lambda: solver.solve(problem.first(1), rtol))
    result["few"] = _best(lambda: solver.solve(few, rtol))
    if result["few"] * MANY / FEW > SLOW * 2:
        result["many"], result["told"] = result["few"] * MANY / FEW, True
    else:
        solver.solve(problem, rtol)
        result["many"], result["told"] = _best(lambda: solver.solve(problem, rtol)), False
    result["memory"] = _peak_memory()
    return result


def _tolerance(solver: Any, few: Any, exact: np.ndarray, rtol: float, tool: str) -> tuple[float, float]:
    import problem as problems

    while True:
        found = problems.error(solver.solve(few, rtol), exact)
        if found <= GOAL or rtol < 1e-11:
            return rtol, found
        rtol = float(f"{rtol / 10:.0e}")


def _best(run: Any, least: float = 2.0) -> float:
    """The quickest of several runs: noise only ever adds."""
    times: list[float] = []
    while len(times) < 2 or (sum(times) < least and len(times) < 50):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return min(times)


def _peak_memory() -> float:
    """MB, of this process."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def more_of_ours() -> dict[str, float]:
    """What only our engine is asked: threads, the last day as curves, a stream of 100,000 people, the public road."""
    import problem as problems

    import ldnsim as ldn
    from ldnsim.engine import native
    from ldnsim.engine.pieces import shared_windows

    problem = problems.make(MANY)
    schedule = problem.schedule
    last_day = shared_windows(MANY, [(problems.TIMES[-1] - 24, problems.TIMES[-1])])

    def solve(parameters: np.ndarray, initial: np.ndarray, threads: int) -> np.ndarray:
        given = problem.system, parameters, initial, [schedule] * len(parameters), problems.TIMES, problems.OUTPUTS
        return native.solve(*given, threads=threads).values

    def record() -> None:
        given = problem.system, problem.parameters, problem.initial, [schedule] * MANY
        native.solve(*given, problems.TIMES[[0, -1]], problems.OUTPUTS, windows=last_day, threads=1)

    pairs = []
    for _ in range(15):
        begun = time.perf_counter()
        solve(problem.parameters, problem.initial, 1)
        middle = time.perf_counter()
        solve(problem.parameters, problem.initial, 2)
        pairs.append((middle - begun, time.perf_counter() - middle))
    one, two = (min(times) for times in zip(*pairs, strict=True))
    crowd = problems.make(100_000)
    before, begun = _peak_memory(), time.perf_counter()
    total = 0.0
    for start in range(0, len(crowd.parameters), MANY):
        total += solve(crowd.parameters[start : start + MANY], crowd.initial[start : start + MANY], 1)[:, -1].sum()
    stream = time.perf_counter() - begun
    grown = _peak_memory() - before
    scenario = ldn.load_scenario(HERE / "reference_nightly.yaml")
    alone = scenario.model_copy(update={"population": None})
    result = {"threads": one / two, "sampled": one, "recorded": _best(record), "stream": stream, "grown": grown}
    for label, question in (("one", alone), ("many", scenario)):
        spent = _spent_in_engine(native)
        ldn.simulate(question)
        runs = []
        for _ in range(7):
            spent[0] = 0.0
            begun = time.perf_counter()
            ldn.simulate(question)
            runs.append((time.perf_counter() - begun, spent[0]))
        result[f"public_{label}"], result[f"engine_{label}"] = min(runs)
    return result


def _spent_in_engine(native: Any) -> list[float]:
    """A counter of the seconds that native solves take from now on."""
    spent, walk = [0.0], native.walk

    def timed(*arguments: Any, **options: Any) -> Any:
        begun = time.perf_counter()
        try:
            return walk(*arguments, **options)
        finally:
            spent[0] += time.perf_counter() - begun

    native.walk = timed
    return spent


# --- the table


def child(*arguments: str, **environment: str) -> dict[str, Any]:
    """This file in a process of its own."""
    command = [sys.executable, str(HERE / "engines.py"), "--child", *arguments]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, env=os.environ | environment, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {PATIENCE:.0f} s"}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            return json.loads(line)
    return {"failed": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}


COLUMNS = {"rtol": 7, "error": 9, "1, ms": 9, "10, s": 9, "1000, s": 9, "ours x": 8, "cold, s": 9, "peak, MB": 10}
NOTE = """
~ told from 10 people. ours x: times the seconds of ldnsim in the same case. cold: import, model, first result of one
person. peak: of the whole process, with Python, numpy and the reading of model files."""


def table(wanted: list[str]) -> None:
    """Print the table, row by row as it comes, and what only our engine is asked."""
    import problem as problems
    from tools import TOOLS

    print(f"{platform.machine()}, {_processor()}, Python {platform.python_version()}")
    print(f"{FEW} and {MANY} people, {problems.DAYS} days, one core\n")
    head = f"{'tool':20}{'case':11}" + "".join(f"{name:>{width}}" for name, width in COLUMNS.items())
    print(head + "\n" + "-" * len(head))
    with tempfile.TemporaryDirectory() as folder:
        for case, choice in CASES.items():
            file, kept = str(Path(folder) / f"{case}.npy"), str(Path(folder) / f"cache-{case}")
            np.save(file, problems.exact(problems.make(FEW, *choice)))
            ours = float("nan")
            for tool, (_, module) in TOOLS.items():
                if wanted and tool.split(",")[0] not in {"ldnsim", *wanted}:
                    continue
                if importlib.util.find_spec(module) is None:
                    found: dict[str, Any] = {"failed": f"{module} is not installed"}
                else:
                    found = child(tool, case, file, LDNSIM_CACHE=kept)
                ours = found.get("many", ours) if tool == "ldnsim" else ours
                print(f"{tool:20}{case:11}" + row(found, ours), flush=True)
        kept = str(Path(folder) / "cache-literal")
        again = child("ldnsim", "literal", str(Path(folder) / "literal.npy"), LDNSIM_CACHE=kept)
        more = child("more", LDNSIM_CACHE=kept)
    print(NOTE)
    print(f"\nldnsim, import, model and first result from the disk cache: {again['cold']:.2f} s")
    print(f"ldnsim, two threads: {more['threads']:.2f} times one")
    print(
        f"ldnsim, {MANY} people, at 673 samples: {more['sampled']:.3f} s; last day as curves: {more['recorded']:.3f} s"
    )
    print(f"ldnsim, 100,000 people in pieces of {MANY}: {more['stream']:.1f} s; memory grew by {more['grown']:.0f} MB")
    print(f"simulate, 1 person: {more['public_one'] * 1e3:.1f} ms, of which solving {more['engine_one'] * 1e3:.1f} ms")
    print(
        f"simulate, {MANY} people, all cores: {more['public_many']:.3f} s, of which solving {more['engine_many']:.3f} s"
    )


def row(found: dict[str, Any], ours: float) -> str:
    if "failed" in found:
        return f"  {found['failed'][:90]}"
    told = "~" if found["told"] else " "
    return (
        f"{found['rtol']:7.0e}{found['error']:9.0e}{found['one'] * 1e3:9.2f}{found['few']:9.4f}{told}"
        f"{found['many']:8.3f}"
        f"{found['many'] / ours:8.1f}{found['cold']:9.2f}{found['memory']:10.0f}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tools", nargs="*", help="only these (and ldnsim)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not asked.child:
        table(asked.tools)
    elif asked.tools[0] == "more":
        print(json.dumps(more_of_ours()))
    else:
        tool, case, file = asked.tools
        print(json.dumps(measure(tool, case, np.load(file))))


if __name__ == "__main__":
    main()
