"""How quantities differ between people: distributions, correlations, and the draws behind them.

Everything that is drawn starts from one standard normal number per person and quantity. A distribution is a map of it,
and correlations mix these numbers before they are mapped: they are correlations of ranks, whatever the distributions.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.foundation.fields import Names, QuantityField, QuantityPair, Record, Share, wrong
from ldnsim.foundation.random_streams import generator
from ldnsim.foundation.units import DIMENSIONLESS, Quantity, coherent, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = [
    "Correlation",
    "Distribution",
    "NotTogether",
    "Spread",
    "drawn",
    "logit_sd",
    "logit_sd_bounds",
    "mixed",
    "mixing",
    "normals",
    "varied",
]

Distribution = Literal["log_normal", "logit_normal", "normal", "uniform"]
KINDS = ("normal", "log_normal", "uniform", "share", "shares")
GRID = np.linspace(-8.0, 8.0, 1601)  # standard deviations, to integrate over a normal
WEIGHTS = np.exp(-(GRID**2) / 2) / np.exp(-(GRID**2) / 2).sum()
LARGEST_LOGIT_SD = 3.0  # beyond, almost everybody is near 0 or near 1
SMALLEST_PIVOT = 1e-9


def _special() -> Any:
    """scipy's special functions: imported late, they cost 0.3 s."""
    from scipy import special

    return special


def _coefficient(found: Quantity) -> Quantity:
    if found.dimension != DIMENSIONLESS or not -1 <= coherent(found) <= 1:
        raise wrong(f"{found} is not a correlation", "-1 to 1")
    return found


def _two(found: object) -> object:
    if not isinstance(found, list | tuple) or len(found) != 2:
        raise wrong("this is not a pair", "two parameters: [plasma.F, plasma.ka]")
    return found


class Correlation(Record):
    """How two quantities that are drawn go together: the correlation of the normal numbers behind them."""

    between: Annotated[tuple[str, str], BeforeValidator(_two)]
    value: Annotated[QuantityField, AfterValidator(_coefficient)]
    source: Names = ()
    note: str = ""


