"""Who is drawn: between-person variability of the parameters that declare one."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from ldnsim.draws import generator
from ldnsim.fields import Record, Whole

__all__ = ["Population", "log_normal_factors"]


class Population(Record):
    """How many virtual people, and the seed that they are drawn with."""

    size: Annotated[Whole, Field(ge=1, le=100_000_000)]
    seed: Annotated[Whole, Field(ge=0, le=10**18)] = 1


def log_normal_factors(population: Population, quantity: str, cv: float, subjects: range) -> np.ndarray:
    """Factors on a typical value, shape (subjects,): log-normal with median 1 and coefficient of variation `cv`.

    `quantity` is the parameter's address, so that all accounts and arms see the same people; `subjects` count from 1.
    """
    sd = math.sqrt(math.log1p(cv * cv))
    # one stream per seed and quantity, two numbers of it per person: the same person in any population and stretch
    stream = generator(population.seed, quantity, 0)
    skipped = subjects.start - 1
    stream.bit_generator.advance(skipped // 2)  # type: ignore[attr-defined]  # Philox gives four numbers at a time
    uniform = stream.random((skipped % 2 + len(subjects), 2))[skipped % 2 :]
    normal = np.sqrt(-2 * np.log1p(-uniform[:, 0])) * np.cos(2 * np.pi * uniform[:, 1])  # Box and Muller 1958
    return np.asarray(np.exp(sd * normal))
