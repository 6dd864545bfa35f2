"""Randomness that belongs to a person and a quantity, not to the order in which things are computed."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

__all__ = ["generator"]


def generator(seed: int, quantity: str, subject: int) -> np.random.Generator:
    """The stream of one quantity of one person: the same in any population size, chunk, arm or thread.

    A Philox stream per seed and quantity, advanced to the person: the key is their hash, and each person owns
    2**128 numbers of the stream.
    """
    digest = blake2b(f"{seed}/{quantity}".encode(), digest_size=16).digest()
    key = np.frombuffer(digest, dtype="<u8")
    return np.random.Generator(np.random.Philox(key=key, counter=np.array([0, 0, subject, 0], dtype=np.uint64)))
