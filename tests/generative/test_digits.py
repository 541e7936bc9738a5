"""The whole training of a small model, from nothing: what it draws are digits, more or less."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stegfield import generative
from stegfield.config import PRESETS
from stegfield.generative import anchors, measures

TOLD_APART = 0.72
"""Share that a classifier tells rightly, of drawn and unseen digits; 0.61 to 0.65 measured. Of two
sets of real ones it tells 0.46 to 0.56, after the warm-up alone 0.79 to 0.85, of noise 0.86 on."""
DISTANCE = 60.0
"""Sliced Wasserstein distance; 40 measured, of real digits 28, of noise 88. It does not see that
samples are too much alike, so it is only 47 after the warm-up alone."""
NEAREST = 1.6
"""Median distance to the nearest example, as a multiple of that of unseen digits; 1.4 measured."""
PSNR_DB = 12.4
"""Mean PSNR to the nearest unseen digit; 13.2 measured, of other real digits 14.9."""
VARIETY = 0.9
"""Mean distance of two samples, as a share of that of two digits; 1.01 measured, after the warm-up
alone 0.83."""


def told_apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Give the share of images whose set a support vector machine tells that learned from others.

    1/2 is chance. Unlike distances of single samples, it sees what a whole set lacks.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    images = np.concatenate([one, other]).reshape(len(one) + len(other), -1)
    which = np.repeat([0, 1], [len(one), len(other)])
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return float(cross_val_score(SVC(), images, which, cv=folds).mean())


def test_a_model_of_digits_is_trained_from_nothing(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="the digits come with stegfield[analysis]")
    examples = generative.digits()
    model = generative.train(examples, PRESETS["digits"], tmp_path, name="digits")
    draws = torch.Generator().manual_seed(0)
    latents = torch.randn(200, model.sizes.latent, generator=draws)
    others = examples.held_out()
    training, unseen = (examples.grids(index) for index in (examples.training(), others))
    samples = model.sample(latents, model.size).clamp(-1, 1)
    report = measures.evaluate(
        training, unseen[torch.randperm(len(others), generator=draws)], samples
    )
    generated, noise = report.generated, report.noise
    assert generated.swd.mean < DISTANCE < noise.swd.mean
    assert generated.nearest_ratio < NEAREST < noise.nearest_ratio
    assert generated.psnr2_db > PSNR_DB > noise.psnr2_db
    assert generated.diversity > VARIETY
    some = training[torch.randperm(len(training), generator=draws)[: len(unseen)]]
    sets = anchors.anchor_sets(some) | {"generated": samples[: len(unseen)].numpy()}
    told = {name: told_apart(unseen.numpy(), each) for name, each in sets.items()}
    assert told["real"] < told["generated"] < TOLD_APART < told["noise"]
