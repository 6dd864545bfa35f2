"""What tests of event records share: data sets written as text, and closed forms of one compartment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import ldnsim as ldn
from ldnsim.model.records import Model

CL, V, KA, RATE, DURATION = 1.1, 20.0, 1.5, 10.0, 2.0
K = CL / V
RECORDED = Path(__file__).parent / "models" / "recorded.yaml"


def model() -> Model:
    return ldn.load_model(RECORDED)


def records(text: str) -> pd.DataFrame:
    """Columns by spaces, a record a line; `times a:b:c` stands for observations of the individual before."""
    lines = [line.split() for line in text.strip().splitlines()]
    header, rows = lines[0], []
    for line in lines[1:]:
        if line[0] == "times":
            start, stop, step = map(float, line[1].split(":"))
            for time in np.arange(start, stop + step / 2, step):
                blank = dict.fromkeys(header, ".") | {"ID": rows[-1]["ID"] if rows else "1"}
                rows.append(blank | {"TIME": repr(float(time)), "EVID": "0"})
        else:
            rows.append(dict(zip(header, line, strict=True)))
    return pd.DataFrame(rows)


def amounts(text: str, solver: str = "native", rtol: float = 1e-9) -> pd.DataFrame:
    """The data set with the amount in the central compartment, A2."""
    found = ldn.simulate_data(model(), records(text), outputs=["A2"], rtol=rtol, solver=solver)
    assert (found.status == "solved").all()
    return found.assign(TIME=pd.to_numeric(found.TIME))


def bolus(t: np.ndarray) -> np.ndarray:
    """Amount left of 1 given at t = 0; a dose counts at its very time."""
    return np.where(t >= 0, np.exp(-K * np.maximum(t, 0)), 0.0)


def infusion(t: np.ndarray, length: float) -> np.ndarray:
    """Amount from a rate of 1 from t = 0 on for `length` hours."""
    during, after = np.clip(t, 0, length), np.maximum(t - length, 0)
    return (1 - np.exp(-K * during)) / K * np.exp(-K * after)


def train(t: np.ndarray, interval: float, last: float, one: object, *, doses: int = 2000) -> np.ndarray:
    """A train of doses that has gone on for ever, up to the one at `last`."""
    return np.sum([one(t - last + number * interval) for number in range(doses)], axis=0)  # type: ignore[operator]
