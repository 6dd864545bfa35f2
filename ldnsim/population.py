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

    size: Annotated[Whole, Field(ge=1, le=100_000)]
    seed: Annotated[Whole, Field(ge=0, le=10**18)] = 1


def log_normal_factors(population: Population, quantity: str, cv: float) -> np.ndarray:
    """Factors on a typical value, shape (size,): log-normal with median 1 and coefficient of variation `cv`.

    `quantity` is the parameter's address, so that all accounts and arms see the same people.
    """
    sd = math.sqrt(math.log1p(cv * cv))
    subjects = range(1, population.size + 1)
    return np.exp(
        sd * np.array([generator(population.seed, quantity, subject).standard_normal() for subject in subjects])
    )
