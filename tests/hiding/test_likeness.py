from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stegfield import fields
from stegfield.config import FitConfig, HideConfig
from stegfield.errors import ConfigError, InputError
from stegfield.fields import Field, FitProgress
from stegfield.hiding import HideResult, Secret, hide_functions, reveal_function
from stegfield.keys import Key
from stegfield.metrics import psnr_db
from stegfield.signals import to_samples, waves

COVER, SECRET, KEY = waves(20, 24), waves(16, 20, phase=1.0), Key(b"k" * 32)
SIZES = {"width": 32, "depth": 3, "w0": 10.0}
TRAINING = FitConfig(steps=300, batch=256, seed=4)


@pytest.fixture(scope="module")
def clean() -> Field:
    """A field of the cover that hides nothing."""
    return fields.fit(COVER, sizes=SIZES, training=replace(TRAINING, seed=9)).field


@pytest.fixture(scope="module")
def hidden(clean: Field) -> HideResult:
    """One that hides a secret, and looks like it."""
    return hide_functions(COVER, [Secret(SECRET, KEY)], training=TRAINING, like=clean)


def test_a_likeness_has_the_values_and_nearly_the_spectra_of_the_clean_field(
    clean: Field, hidden: HideResult
) -> None:
    free = hide_functions(COVER, [Secret(SECRET, KEY)], sizes=SIZES, training=TRAINING).field
    for name, weight in clean.named_parameters():
        ours, others = hidden.field.get_parameter(name), free.get_parameter(name)
        expected = weight.flatten().sort().values
        noise = 2**-9 * float(weight.detach().std())  # both are drawn
        torch.testing.assert_close(ours.flatten().sort().values, expected, rtol=0, atol=noise)
        if weight.ndim == 2:
            assert not torch.equal(ours, weight)
            spectrum = torch.linalg.svdvals(weight)
            distance, usual = (
                (torch.linalg.svdvals(each) - spectrum).norm() for each in (ours, others)
            )
            assert distance < 0.2 * usual


def test_the_key_reveals_the_secret_of_a_likeness(hidden: HideResult) -> None:
    shown = reveal_function(fields.from_bytes(fields.to_bytes(hidden.field)), KEY)
    assert shown.certain
    assert psnr_db(to_samples(shown.signal), to_samples(SECRET)) > 22
    assert hidden.cover.psnr_db > 22


def test_a_likeness_stopped_early_still_has_the_values_of_the_clean_field(clean: Field) -> None:
    def impatient(progress: FitProgress) -> bool:
        return progress.step >= 12

    early = hide_functions(
        COVER, [Secret(SECRET, KEY)], training=TRAINING, watch=impatient, like=clean
    )
    assert early.stopped
    for name, weight in clean.named_parameters():
        ours = early.field.get_parameter(name).flatten().sort().values
        expected, noise = weight.flatten().sort().values, 2**-9 * float(weight.detach().std())
        torch.testing.assert_close(ours, expected, rtol=0, atol=noise)


def test_the_salt_is_not_that_of_the_clean_field(clean: Field, hidden: HideResult) -> None:
    assert hidden.field.public.seed != clean.public.seed
    assert replace(hidden.field.public, seed=b"") == replace(clean.public, seed=b"")


def test_what_a_likeness_cannot_be_kept_with_is_refused(clean: Field) -> None:
    secrets = [Secret(SECRET, KEY)]
    with pytest.raises(ConfigError, match="another size"):
        hide_functions(waves(20, 25), secrets, training=TRAINING, like=clean)
    with pytest.raises(ConfigError, match="random slots"):
        hide_functions(
            COVER, secrets, config=HideConfig(slots="random"), training=TRAINING, like=clean
        )
    with pytest.raises(ConfigError, match="cannot be combined with a clean field"):
        hide_functions(COVER, secrets, training=TRAINING, like=clean, sizes=SIZES)
    with pytest.raises(ConfigError, match="cannot be combined with a clean field"):
        hide_functions(COVER, secrets, training=TRAINING, like=clean, architecture="grid")
    with pytest.raises(ConfigError, match="L-BFGS"):
        hide_functions(COVER, secrets, training=replace(TRAINING, polish=2), like=clean)


@pytest.mark.usefixtures("_same_draws")
def test_a_run_in_a_likeness_goes_on_from_its_checkpoint(clean: Field, tmp_path: Path) -> None:
    class CutError(Exception):
        pass

    def cut(progress: FitProgress) -> bool:
        if progress.step == 2:
            raise CutError
        return False

    secrets, training = [Secret(SECRET, KEY)], replace(TRAINING, steps=8)
    whole = hide_functions(COVER, secrets, training=training, like=clean)
    path = tmp_path / "run"
    with pytest.raises(CutError):
        hide_functions(COVER, secrets, training=training, like=clean, watch=cut, checkpoint=path)
    again = hide_functions(COVER, secrets, training=training, like=clean, checkpoint=path)
    assert fields.to_bytes(again.field) == fields.to_bytes(whole.field)
    other = fields.fit(COVER, sizes=SIZES | {"depth": 2}, training=replace(TRAINING, steps=1))
    with pytest.raises(InputError, match="another run"):
        hide_functions(COVER, secrets, training=training, like=other.field, checkpoint=path)
