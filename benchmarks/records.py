"""A data set against a scenario: the same people, doses, sample times and outputs, told in two ways.

    python benchmarks/records.py [people]

Of several runs of each, turn by turn, the quickest counts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

import ldnsim as ldn
from ldnsim.simulation.nonmem import export_doses

DAYS, RUNS = 28, 9
OUTPUTS = ["Cp", "Cm", "mu_occupancy"]
QUESTION = """
format: ldnsim-scenario/1
name: records
question: "How long does a data set take?"
model: ldn
accounts: [pet_pool]
duration: {days} d
arms: {{night: {{regimen: [{{input: oral, dose: 4.5 mg, at: "22:00"}}]}}}}
report: [{outputs}]
population: {{size: {people}}}
"""
GRIDS = {
    "every hour": np.arange(0.0, DAYS * 24 + 0.5),
    "daily, the last day hourly": np.unique(np.append(np.arange(0.0, DAYS * 24, 24.0), DAYS * 24 - np.arange(25.0))),
}


def main(people: int) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "records.yaml"
        file.write_text(QUESTION.format(days=DAYS, people=people, outputs=", ".join(OUTPUTS)))
        scenario = ldn.load_scenario(file)
    model = ldn.load_model("ldn", account="pet_pool")
    doses = export_doses(scenario)
    print(f"{people} individuals, {DAYS} doses each, outputs {', '.join(OUTPUTS)}\n")
    print(f"{'samples':28}{'rows':>9}{'scenario, s':>13}{'data set, s':>13}{'ratio':>7}{'difference':>12}")
    for name, times in GRIDS.items():
        frame = with_samples(doses, times)
        once: list[Any] = [ldn.simulate(scenario, times=times), ldn.simulate_data(model, frame, outputs=OUTPUTS)]
        seconds = quickest(
            lambda times=times: ldn.simulate(scenario, times=times),
            lambda frame=frame: ldn.simulate_data(model, frame, outputs=OUTPUTS),
        )
        worst = difference(once[0], once[1], frame)
        print(f"{name:28}{len(frame):9}{seconds[0]:13.3f}{seconds[1]:13.3f}{seconds[1] / seconds[0]:7.2f}{worst:12.1e}")


def with_samples(doses: pd.DataFrame, times: np.ndarray) -> pd.DataFrame:
    """The doses with a record of observation at each time, before a dose at that very time."""
    who = doses.drop_duplicates("ID")
    samples = who.loc[who.index.repeat(len(times))].assign(EVID=0, AMT=0.0, RATE=0.0, TIME=np.tile(times, len(who)))
    both = pd.concat([samples, doses])
    return both.sort_values(["ID", "TIME", "EVID"], kind="stable", ignore_index=True)


def quickest(*ways: Callable[[], object]) -> list[float]:
    """Seconds of each way."""
    best = [float("inf")] * len(ways)
    for _ in range(RUNS):
        for index, way in enumerate(ways):
            start = time.perf_counter()
            way()
            best[index] = min(best[index], time.perf_counter() - start)
    return best


def difference(result: Any, answer: pd.DataFrame, frame: pd.DataFrame) -> float:
    """The largest difference of an output, as a share of its largest value."""
    rows = (frame.EVID == 0).to_numpy()
    shares = []
    for name in OUTPUTS:
        expected = result[name].values.reshape(-1)
        shares.append(np.abs(answer[name].to_numpy()[rows] - expected).max() / np.abs(expected).max())
    return float(max(shares))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
