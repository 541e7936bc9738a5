from __future__ import annotations

import copy
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from stegfield import fields
from stegfield.config import FitConfig, HideConfig, SlotRule
from stegfield.errors import ConfigError, InputError, KeyFileError, UnreadableError
from stegfield.fields import ARCHITECTURES, FitProgress, FitWatch
from stegfield.hiding import (
    HiddenSecret,
    HideResult,
    Secret,
    SlotScheme,
    cautions,
    expected_psnr_db,
    hide_functions,
    key_slots,
    reveal_function,
)
from stegfield.keys import Key, KeyFile, Passphrase
from stegfield.metrics import psnr_db
from stegfield.signals import Signal, to_samples, waves

COVER, ONE, TWO = waves(20, 32), waves(24, 16, phase=1.0), waves(40, 44, phase=2.0)
ALICE, BOB = Key(b"a" * 32), Key(b"b" * 32)
SIZES: dict[str, dict[str, int | float]] = {
    "siren": {"width": 32, "depth": 3, "w0": 10.0},
    "fourier": {"frequencies": 16, "std": 0.5, "width": 32, "depth": 3},
    "grid": {"coarsest": 4, "finest": 32, "levels": 4, "width": 24},
}


def key_file(secret: HiddenSecret) -> KeyFile:
    assert secret.key_file is not None
    return secret.key_file


def hidden(
    slots: SlotRule = "keyed", *, architecture: str = "siren", steps: int = 150
) -> HideResult:
    return hide_functions(
        COVER,
        [Secret(ONE, ALICE), Secret(TWO, BOB)],
        architecture=architecture,
        sizes=SIZES[architecture],
        config=HideConfig(slots=slots),
        training=FitConfig(steps=steps, batch=256, seed=4),
    )


@pytest.mark.parametrize("slots", get_args(SlotRule))
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_key_reveals_its_secret_from_the_file(
    architecture: str, slots: SlotRule, tmp_path: Path
) -> None:
    result = hidden(slots, architecture=architecture, steps=300)
    fields.save(tmp_path / "public.safetensors", result.field)
    field = fields.load(tmp_path / "public.safetensors")
    assert psnr_db(to_samples(fields.render(field)), to_samples(COVER)) == result.cover.psnr_db
    for image, secret in zip((ONE, TWO), result.secrets, strict=True):
        revealed = reveal_function(field, KeyFile.parse(key_file(secret).to_bytes()))
        assert revealed.certain
        assert revealed.signal.size == image.size
        shown = psnr_db(to_samples(revealed.signal), to_samples(image))
        assert shown == secret.quality.psnr_db
        others = [psnr_db(to_samples(fields.render(field, image.size)), to_samples(image))]
        assert shown > max(others) + 3


@pytest.mark.parametrize("slots", get_args(SlotRule))
def test_a_key_swapped_in_and_out_leaves_every_weight_bit_equal(slots: SlotRule) -> None:
    result = hidden(slots, steps=5)
    before = fields.to_bytes(result.field)
    first = reveal_function(result.field, key_file(result.secrets[0])).signal.values
    reveal_function(result.field, key_file(result.secrets[1]))
    assert np.array_equal(
        reveal_function(result.field, key_file(result.secrets[0])).signal.values, first
    )
    assert fields.to_bytes(result.field) == before


def test_a_stego_header_has_the_entries_of_a_clean_one() -> None:
    training = FitConfig(steps=2, seed=4)
    stego = hidden(steps=2).field
    clean = fields.fit(COVER, architecture="siren", sizes=SIZES["siren"], training=training).field
    assert stego.header() == clean.header()
    assert len(fields.to_bytes(stego)) == len(fields.to_bytes(clean))


def test_a_wrong_key_and_an_innocent_field_give_the_one_error() -> None:
    stego = hidden(steps=2).field
    clean = fields.fit(
        COVER, architecture="siren", sizes=SIZES["siren"], training=FitConfig(steps=2)
    ).field
    errors = []
    for field, key in (
        (stego, Key(b"x" * 32)),
        (stego, Passphrase("a guess")),
        (clean, ALICE),
    ):
        with pytest.raises(UnreadableError) as caught:
            reveal_function(field, key)
        errors.append((str(caught.value), caught.value.hint))
    assert len(set(errors)) == 1


def test_a_wrong_key_shows_no_secret_even_when_forced() -> None:
    result = hidden(steps=300)
    forced = reveal_function(result.field, Key(b"x" * 32), size=(24, 16))
    assert not forced.certain
    assert psnr_db(to_samples(forced.signal), to_samples(ONE)) < 20


