"""Results that no model made, in the shape that `simulate` gives: for looking at, and for breaking on purpose."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

TAGS = ("hypothesis", "fitted", "measured")
OUTPUTS = {
    "Cp": {"units": "nmol/L", "long_name": "Drug in plasma", "kind": "concentration"},
    "occupancy": {
        "units": "1",
        "long_name": "Receptors held",
        "kind": "blockade",
        "observed": "Scans within 8 h of single doses.",
        "observed_hours": 8.0,
        "observed_doses": [2.0, 50.0],
    },
    "endorphin": {"units": "1", "long_name": "Own opioid", "kind": "endogenous", "relative_to": "drug_free_daily_mean"},
    "tone": {"units": "1", "long_name": "Tone", "kind": "endogenous", "relative_to": "drug_free"},
}


def made_result(
    *,
    accounts: Sequence[str] = ("first", "second"),
    arms: Mapping[str, tuple[float, float]] = {"night": (22.0, 4.5), "morning": (8.0, 4.5)},
    people: int = 0,
    days: int = 4,
    step: float = 0.5,
) -> xr.Dataset:
    """Daily doses; `arms` are name -> (clock time of the dose in h, mg). Curves rise and fall with every dose."""
    time = np.append(np.arange(0.0, days * 24.0, step), days * 24.0)
    sizes = np.exp(0.3 * np.random.default_rng(1).standard_normal(max(people, 1)))
    doses = np.array([[clock + 24.0 * day for day in range(days)] for clock, _ in arms.values()])
    since = time - doses[..., None]
    shape = np.where(since > 0, np.exp(-np.clip(since, 0, None) / 5.0) - np.exp(-np.clip(since, 0, None)), 0.0).sum(
        axis=1
    )
    amounts = np.array([amount for _, amount in arms.values()])
    level = (amounts[:, None] * shape)[None, :, None, :] * sizes[:, None]  # (1, arm, person, time)
    level = level * np.linspace(1.0, 2.0, len(accounts))[:, None, None, None]
    rhythm = 1 + 0.2 * np.cos(2 * np.pi * (time - 10.0) / 24.0)
    curves = {
        "Cp": level,
        "occupancy": level / (1 + level),
        "endorphin": rhythm * (1 + 0.3 * level / (3 + level)),
        "tone": 1.1 - level / (1 + level),
    }
    subject = ["subject"] if people else []
    tags = {f"evidence_{account}": TAGS[index % 3] for index, account in enumerate(accounts)}

    def variable(dims: list[str], values: np.ndarray, axis: int, attrs: Mapping[str, object]) -> xr.Variable:
        return xr.Variable(dims, values if people else values.take(0, axis=axis), dict(attrs))

    data = {}
    for name, attrs in OUTPUTS.items():
        labels = {**attrs, "evidence": "hypothesis", **tags}
        data[name] = variable(["account", "arm", *subject, "time"], np.array(curves[name], dtype=float), 2, labels)
    twin = np.broadcast_to(rhythm, (len(accounts), len(sizes), time.size)).copy()
    data["endorphin_drug_free"] = variable(["account", *subject, "time"], twin, 1, OUTPUTS["endorphin"])
    cells = (len(accounts), len(arms), len(sizes))
    data["status"] = variable(["account", "arm", *subject], np.zeros(cells, dtype=np.int8), 2, {})
    data["reason"] = variable(["account", "arm", *subject], np.full(cells, "", dtype=object), 2, {})
    per_person = np.repeat(doses[:, None], len(sizes), axis=1)
    dims = ["arm", *subject, "dose"]
    data["dose_time"] = variable(dims, per_person, 1, {"units": "h"})
    data["dose_amount"] = variable(dims, np.ones_like(per_person) * amounts[:, None, None], 1, {"units": "mg"})
    data["dose_input"] = variable(dims, np.full(per_person.shape, "oral", dtype=object), 1, {})
    coords = {
        "account": np.array(accounts, dtype=object),
        "arm": np.array(list(arms), dtype=object),
        "time": time,
        "clock_time": ("time", time % 24),
        **({"subject": np.arange(1, people + 1)} if people else {}),
    }
    attrs = {
        "scenario": "made_up",
        "question": "What does a made-up result look like?",
        "cannot_say": "Anything.",
        "model": "none",
        "model_hash": "0123456789abcdef",
        "scenario_text": "name: made_up\n",
        "changes": "{}",
        "seed": 1,
        "package_version": "0.0",
        "window": [24.0 * (days - 1), 24.0 * days],
        "account_titles": json.dumps({account: f"The {account} account" for account in accounts}),
        "arm_titles": json.dumps({arm: arm for arm in arms}),
        "extrapolated": ["Everything."],
        "disclaimer": "Not advice.",
    }
    return xr.Dataset(data, coords, attrs)


def fail(result: xr.Dataset, reason: str = "gave up", **where: int) -> xr.Dataset:
    """A copy in which the runs at these positions (account=, arm=, subject=) were not solved."""
    broken = result.copy(deep=True)
    broken["status"][where] = 2
    broken["reason"][where] = reason
    for name in OUTPUTS:
        broken[name][where] = np.nan
    return broken
