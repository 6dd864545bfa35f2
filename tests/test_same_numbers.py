"""What holds two states of the package against each other sees every bit, and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from same_numbers import differences


def result(values=(1.0, np.nan, 0.0), dtype=float, **attributes) -> xr.Dataset:
    cp = xr.DataArray(np.array(values, dtype), dims="time", attrs={"units": "nmol/L"})
    return xr.Dataset(
        {"Cp": cp, "why": ("time", np.array(["", "a", "ä"], object))}, {"time": [0.0, 1.0, 2.0]}, attributes
    )


@pytest.fixture(params=["nc", "zarr"])
def found(request, tmp_path):
    """found(a, b) -> name -> what differs between two results that were written."""

    def compare(a: xr.Dataset, b: xr.Dataset) -> dict[str, str]:
        for name, dataset in (("a", a), ("b", b)):
            if request.param == "nc":
                dataset.to_netcdf(tmp_path / f"{name}.nc", engine="h5netcdf")
            else:
                dataset.to_zarr(tmp_path / f"{name}.zarr", consolidated=False)
        return dict(differences(*(tmp_path / f"{name}.{request.param}" for name in "ab")))

    return compare


def test_equal_results_are_the_same_whatever_the_version(found):
    assert found(result(package_version="1"), result(package_version="2")) == {}


@pytest.mark.parametrize(
    ("other", "names", "words"),
    [
        (result((1 + 2**-52, np.nan, 0.0)), ["Cp"], "1 of 3 values, largest absolute difference 2.22e-16, relative 2"),
        (result((1.0, np.nan, -0.0)), ["Cp"], "1 of 3 values"),
        (result((1.0, 2.0, 0.0)), ["Cp"], "1 of 3 values, 1 of them NaN on one side only"),
        (result(dtype=np.float32), ["Cp"], "float64 -> float32"),
        (result(seed=1), ["@seed"], "is new"),
        (result().assign_coords(time=[0.0, 1.0, 3.0]), ["time"], "absolute difference 1, relative 0.5"),
        (result().drop_vars("Cp"), ["Cp"], "is gone"),
        (result().assign(why=("time", np.array(["", "a", "b"], object))), ["why"], "1 of 3 values; first 'ä' -> 'b'"),
        (result().isel(time=slice(2)), ["Cp", "time", "why"], "shape (3,) -> (2,)"),
    ],
)
def test_what_differs_is_named(found, other, names, words):
    differing = found(result(), other)
    assert [name for name in sorted(differing) if "_FillValue" not in name] == names
    assert words in differing[names[0]]


def test_keys_of_json_and_of_json_in_an_attribute_are_compared_by_themselves(found, tmp_path):
    sweep = {"people": 1, "version of ldnsim": "1"}
    other = {"people": 2, "version of ldnsim": "2"}
    assert list(found(result(ldnsim_sweep=json.dumps(sweep)), result(ldnsim_sweep=json.dumps(other)))) == [
        "@ldnsim_sweep.people"
    ]
    for name, content in (("a.json", sweep), ("b.json", other)):
        (tmp_path / name).write_text(json.dumps({"chi2": [1.0, 2.0], "of": content}))
    assert [each.name for each in differences(tmp_path / "a.json", tmp_path / "b.json")] == [
        "of.people",
        "of.version of ldnsim",  # of another file than those that may differ in it
    ]


@pytest.mark.parametrize(
    ("suffix", "other", "name", "words"),
    [
        ("csv", "a,b\n1,x\n2.5,y\n", "a", "1 of 2 values, largest absolute difference 0.5, relative 0.25"),
        ("csv", "a,b\n1,x\n2.0,y\n", "a", "1 of 2 values; first '2' -> '2.0'"),
        ("csv", "a,b\n1,x\n2,z\n", "b", "first 'y' -> 'z'"),
        ("csv", "a,b\n1,x\n", "rows", "2 -> 1"),
        ("csv", "a,b\r\n1,x\r\n2,y\r\n", "bytes", "the same cells"),
        ("txt", "a,b\n1,x\n2,z\n", "text", "1 of 3 lines; first '2,y' -> '2,z'"),
    ],
)
def test_tables_and_texts(tmp_path, suffix, other, name, words):
    first, second = (tmp_path / f"{which}.{suffix}" for which in "ab")
    first.write_text("a,b\n1,x\n2,y\n")
    second.write_bytes(other.encode())
    assert differences(first, first) == []
    (found,) = differences(first, second)
    assert found.name == name
    assert words in found.what