def test_in_half_precision_the_secret_still_shows_at_a_given_size() -> None:
    result = hidden(steps=300)
    rounded = copy.deepcopy(result.field).half().float()
    with pytest.raises(UnreadableError):
        reveal_function(rounded, ALICE)
    shown = reveal_function(rounded, ALICE, size=(24, 16))
    assert not shown.certain
    close = psnr_db(to_samples(shown.signal), to_samples(ONE))
    assert close > result.secrets[0].quality.psnr_db - 3


def test_a_secret_can_be_revealed_at_any_size() -> None:
    result = hidden(steps=300)
    native = reveal_function(result.field, ALICE).signal.values
    double = reveal_function(result.field, ALICE, size=(48, 32)).signal.values
    averaged = double.reshape(24, 2, 16, 2, 3).mean(axis=(1, 3))
    assert np.abs(averaged - native).mean() < 0.02


def test_a_passphrase_is_a_key() -> None:
    passphrase = Passphrase("correct horse")
    result = hide_functions(
        COVER,
        [Secret(ONE, passphrase)],
        architecture="siren",
        sizes=SIZES["siren"],
        training=FitConfig(steps=2, seed=1),
    )
    assert reveal_function(result.field, passphrase).certain
    assert reveal_function(result.field, key_file(result.secrets[0])).certain


@pytest.mark.usefixtures("_same_draws")
def test_the_same_seed_and_keys_give_the_same_file() -> None:
    first, second = (hidden(steps=5) for _ in range(2))
    assert fields.to_bytes(first.field) == fields.to_bytes(second.field)


def test_shared_slots_are_the_same_for_all_and_the_covers_own() -> None:
    result = hidden("magnitude", steps=20)
    scheme = SlotScheme(ratio=0.05)
    first, second = (key_slots(result.field, key_file(s), scheme) for s in result.secrets)
    for name, (positions, values) in first.items():
        assert torch.equal(positions, second[name][0])
        assert not torch.equal(values, second[name][1])
    assert result.mask_bits == sum(
        result.field.decoder.get_parameter(name).numel() for name in first
    )
    assert result.positions_entropy_bits < result.positions_bits < result.mask_bits
    # without the positions, the secret bytes alone do not reveal
    with pytest.raises(UnreadableError):
        reveal_function(result.field, ALICE)


def test_magnitude_slots_keep_the_values_that_the_cover_was_fitted_with() -> None:
    """Only the draw may touch the slots after the first fit."""
    training = FitConfig(steps=70, batch=256, seed=4)
    result = hidden("magnitude", steps=70)
    pretrained = fields.fit(
        COVER,
        architecture="siren",
        sizes=SIZES["siren"],
        training=FitConfig(steps=round(70 * 2 / 7), batch=training.batch, seed=4),
        draw=False,
    ).field
    slots = key_slots(result.field, key_file(result.secrets[0]), SlotScheme(ratio=0.05))
    for name, (positions, _) in slots.items():
        before = pretrained.decoder.get_parameter(name).detach().flatten()[positions]
        after = result.field.decoder.get_parameter(name).detach().flatten()[positions]
        spread = pretrained.decoder.get_parameter(name).detach().std()
        assert torch.allclose(before, after, rtol=0, atol=2**-9 * float(spread))
        threshold = pretrained.decoder.get_parameter(name).detach().abs().flatten()
        assert before.abs().min() >= threshold.sort(descending=True).values[len(positions) - 1]


def test_grey_and_colour_may_be_mixed() -> None:
    grey = waves(16, 16, channels=1, phase=1.0)
    result = hide_functions(
        COVER,
        [Secret(grey, ALICE)],
        architecture="siren",
        sizes=SIZES["siren"],
        training=FitConfig(steps=150, batch=256, seed=4),
    )
    assert reveal_function(result.field, ALICE).signal.channels == 1
    result = hide_functions(
        grey,
        [Secret(ONE, ALICE)],
        architecture="siren",
        sizes=SIZES["siren"],
        training=FitConfig(steps=2, seed=4),
    )
    assert fields.render(result.field).channels == 3


def test_loss_weights_shift_quality_between_cover_and_secrets() -> None:
    def covers_lead(cover_weight: float) -> float:
        result = hide_functions(
            COVER,
            [Secret(ONE, ALICE)],
            architecture="siren",
            sizes=SIZES["siren"],
            config=HideConfig(cover_weight=cover_weight),
            training=FitConfig(steps=150, batch=256, seed=4),
        )
        return result.cover.psnr_db - result.secrets[0].quality.psnr_db

    assert covers_lead(20.0) > covers_lead(0.05)


