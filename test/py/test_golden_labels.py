"""The calibration vectors that the TypeScript side is tested with are what scikit-learn answers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

GOLDEN = Path(__file__).parents[1] / "golden" / "labels.json"
CASES: list[dict[str, Any]] = [case for case in json.loads(GOLDEN.read_text()) if case["kind"] == "isotonic"]


@pytest.mark.parametrize("case", CASES, ids=[f"case {index}" for index in range(len(CASES))])
def test_scikit_learn_gives_the_golden_probabilities(case: dict[str, Any]) -> None:
    model = IsotonicRegression(out_of_bounds="clip").fit(case["scores"], case["is_right"])
    np.testing.assert_allclose(model.predict(case["asked"]), case["expected"], atol=1e-12)
