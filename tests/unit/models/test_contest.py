"""Bundles held against each other on the same rows."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models.__main__ import app
from models.bundle import Bundle
from models.contest import contest
from models.onnx_model import OnnxModel
from streams.errors import BadInputError


class Clock:
    """Ten ns a reading."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        self.now_ns += 10
        return self.now_ns


def test_each_says_what_it_says_alone(bundle: Bundle, fresh_rows: np.ndarray) -> None:
    found = contest([bundle, bundle], fresh_rows, Clock())
    alone = bundle.calibrated(OnnxModel(bundle).score(fresh_rows).margin)
    np.testing.assert_array_equal(found.scores, np.stack([alone, alone]))
    assert found.call_us.tolist() == [0.01, 0.01]


def test_rows_of_another_width_are_refused(bundle: Bundle, fresh_rows: np.ndarray) -> None:
    with pytest.raises(BadInputError, match="features, the rows have"):
        contest([bundle], fresh_rows[:, :-1], Clock())


def test_the_command_writes_scores_and_times(bundle: Bundle, fresh_rows: np.ndarray, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.npy", tmp_path / "found.npz"
    np.save(rows, fresh_rows[:100])
    given = ["--rows", str(rows), "--bundle", str(bundle.directory), "--bundle", str(bundle.directory)]
    done = CliRunner().invoke(app, ["contest", *given, "--out", str(out)])
    assert done.exit_code == 0, done.output
    with np.load(out) as found:
        assert found["scores"].shape == (2, 100)
        assert (found["call_us"] > 0).all()
    np.save(rows, fresh_rows[0])
    refused = CliRunner().invoke(app, ["contest", *given, "--out", str(out)])
    assert isinstance(refused.exception, BadInputError)