class Spread(Record):
    """The distribution of a quantity over people: exactly one of the first five, cut off outside of `range`.

    `normal` is mean and standard deviation, `log_normal` median and coefficient of variation, `uniform` both ends,
    `share` that of people with 1 (0 for the others), `shares` that of each value.
    """

    normal: QuantityPair | None = None
    log_normal: QuantityPair | None = None
    uniform: QuantityPair | None = None
    share: Share | None = None
    shares: dict[str, Share] = Field(default_factory=dict)
    range: QuantityPair | None = None
    source: Names = ()
    note: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The distributions that are stated; one of them in a sound record."""
        return tuple(kind for kind in KINDS if getattr(self, kind) not in (None, {}))


class NotTogether(Exception):
    """Correlations that cannot hold at once; `pair` is one of those to blame."""

    def __init__(self, pair: tuple[str, str]) -> None:
        super().__init__(pair)
        self.pair = pair


def normals(seed: int, quantity: str, subjects: range) -> np.ndarray:
    """A standard normal number for each subject (counted from 1): the same person in any population and stretch.

    `quantity` is the address of what is drawn, so that all accounts and arms see the same people.
    """
    # one stream per seed and quantity, two numbers of it per person
    stream = generator(seed, quantity, 0)
    skipped = subjects.start - 1
    stream.bit_generator.advance(skipped // 2)  # type: ignore[attr-defined]  # Philox gives four numbers at a time
    uniform = stream.random((skipped % 2 + len(subjects), 2))[skipped % 2 :]
    radius = np.sqrt(-2 * np.log1p(-uniform[:, 0]))
    return np.asarray(radius * np.cos(2 * np.pi * uniform[:, 1]))  # Box and Muller 1958


def varied(
    distribution: Distribution, values: np.ndarray | float, cv: float, typical: float, z: np.ndarray
) -> np.ndarray:
    """Values moved by standard normal numbers `z`, so that they vary with coefficient of variation `cv` around them.

    `values` is the typical value (between people), or those of people (between their occasions). Raises LdnsimError for
    a share that cannot vary so much.
    """
    match distribution:
        case "log_normal":  # median and CV are as stated
            return np.asarray(values * np.exp(math.sqrt(math.log1p(cv * cv)) * z))
        case "logit_normal":  # the same, and never outside of 0 to 1
            return np.asarray(_special().expit(_special().logit(values) + logit_sd(typical, cv) * z))
        case "normal":
            return np.asarray(values + cv * abs(typical) * z)
        case "uniform":
            return np.asarray(values + math.sqrt(3) * cv * abs(typical) * (2 * _special().ndtr(z) - 1))


@lru_cache(maxsize=4096)
def logit_sd(median: float, cv: float) -> float:
    """The standard deviation on the logit scale that gives a share this median and coefficient of variation.

    Raises LdnsimError where there is none; see `logit_sd_bounds`.
    """
    from scipy.optimize import brentq  # imported late: it costs 0.2 s

    below, above = logit_sd_bounds(median, cv)
    return float(brentq(lambda sd: _cv_of_share(median, sd) - cv, below, above, xtol=1e-15, rtol=8.9e-16))


def logit_sd_bounds(median: float, cv: float) -> tuple[float, float]:
    """Two standard deviations on the logit scale, the lower giving a smaller CV than `cv`, the upper no smaller one.

    Raises LdnsimError if the median is not between 0 and 1, or if no share with this median varies so much.
    """
    if not 0 < median < 1:
        raise LdnsimError(
            Fault(f"{median:g} cannot vary as a share (logit_normal)", expected="more than 0, less than 1")
        )
    trials = np.linspace(0.0, LARGEST_LOGIT_SD, 61)
    above = next((float(trial) for trial in trials if _cv_of_share(median, float(trial)) >= cv), None)
    if above is None:
        most = max(_cv_of_share(median, float(trial)) for trial in trials)
        message = f"a share with a median of {median:g} cannot have a CV of {cv:.0%}"
        raise LdnsimError(Fault(message, expected=f"at most {most:.0%}"))
    return max(0.0, above - float(trials[1])), above


def _cv_of_share(median: float, sd: float) -> float:
    """The coefficient of variation of a share whose logit is normal with this standard deviation."""
    share = _special().expit(_special().logit(median) + sd * GRID)
    mean = float((WEIGHTS * share).sum())
    return math.sqrt(float((WEIGHTS * (share - mean) ** 2).sum())) / mean


def drawn(spread: Spread, z: np.ndarray, to_coherent: Callable[[Quantity], float]) -> np.ndarray:
    """Coherent values of a distribution from standard normal numbers.

    A `range` maps each person's rank into the part of the distribution that it leaves: what redrawing until a value
    lies in it would give, with one draw.
    """
    if spread.share is not None:
        return np.asarray(_special().ndtr(z) >= 1 - coherent(spread.share)).astype(float)
    if spread.shares:
        values = np.array([to_coherent(value) for value in map(parse_quantity, spread.shares)])
        edges = np.cumsum([coherent(share) for share in spread.shares.values()])
        return np.asarray(values[np.minimum(np.searchsorted(edges, _special().ndtr(z), side="right"), len(values) - 1)])
    if spread.uniform is not None:
        low, high = map(to_coherent, spread.uniform)
        return np.asarray(low + (high - low) * _special().ndtr(z))
    log = spread.log_normal is not None
    middle, sd = _scale(spread, to_coherent)
    if spread.range is None:
        values = middle + sd * z
        return np.asarray(np.exp(values) if log else values)
    low, high = (to_coherent(end) for end in spread.range)
    values = np.full(z.shape, middle)
    if sd:
        inner = [(math.log(end) if end > 0 else -math.inf) if log else end for end in (low, high)]
        below, above = (_special().ndtr((end - middle) / sd) for end in inner)
        values = middle + sd * _special().ndtri(below + (above - below) * _special().ndtr(z))
    return np.asarray(np.clip(np.exp(values) if log else values, low, high))


def _scale(spread: Spread, to_coherent: Callable[[Quantity], float]) -> tuple[float, float]:
    """Centre and standard deviation on the scale where a spread is normal."""
    if spread.log_normal is not None:
        median, cv = to_coherent(spread.log_normal[0]), coherent(spread.log_normal[1])
        return math.log(median), math.sqrt(math.log1p(cv * cv))
    assert spread.normal is not None
    mean, sd = map(to_coherent, spread.normal)
    return mean, sd


def mixing(correlations: Iterable[tuple[str, str, float]]) -> tuple[list[str], list[list[float]]]:
    """Quantities in the order in which they are first named, and the lower triangle (Cholesky) that mixes them.

    The first of them keeps its own numbers, and adding quantities at the end leaves the earlier ones as they are.
    Raises NotTogether where the matrix is not positive definite. Plain floats: the same bits whoever is drawn.
    """
    known: dict[tuple[str, str], float] = {}
    names: dict[str, None] = {}
    for a, b, value in correlations:
        names |= {a: None, b: None}
        known[a, b] = known[b, a] = value
    order = list(names)
    rows: list[list[float]] = []
    for i, name in enumerate(order):
        row: list[float] = []
        for j, other in enumerate(order[:i]):
            total = known.get((name, other), 0.0) - math.fsum(row[k] * rows[j][k] for k in range(j))
            row.append(total / rows[j][j])
        rest = 1.0 - math.fsum(entry * entry for entry in row)
        if rest <= SMALLEST_PIVOT:
            against = max(
                (other for other in order[:i] if (name, other) in known), key=lambda other: abs(known[name, other])
            )
            raise NotTogether((against, name))
        rows.append([*row, math.sqrt(rest)])
    return order, rows


def mixed(
    numbers: Callable[[str], np.ndarray], correlations: Sequence[tuple[str, str, float]]
) -> Mapping[str, np.ndarray]:
    """Correlated numbers of all quantities that correlations name, from independent ones: element by element."""
    order, rows = mixing(correlations)
    own = {name: numbers(name) for name in order}
    found = {}
    for name, row in zip(order, rows, strict=True):
        total = own[order[0]] * row[0]
        for other, weight in zip(order[1:], row[1:], strict=False):
            total = total + own[other] * weight
        found[name] = total
    return found
