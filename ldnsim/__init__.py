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
    from ldnsim.calibration.discriminate import apart
    from ldnsim.calibration.fitting import fit
    from ldnsim.calibration.validation import validate
    from ldnsim.foundation.errors import LdnsimError
    from ldnsim.library.files import load_fit, load_model, load_scenario
    from ldnsim.metrics.summary import summarize
    from ldnsim.simulation.nonmem import export_doses, simulate_data
    from ldnsim.simulation.simulate import simulate
    from ldnsim.sliders import explore
    from ldnsim.studies import sensitivity, sobol, sweep_draws, virtual_trial
    from ldnsim.sweeps.shards import merge_shards
    from ldnsim.sweeps.sweep import sweep

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
    "LdnsimError": "foundation.errors",
    "export_doses": "simulation.nonmem",
    "apart": "calibration.discriminate",
    "explore": "sliders",
    "fit": "calibration.fitting",
    "load_fit": "library.files",
    "load_model": "library.files",
    "load_scenario": "library.files",
    "merge_shards": "sweeps.shards",
    "sensitivity": "studies.one_at_a_time",
    "simulate": "simulation.simulate",
    "simulate_data": "simulation.nonmem",
    "sobol": "studies.variance_based",
    "summarize": "metrics.summary",
    "sweep": "sweeps.sweep",
    "sweep_draws": "studies.draws",
    "validate": "calibration.validation",
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
