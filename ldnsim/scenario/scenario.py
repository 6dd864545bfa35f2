"""A scenario: one question that can be asked again with other values."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.fields import Change
from ldnsim.foundation.schema_faults import faults_of
from ldnsim.scenario.changes import resolve
from ldnsim.scenario.record import CHANGES, ScenarioRecord

__all__ = ["Scenario"]


class Scenario(ScenarioRecord):
    """A question, the model and accounts that answer it, and the arms that are compared."""

    def with_changes(self, changes: Mapping[str, Change | list[str | float]]) -> Scenario:
        """The same scenario with more addresses changed; raises LdnsimError for an address that names or moves nothing.

        Changes are merged with those that the scenario has, the later one of an address counts, and all are applied at
        once: `x 0.5` multiplies what the arms and the account say, not what an earlier change made of it.
        """
        try:
            new = CHANGES.validate_python(dict(changes))
        except ValidationError as caught:
            raise LdnsimError(fault.under("changes") for fault in faults_of(caught)) from None
        kept = {address: value for address, value in self.changes.items() if address not in new}
        changed = self.model_copy(update={"changes": {**kept, **new}})
        resolve(changed)
        return changed
