"""Kinds of output: what a curve is of decides its metrics, its axis and the words for it.

A kind is one record in one registry. Code asks a kind for the property that it needs, never for its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ldnsim.foundation.errors import LdnsimError

__all__ = ["FREE_BELOW", "OutputKind", "kind_named", "kind_names", "register_kind", "unregister_kind"]

FREE_BELOW = 0.20  # blockade under this leaves receptors free


@dataclass(frozen=True)
class OutputKind:
    """What outputs of one kind have in common.

    Parameters
    ----------
    name
        As it stands after `kind:` in a model file.
    title
        The kind in words.
    headline
        The metrics that a table shows, in order.
    metrics_of
        Other kinds whose metrics its outputs have, too; those of its own name it.
    overview
        The metrics that a sweep is summed up by.
    unitless
        A level or share: the unit is 1.
    is_share
        A share of receptors: shown in %.
    axis
        `whole` from 0 to 100 %, `from_zero` from 0 to the highest value, `free` around what is drawn.
    reference
        A value that figures mark, and `reference_label`, the words beside it.
    has_twin
        The result holds the drug-free twin beside it.
    says_tone, is_blockade, is_effect
        What the sentences of an answer are about: a level of the body's own opioids, receptors that are blocked, or the
        effect of a drug.
    needs_mechanism
        It means nothing for doses below those that the model's mechanism covers.
    reads_past_window
        Some of its metrics are read from the last dose to the end of the run.
    family
        Which errors of predictions are pooled with it in validation (`none` for not at all).
    arm_figures
        The metrics that a page draws against the arms, where there are many of these.
    rank
        Where its outputs stand on a page: 1 before 2.
    """

    name: str
    title: str
    headline: tuple[str, ...] = ("mean", "peak", "trough")
    metrics_of: tuple[str, ...] = ()
    overview: tuple[str, ...] = ("mean",)
    unitless: bool = False
    is_share: bool = False
    axis: Literal["whole", "from_zero", "free"] = "free"
    reference: float | None = None
    reference_label: str = ""
    has_twin: bool = False
    says_tone: bool = False
    is_blockade: bool = False
    is_effect: bool = False
    needs_mechanism: bool = True
    reads_past_window: bool = False
    family: str = "none"
    arm_figures: tuple[str, ...] = ()
    rank: int = 4


_KINDS: dict[str, OutputKind] = {}


def register_kind(kind: OutputKind) -> None:
    """Make a kind known under its name; raises LdnsimError where the name is taken."""
    if kind.name in _KINDS:
        raise LdnsimError(f"There is an output kind {kind.name!r} already; expected another name.")
    _KINDS[kind.name] = kind


def unregister_kind(name: str) -> None:
    """Take a kind out of the registry again; raises KeyError where there is none of this name."""
    del _KINDS[name]


def kind_named(name: object) -> OutputKind:
    """The kind of this name; `other` for a name that nobody registered, as in a result of a newer version."""
    return _KINDS.get(str(name), _KINDS["other"])


def kind_names() -> tuple[str, ...]:
    """The names of all kinds, in the order of registration."""
    return tuple(_KINDS)


for _kind in (
    OutputKind(
        name="concentration",
        title="concentration of a drug",
        headline=("Cmax", "Tmax", "AUC_tau", "t_half"),
        overview=("Cmax",),
        axis="from_zero",
        needs_mechanism=False,
        reads_past_window=True,
        family="concentration",
    ),
    OutputKind(
        name="blockade",
        title="share of receptors blocked, which decides when they are free",
        headline=("mean", "trough", "unblocked_hours"),
        metrics_of=("occupancy",),
        overview=("mean", "unblocked_hours"),
        unitless=True,
        is_share=True,
        axis="whole",
        reference=FREE_BELOW,
        reference_label=f"{100 * FREE_BELOW:g} %: unblocked below",
        is_blockade=True,
        family="occupancy",
        arm_figures=("unblocked_hours",),
        rank=3,
    ),
    OutputKind(
        name="occupancy",
        title="share of receptors occupied",
        headline=("mean", "trough", "hours_above_50"),
        unitless=True,
        is_share=True,
        axis="whole",
        family="occupancy",
    ),
    OutputKind(
        name="effect",
        title="share of an effect, 0 without drugs",
        headline=("peak", "hours_to_peak", "mean", "least_of_first", "halved_hours"),
        is_share=True,
        axis="from_zero",
        is_effect=True,
        arm_figures=("peak",),
        rank=2,
    ),
    OutputKind(
        name="endogenous",
        title="level of the body's own opioids",
        headline=("mean", "rebound_peak", "rebound_clock_time", "rebound_hours", "net_area"),
        overview=("mean", "rebound_peak"),
        unitless=True,
        has_twin=True,
        says_tone=True,
        arm_figures=("rebound_peak", "mean"),
        rank=1,
        family="endogenous",
    ),
    OutputKind(name="other", title="anything else"),
):
    register_kind(_kind)