def test_what_cannot_be_hidden_is_refused() -> None:
    with pytest.raises(ConfigError, match="no secret to hide"):
        hide_functions(COVER, [])
    with pytest.raises(ConfigError, match="the same key"):
        hide_functions(COVER, [Secret(ONE, ALICE), Secret(TWO, Key(b"a" * 32))])
    with pytest.raises(ConfigError, match="the same key"):
        hide_functions(COVER, [Secret(ONE, Passphrase("p")), Secret(TWO, Passphrase("p"))])
    with pytest.raises(ConfigError, match="cannot be combined with a passphrase"):
        hide_functions(COVER, [Secret(ONE, Passphrase("p"))], config=HideConfig(slots="magnitude"))
    with pytest.raises(ConfigError, match=r"HideConfig\(ratio=\.\.\.\) must be between 0 and 1"):
        HideConfig(ratio=1.5)
    with pytest.raises(ConfigError, match=r"HideConfig\(cover_weight=\.\.\.\) must be above 0"):
        HideConfig(cover_weight=0.0)


def test_more_samples_a_weight_are_expected_to_cost_quality() -> None:
    field = fields.new_field(COVER, architecture="siren")
    few = expected_psnr_db(field, [waves(128, 128)] * 3)
    many = expected_psnr_db(field, [waves(128, 128)] * 6)
    large = expected_psnr_db(field, [waves(512, 768)] * 3)
    assert 40 < few < 50
    assert few - 5 < many < few
    assert large < 30


def test_watching_tells_the_cover_first() -> None:
    seen: list[FitProgress] = []

    def watch(progress: FitProgress) -> bool:
        seen.append(progress)
        return True

    training = FitConfig(steps=500, batch=64)
    result = hide_functions(
        COVER,
        [Secret(ONE, ALICE)],
        architecture="siren",
        sizes=SIZES["siren"],
        training=training,
        watch=watch,
    )
    assert result.stopped
    assert len(seen[0].psnr_db) == 2


def test_signals_are_not_changed() -> None:
    before = [Signal(s.values.copy()) for s in (COVER, ONE, TWO)]
    hidden(steps=2)
    for old, new in zip(before, (COVER, ONE, TWO), strict=True):
        assert np.array_equal(old.values, new.values)


