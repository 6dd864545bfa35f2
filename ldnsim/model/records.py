"""Parts, models and accounts: the records of `models/*.yaml`.

A part is one page: parameters, states, equations. A model puts parts in slots, names accounts (a structure with the
values that belong to it) and says what a dose means.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from ldnsim.foundation.errors import nearest, shown
from ldnsim.foundation.expressions import Equation, parse_equations
from ldnsim.foundation.fields import (
    ChangeValue,
    Duration,
    Identifier,
    Names,
    NotNegativePair,
    Positive,
    QuantityField,
    QuantityPair,
    Record,
    ShareOrAddress,
    UnitField,
    Variability,
    at_most,
    wrong,
)
from ldnsim.foundation.units import Dimension, Quantity, drug_dimension
from ldnsim.model.output_kinds import kind_names
from ldnsim.model.variability import Correlation, Distribution

__all__ = [
    "Account",
    "Drug",
    "Evidence",
    "Export",
    "Input",
    "Mechanism",
    "Model",
    "Output",
    "Parameter",
    "Part",
    "Rival",
    "State",
    "weakest",
]

Evidence = Literal["measured", "fitted", "hypothesis"]
EVIDENCE: tuple[Evidence, ...] = ("measured", "fitted", "hypothesis")  # from the strongest to the weakest


def _known_kind(found: object) -> str:
    known = kind_names()
    if found not in known:
        raise wrong(f"unknown value {shown(found)}", ", ".join(known), nearest(str(found)[:60], known))
    return str(found)


KindName = Annotated[
    str, PlainValidator(_known_kind), WithJsonSchema({"type": "string", "enum": list(kind_names()), "default": "other"})
]

ASSUMED = "assumed"
MANY, SOME = at_most(500), at_most(100)  # entries: far more than a person reads, few enough to be checked at once


def weakest(tags: tuple[Evidence, ...]) -> Evidence:
    """The weakest of some evidence tags: that of anything which rests on all of them."""
    return max(tags, key=EVIDENCE.index, default="measured")


class Parameter(Record):
    """A number with its unit and where it comes from. `of` names the drug whose mass counts as an amount.

    `iiv_cv` is its coefficient of variation between people, `iov_cv` that between the occasions of one person, both
    with the shape of `distribution`: logit_normal for shares, which then stay between 0 and 1. `plausible` says why a
    value may be beyond what a body is known for (see `ldnsim check`); `at_zero`, in a few words, what 0 switches off.
    """

    value: QuantityField
    of: str | None = None
    iiv_cv: Variability | None = None
    iov_cv: Variability | None = None
    distribution: Distribution = "log_normal"
    range: QuantityPair | None = None
    source: Names = ()
    note: str = ""
    at_zero: str = ""
    plausible: str = ""
    description: str

    @property
    def dimension(self) -> Dimension:
        return drug_dimension(self.value.dimension, self.of is not None)


class State(Record):
    """A state of the equations. `scale` is its usual size; the solver's absolute tolerance follows from it.

    `lag`, `bioavailability`, `rate` and `duration` name parameters of the part: what becomes of a dose that a record of
    a data set gives straight into this state. Doses of an input meet the input's own.
    """

    unit: UnitField
    of: str | None = None
    initial: QuantityField = Quantity(0.0)
    scale: Positive
    lag: str | None = None
    bioavailability: str | None = None
    rate: str | None = None
    duration: str | None = None
    description: str

    @property
    def dimension(self) -> Dimension:
        return drug_dimension(Quantity(1.0, self.unit).dimension, self.of is not None)


class Rival(Record, extra="allow"):
    """Published values that belong together: parameter -> value, chosen as a set."""

    __pydantic_extra__: dict[str, QuantityField] = Field(init=False)
    source: Names = ()
    note: str = ""

    @property
    def values(self) -> dict[str, Quantity]:
        return dict(self.__pydantic_extra__)


class Export(Record):
    """What a part gives to others. `evidence` is for an export that data were held against as it is, whatever it rests
    on: the tag then ends there, and `because` says why. Without it, the export is as weak as all that it rests on.
    `adds_to` names the sums, which other parts gather, that it is a term of."""

    description: str
    adds_to: Names = ()
    evidence: Evidence | None = None
    because: str = ""


def _described(found: object) -> object:
    if not isinstance(found, str | dict | Export):
        raise wrong(f"{shown(found)} is not text", "what the export is, in words")
    return {"description": found} if isinstance(found, str) else found


ExportField = Annotated[Export, BeforeValidator(_described)]


class Part(Record):
    """One page of a model: what it needs, what it exports, and the equations between.

    What it `gathers` are sums: of every export in the model that adds to them, 0 where none does. So a further ligand
    is a further part, and the receptor's page stays as it is.
    """

    format: Literal["ldnsim-part/1"]
    name: Identifier
    version: str
    title: str
    evidence: Evidence
    description: str = ""
    needs: Annotated[dict[Identifier, UnitField], MANY] = Field(default_factory=dict)
    gathers: Annotated[dict[Identifier, UnitField], MANY] = Field(default_factory=dict)
    exports: Annotated[dict[Identifier, ExportField], MANY]
    parameters: Annotated[dict[Identifier, Parameter], MANY] = Field(default_factory=dict)
    states: Annotated[dict[Identifier, State], MANY] = Field(default_factory=dict)
    equations: str
    rivals: Annotated[dict[Identifier, Rival], SOME] = Field(default_factory=dict)
    correlations: Annotated[tuple[Correlation, ...], SOME] = ()

    @cached_property
    def parsed(self) -> tuple[Equation, ...]:
        """The equations as trees; raises LdnsimError with the places of all faults in the text."""
        return parse_equations(self.equations)


class Mechanism(Record):
    """From which dose on the parts hold what the drug is said to do; `note` says what they lack below."""

    from_: Positive = Field(alias="from")
    note: str


class Drug(Record):
    """A substance and the salts it is weighed as. With `mechanism`, smaller doses have no effect that can be told."""

    molar_mass: Positive
    mechanism: Mechanism | None = None
    salts: dict[Identifier, Positive] = Field(default_factory=dict)
    source: Names = ()
    note: str = ""


class Account(Record, extra="allow"):
    """A structure and the values that were set for it. Keys beyond these choose a slot's alternative."""

    __pydantic_extra__: dict[str, str] = Field(init=False)
    title: str
    note: str = ""
    source: Names = ()
    values: dict[str, ChangeValue] = Field(default_factory=dict)

    @property
    def choices(self) -> dict[str, str]:
        return dict(self.__pydantic_extra__)


