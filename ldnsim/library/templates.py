"""The commented scenario that `ldnsim new` writes."""

from __future__ import annotations

from pathlib import Path

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.foundation.fields import IDENTIFIER

__all__ = ["scenario_text", "write_scenario"]

TEXT = """\
format: ldnsim-scenario/1
name: {name}
question: "Does 1.5 mg do what 4.5 mg does?"       # one question; the answer is printed by `ldnsim run`
cannot_say: "What any person should take."         # what this simulation does not tell
model: ldn                                         # `ldnsim describe ldn` shows it
accounts: [transient, pet_pool]                    # rival explanations, side by side
duration: 14 d                                     # t = 0 is local midnight of day 1
# start: steady_state                              # as if each arm had been followed for ever, instead of drug_free
arms:                                              # what is compared; the first is the reference
  low:
    regimen:
      - {{input: oral, dose: 1.5 mg, at: "22:00"}}
  usual:
    regimen:
      - input: oral
        dose: 4.5 mg
        at: "22:00"                                # or several: ["08:00", "20:00"]
        # days: [mon, wed, fri]                    # only on these days (day 1 is a Monday, see start_day)
        # every: 2 d                               # every other day
        # from: day 3                              # first and last day
        # until: day 12
        # missed: [day 5, day 6]                   # left out
        # late: {{day 7: 3 h}}                       # taken later
        # miss: 10 %                               # drawn per person
        # split: halves                            # drawn too: no two pieces of a tablet are alike
        # bottle: {{holds: 30, t90: 60 d}}           # of 30 doses; 60 d after the first, 90 % is left
        # ladder: {{day 1: 1.5 mg, day 8: 3 mg, day 12: stop}}       # instead of a dose
report: [Cp, mu_occupancy, endorphin, opioid_tone]
# window: [288 h, 336 h]                           # what the metrics cover, instead of the last whole day
# population: {{size: 20, seed: 1}}                  # without it, one typical person
# changes: {{occupancy.EC50: x 0.5}}                 # any number, by its address
"""


def scenario_text(name: str) -> str:
    """The text of a new scenario of this name."""
    return TEXT.format(name=name)


def write_scenario(file: Path) -> None:
    """Write the commented scenario to a new file, named after it.

    Raises LdnsimError where the name cannot be that of a scenario, or the file exists or cannot be written.
    """
    if file.suffix not in (".yaml", ".yml") or not IDENTIFIER.match(file.stem):
        raise LdnsimError(
            Fault(f"{file.name!r} cannot be a scenario file", expected="letters, digits and _, ending in .yaml")
        )
    if file.exists():
        raise LdnsimError(Fault(f"{file} is there already", expected="the name of a new file"))
    try:
        file.write_text(scenario_text(file.stem), encoding="utf-8")
    except OSError as caught:
        raise LdnsimError(Fault(f"cannot write {file}: {caught.strerror or caught}")) from None
