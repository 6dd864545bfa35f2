"""python tests/same_numbers.py A.nc B.nc: exit 1 unless both results hold the same bits."""

from __future__ import annotations

import sys

import xarray as xr


def main(first: str, second: str) -> int:
    with xr.open_dataset(first, engine="h5netcdf") as a, xr.open_dataset(second, engine="h5netcdf") as b:
        differing = [
            name
            for name in {*a.variables, *b.variables}
            if name not in a or name not in b or not a[name].identical(b[name])
        ]
    print(
        f"{first} and {second}: "
        + (f"differ in {', '.join(sorted(map(str, differing)))}" if differing else "the same bits")
    )
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