class Input(Record):
    """What a dose means: the drug, the salt it is weighed as, its lag, and the states that it goes to.

    `over` names the parameter that says how long a product takes to let go of a dose, at a constant rate; a regimen
    line that infuses says it itself, and so does a record with a RATE. `rate` is what records with RATE -1 ask for.
    """

    drug: str
    salt: str = "base"
    title: str = ""
    lag: str | None = None
    over: str | None = None
    rate: str | None = None
    to: dict[str, ShareOrAddress]

    @property
    def delivery_parameters(self) -> tuple[str, ...]:
        """The parameters that deliver a dose: lag, release duration, and the bioavailability into each state."""
        return tuple(name for name in (self.lag, self.over, *self.to.values()) if isinstance(name, str))


class Observed(Record):
    """What human data cover: hours after a single dose, and which doses."""

    hours: Duration
    doses: NotNegativePair
    note: str


class Output(Record):
    """An export that people look at. `relative_to` divides it by the drug-free twin, after the run.

    `of` is its drug: that of a mass, and that of the doses which `observed` speaks of. An `effect` is a share that is 0
    without drugs.
    """

    title: str
    unit: UnitField
    of: str | None = None
    kind: KindName = "other"
    relative_to: Literal["drug_free", "drug_free_daily_mean"] | None = None
    observed: Observed | None = None


Alternatives = Annotated[tuple[Part, ...], WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}})]


class Model(Record):
    """Parts in slots. The file names parts; the record holds them (the first of a slot is its default)."""

    format: Literal["ldnsim-model/1"]
    name: Identifier
    version: str
    title: str
    description: str = ""
    drugs: Annotated[dict[Identifier, Drug], SOME] = Field(default_factory=dict)
    slots: Annotated[dict[Identifier, Alternatives], SOME]
    accounts: Annotated[dict[Identifier, Account], SOME] = Field(default_factory=dict)
    inputs: Annotated[dict[Identifier, Input], SOME] = Field(default_factory=dict)
    outputs: Annotated[dict[Identifier, Output], MANY]

    def parts(self, choices: dict[str, str]) -> dict[str, Part]:
        """slot -> part under the given choices; slots without a choice take their first part."""
        return {
            slot: next((part for part in parts if part.name == choices.get(slot)), parts[0])
            for slot, parts in self.slots.items()
        }

    def rebuilt(self, account: Account, choices: Mapping[str, str]) -> Account:
        """The account with slots chosen anew. The values that it sets for a slot go when its part is replaced."""
        before = self.parts(account.choices)
        replaced = {slot for slot, part in choices.items() if before[slot].name != part}
        kept = {address: value for address, value in account.values.items() if address.split(".")[0] not in replaced}
        return Account(
            title=account.title, note=account.note, source=account.source, values=kept, **{**account.choices, **choices}
        )

    def with_account(self, name: str | None, **choices: str) -> Model:
        """The same model with one account only: the named one, with slots chosen anew where `choices` says so."""
        base = self.accounts[name] if name else Account(title=self.title)
        label = "_".join([*([name] if name else []), *choices.values()]) or self.name
        return self.model_copy(update={"accounts": {label: self.rebuilt(base, choices)}})