@pytest.mark.parametrize("seed", [None, 4])
@pytest.mark.usefixtures("_same_draws")
@pytest.mark.parametrize(
    ("slots", "last"), [("keyed", 9), ("random", 9), ("magnitude", 5), ("magnitude", 15)]
)
def test_hiding_goes_on_from_a_checkpoint(
    slots: SlotRule,
    last: int,
    seed: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a seed, the salt, and so every key's slots, are those of the run that was cut off.

    With magnitude slots, 8 steps fit the cover, and 20 follow.
    """
    monkeypatch.setattr("stegfield.fields.training.CHECKPOINT_SECONDS", -1.0)
    checkpoint = tmp_path / "run"

    class CutOffError(Exception):
        pass

    watched: list[int] = []

    def note(progress: FitProgress) -> bool:
        watched.append(progress.step)
        return False

    def cut_off(progress: FitProgress) -> bool:
        if len(watched) == last:
            raise CutOffError
        return note(progress)

    def begin(watch: FitWatch, checkpoint: Path | None = checkpoint) -> HideResult:
        return hide_functions(
            COVER,
            [Secret(ONE, ALICE)],
            architecture="siren",
            sizes=SIZES["siren"],
            config=HideConfig(slots=slots),
            training=FitConfig(steps=28, batch=256, seed=seed),
            watch=watch,
            checkpoint=checkpoint,
        )

    with pytest.raises(CutOffError):
        begin(cut_off)
    result = begin(note)
    joint = range(1, 21) if slots == "magnitude" else range(1, 29)
    assert watched == [*(range(1, 9) if slots == "magnitude" else []), *joint]
    assert result.steps == 28
    assert reveal_function(result.field, key_file(result.secrets[0])).certain
    if seed is not None:
        assert fields.to_bytes(result.field) == fields.to_bytes(begin(note, None).field)


def test_a_checkpoint_with_damaged_slots_is_refused(tmp_path: Path) -> None:
    def begin() -> HideResult:
        return hide_functions(
            COVER,
            [Secret(ONE, ALICE)],
            architecture="siren",
            sizes=SIZES["siren"],
            config=HideConfig(slots="magnitude"),
            training=FitConfig(steps=2),
            checkpoint=tmp_path / "run",
        )

    begin()
    data = (tmp_path / "run").read_bytes()
    at = data.index(b"positions") + 20
    (tmp_path / "run").write_bytes(data[:at] + b"ff" * 20 + data[at + 40 :])
    with pytest.raises(InputError, match="damaged checkpoint"):
        begin()


@pytest.mark.parametrize("secret", [None, waves(32, 32, phase=1.0), waves(64, 16, phase=1.0)])
@pytest.mark.usefixtures("_same_draws")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_published_weight_is_left_as_it_was_drawn(
    architecture: str, secret: Signal | None
) -> None:
    """Whatever the aspect of a secret, it reaches no weight that a clean fit would leave alone."""
    cover, training = waves(16, 64), FitConfig(steps=20, batch=256, seed=4)
    sizes = {"sizes": SIZES[architecture], "architecture": architecture}
    if secret is None:
        field = fields.fit(cover, training=training, **sizes).field  # type: ignore[arg-type]
    else:
        secrets = [Secret(secret, ALICE)]
        field = hide_functions(cover, secrets, training=training, **sizes).field  # type: ignore[arg-type]
    sizes["sizes"] = asdict(field.sizes)
    start = fields.new_field(cover, seed=4, **sizes)  # type: ignore[arg-type]
    for before, after in zip(start.parameters(), field.parameters(), strict=True):
        assert (before != after).all()


def test_random_slots_differ_from_run_to_run() -> None:
    config, training = HideConfig(slots="random"), FitConfig(steps=2)
    first, second = (
        key_file(
            hide_functions(COVER, [Secret(ONE, ALICE)], config=config, training=training).secrets[0]
        )
        for _ in range(2)
    )
    assert first.slots
    assert first != second


def test_a_key_file_with_another_fields_slots_works_with_keyed_slots() -> None:
    old = key_file(hidden("magnitude", steps=4).secrets[0])
    assert old.slots
    result = hide_functions(COVER, [Secret(ONE, old)], training=FitConfig(steps=100, seed=2))
    shown = reveal_function(result.field, old)
    assert psnr_db(to_samples(shown.signal), to_samples(ONE)) == result.secrets[0].quality.psnr_db


def test_a_key_file_with_another_fields_slots_is_refused_where_new_ones_would_go() -> None:
    old = key_file(hidden("random", steps=2).secrets[0])
    with pytest.raises(KeyFileError, match="holds the slots of another field"):
        hide_functions(COVER, [Secret(ONE, old)], config=HideConfig(slots="random"))


def test_a_decoy_is_a_secret_whose_key_nobody_keeps() -> None:
    decoys = [Secret.decoy(ONE), Secret.decoy(TWO)]
    assert decoys[0].key != decoys[1].key
    training = FitConfig(steps=100, batch=256, seed=4)
    result = hide_functions(
        COVER, [*decoys, Secret(ONE, ALICE)], sizes=SIZES["siren"], training=training
    )
    assert [secret.key_file is None for secret in result.secrets] == [True, True, False]
    for decoy, hidden_one in zip(decoys, result.secrets, strict=False):
        shown = reveal_function(result.field, decoy.key)
        assert shown.certain
        shown_db = psnr_db(to_samples(shown.signal), to_samples(decoy.signal))
        assert shown_db == hidden_one.quality.psnr_db


def test_a_run_with_decoys_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be resumed: their keys are not kept"):
        hide_functions(COVER, [Secret.decoy(ONE)], checkpoint=tmp_path / "run")


def test_the_library_cautions_about_small_fields_and_those_that_show_traces() -> None:
    photographs = [waves(512, 768)] * 3
    siren, grid = (fields.new_field(COVER, architecture=name) for name in ("siren", "grid"))
    assert cautions(siren, [COVER, ONE]) == ()
    assert ["few for all this" in each.text for each in cautions(siren, photographs)] == [True]
    assert ["traces of its secrets" in each.text for each in cautions(grid, [COVER])] == [True]
    result = hidden(architecture="grid", steps=2)
    assert "traces of its secrets" in result.cautions[-1].text


def test_no_repr_shows_numbers_or_keys() -> None:
    result = hidden("random", steps=2)
    for what in (result, result.secrets[0], Secret(ONE, ALICE)):
        assert "tensor" not in repr(what)
        assert "array" not in repr(what)
        assert "aaa" not in repr(what)
    assert len(repr(result)) < 2000
    assert repr(result.field) == "Field(siren, 2,307 weights, shows an image of 32x20)"


@pytest.mark.parametrize("ratio", [1 / 3, 0.1 + 0.2, 0.0500004])
def test_any_ratio_is_told_to_the_receiver(ratio: float) -> None:
    config = HideConfig(ratio=ratio)
    result = hide_functions(COVER, [Secret(ONE, ALICE)], config=config, training=FitConfig(steps=2))
    assert reveal_function(result.field, ALICE).certain
