"""What a dose means: releases over time."""

from __future__ import annotations

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.foundation.errors import LdnsimError


def test_a_product_lets_go_of_its_dose_over_time(ask):
    """The same curve as an infusion into the gut by hand; a line that infuses says its own time."""
    extended, plain, slow = (
        f'{{input: {way}, dose: 16 mg, at: "08:00", until: day 1{more}}}'
        for way, more in (("oral_extended", ""), ("oral", ", infuse: 4 h"), ("oral_extended", ", infuse: 8 h"))
    )
    result = ldn.simulate(ask("2 d", "[transient]", extended=extended, plain=plain, slow=slow))
    curve = result.Cp.isel(account=0)
    np.testing.assert_array_equal(curve.sel(arm="extended"), curve.sel(arm="plain"))
    assert float(curve.sel(arm="slow").max()) < float(curve.sel(arm="extended").max())


def test_how_long_a_product_takes_is_a_parameter_like_others(ask):
    question = ask("1 d", "[transient]", a='{input: oral_extended, dose: 16 mg, at: "08:00"}')
    peaks = [
        float(ldn.simulate(question.with_changes({"plasma.t_release": t})).Cp.max()) for t in ("1 h", "4 h", "12 h")
    ]
    assert peaks == sorted(peaks, reverse=True)
    with pytest.raises(LdnsimError, match="moves nothing"):
        ask("1 d", "[transient]", a='{input: oral, dose: 16 mg, at: "08:00"}').with_changes({"plasma.t_release": "1 h"})
