"""The public names of ldnsim, listed once: loaded from here when first used, and read by type checkers."""

from . import plots as plots
from .calibration.discriminate import discriminate as discriminate
from .calibration.fitting import fit as fit
from .calibration.validation import validate as validate
from .foundation.errors import LdnsimError as LdnsimError
from .library.files import load_fit as load_fit
from .library.files import load_model as load_model
from .library.files import load_scenario as load_scenario
from .metrics.summary import summarize as summarize
from .simulation.nonmem import export_doses as export_doses
from .simulation.nonmem import simulate_data as simulate_data
from .simulation.simulate import simulate as simulate
from .sliders import explore as explore
from .studies.draws import sweep_draws as sweep_draws
from .studies.one_at_a_time import sensitivity as sensitivity
from .studies.trials import virtual_trial as virtual_trial
from .studies.variance_based import sobol as sobol
from .sweeps.shards import merge_shards as merge_shards
from .sweeps.sweep import sweep as sweep
