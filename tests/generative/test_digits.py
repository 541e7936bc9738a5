"""The whole training of a small model, from nothing: what it draws are digits, more or less."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stegfield import generative
from stegfield.config import PRESETS
from stegfield.generative import measures

NEAREST = 1.6
"""Median distance to the nearest example, as a multiple of that of unseen digits; 1.4 measured."""
PSNR_DB = 12.4
"""Mean PSNR to the nearest unseen digit; 13.3 measured, of unseen digits among themselves 13.8."""
VARIETY = 0.85
"""Mean distance of two samples, as a share of that of two digits; 0.98 measured."""


def test_a_model_of_digits_is_trained_from_nothing(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="the digits come with stegfield[analysis]")
    examples = generative.digits()
    model = generative.train(examples, PRESETS["digits"], tmp_path, name="digits")
    draws = torch.Generator().manual_seed(0)
    latents = torch.randn(200, model.sizes.latent, generator=draws)
    others = examples.held_out()
    report = measures.evaluate(
        examples.grids(examples.training()),
        examples.grids(others[torch.randperm(len(others), generator=draws).numpy()]),
        model.sample(latents, model.size),
    )
    drawn, noise = report.drawn, report.noise
    assert drawn.nearest_ratio < NEAREST < noise.nearest_ratio
    assert drawn.psnr2_db > PSNR_DB > noise.psnr2_db
    assert drawn.diversity > VARIETY
