"""ldnsim: low-dose naltrexone, from dose to opioid tone.

    import ldnsim as ldn
    scenario = ldn.load_scenario("night_vs_morning")
    result = ldn.simulate(scenario)
    table = ldn.summarize(result)

For research and teaching: never dose advice, never a prediction for one person.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ldnsim import plots as plots
    from ldnsim.apart import apart
    from ldnsim.errors import LdnsimError
    from ldnsim.files import load_fit, load_model, load_scenario
    from ldnsim.fitting import fit
    from ldnsim.interchange import export_doses, simulate_data
    from ldnsim.metrics import summarize
    from ldnsim.simulation import simulate
    from ldnsim.sliders import explore
    from ldnsim.studies import sensitivity, sobol, sweep_draws, virtual_trial
    from ldnsim.sweeps.shards import merge_shards
    from ldnsim.sweeps.sweep import sweep
    from ldnsim.validation import validate

__all__ = [
    "LdnsimError",
    "apart",
    "explore",
    "export_doses",
    "fit",
    "load_fit",
    "load_model",
    "load_scenario",
    "merge_shards",
    "plots",
    "sensitivity",
    "simulate",
    "simulate_data",
    "sobol",
    "summarize",
    "sweep",
    "sweep_draws",
    "validate",
    "virtual_trial",
]

# name -> the module that holds it; loaded when first asked for, so that `ldnsim --help` stays quick
_HOMES = {
    "LdnsimError": "errors",
    "export_doses": "interchange",
    "apart": "apart",
    "explore": "sliders",
    "fit": "fitting",
    "load_fit": "files",
    "load_model": "files",
    "load_scenario": "files",
    "merge_shards": "sweeps.shards",
    "sensitivity": "studies.local",
    "simulate": "simulation",
    "simulate_data": "interchange",
    "sobol": "studies.whole",
    "summarize": "metrics",
    "sweep": "sweeps.sweep",
    "sweep_draws": "studies.draws",
    "validate": "validation",
    "virtual_trial": "studies.trials",
}


def __getattr__(name: str) -> Any:
    if name == "plots":
        return import_module("ldnsim.plots")
    if name in _HOMES:
        value = getattr(import_module(f"ldnsim.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'ldnsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
