from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import wasserstein_distance

from stegfield.errors import ConfigError
from stegfield.generative.anchors import anchor_sets, anchors
from stegfield.generative.measures import diversity, evaluate, pairwise_rms
from stegfield.generative.neighbours import Known, nearest, psnr2
from stegfield.generative.sheets import matches_sheet, to_levels
from stegfield.generative.wasserstein import (
    AnyBatch,
    Batch,
    SlicedWasserstein,
    enlarged,
    filtered,
    pyramid,
    sliced_wasserstein,
    sliced_wassersteins,
    wasserstein,
)
from stegfield.generative.zonal import areas, zonal_figures, zonal_mean, zonal_spectrum

Array = NDArray[np.float32]


def discs(samples: int, seed: int, size: int = 32, channels: int = 3) -> Array:
    """Draw a coloured disc with a sharp edge on each image, somewhere, on a coloured ground."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((size, size))
    centre = rng.uniform(0.3, 0.7, (2, samples, 1, 1)) * size
    radius = rng.uniform(0.1, 0.3, (samples, 1, 1)) * size
    inside = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
    ground, colour = rng.uniform(-0.9, 0.9, (2, samples, 1, 1, channels))
    stripes = 0.1 * (-1.0) ** columns[..., None]
    return np.asarray(np.where(inside[..., None], colour + stripes, ground), np.float32)


def weather(samples: int, seed: int, size: tuple[int, int] = (46, 90)) -> Array:
    """Draw climate fields: warm at the equator, with waves of random phase along longitude."""
    rng = np.random.default_rng(seed)
    latitude = np.linspace(np.pi / 2, -np.pi / 2, size[0])[None, :, None]
    longitude = np.linspace(0, 2 * np.pi, size[1], endpoint=False)
    waves = sum(
        0.2 / number * np.sin(number * longitude + rng.uniform(0, 7, (samples, 1, 1)))
        for number in range(1, 9)
    )
    values = 0.6 * np.cos(latitude) - 0.3 + np.cos(latitude) * waves
    return np.asarray(values[..., None], np.float32)


REAL, OTHER = discs(100, 1), discs(100, 2)


@pytest.fixture(scope="module")
def usual() -> SlicedWasserstein:
    """Measure how far the two sets lie apart."""
    return sliced_wasserstein(REAL, OTHER, seed=3)


# Wasserstein distances


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_the_distance_of_lines_is_that_of_scipy(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((3, n)).astype(np.float32)
    b = (2 * rng.standard_normal((3, m)) + 1).astype(np.float32)
    expected = [wasserstein_distance(p, q) for p, q in zip(a, b, strict=True)]
    assert wasserstein(a, b) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@given(st.integers(1, 20), st.integers(1, 4), st.floats(-9, 9, width=32))
def test_moved_lines_lie_as_far_apart_as_they_were_moved(n: int, times: int, by: float) -> None:
    a = np.random.default_rng(n).standard_normal((2, n)).astype(np.float32)
    # repeating every value changes no quantile
    b = np.repeat(a[:, ::-1], times, axis=1) + np.float32(by)
    assert wasserstein(a, b) == pytest.approx([abs(by)] * 2, abs=1e-5)


def test_uniform_and_scaled_uniform_have_their_closed_form() -> None:
    # the quantile functions are t and 3t on [0, 1], so the distance is 1
    n, m = 4000, 3000
    a = (np.arange(n, dtype=np.float32)[None] + 0.5) / n
    b = 3 * (np.arange(m, dtype=np.float32)[None] + 0.5) / m
    assert wasserstein(a, b) == pytest.approx([1.0], abs=1e-3)


@pytest.mark.parametrize("globe", [False, True])
@pytest.mark.parametrize("size", [(64, 64), (46, 90), (33, 70), (31, 40), (12, 9)])
def test_the_levels_of_a_pyramid_add_up_to_the_image(size: tuple[int, int], globe: bool) -> None:
    image = np.random.default_rng(0).standard_normal((2, *size, 3)).astype(np.float32)
    *details, total = pyramid(image, globe=globe)
    for detail in reversed(details):
        total = detail + enlarged(total, detail.shape, globe=globe)
    assert np.allclose(total, image, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "globe", "expected"),
    [
        ((64, 64), False, [(64, 64), (32, 32), (16, 16)]),
        ((46, 90), False, [(46, 90), (23, 45)]),
        ((46, 90), True, [(46, 90), (23, 45)]),
        ((92, 90), True, [(92, 90), (46, 45)]),  # 45 columns cannot be halved around a globe
        ((16, 64), False, [(16, 64)]),
        ((8, 8), False, [(8, 8)]),
    ],
)
def test_a_pyramid_ends_at_16(
    size: tuple[int, int], globe: bool, expected: list[tuple[int, int]]
) -> None:
    levels = pyramid(np.zeros((1, *size, 1), np.float32), globe=globe)
    assert [level.shape[1:3] for level in levels] == expected


@pytest.mark.parametrize("globe", [False, True])
def test_one_colour_has_no_detail(globe: bool) -> None:
    *details, last = pyramid(np.full((1, 46, 90, 2), 0.7, np.float32), globe=globe)
    assert all(np.abs(detail).max() < 1e-6 for detail in details)
    assert np.allclose(last, 0.7)


@given(st.integers(0, 89))
def test_on_a_globe_filters_commute_with_turning_it(turn: int) -> None:
    field = weather(1, 3)
    taps = np.array([0.1, 0.2, 0.4, 0.2, 0.1], np.float32)
    turned = filtered(np.roll(field, turn, axis=2), taps, globe=True)
    assert np.allclose(turned, np.roll(filtered(field, taps, globe=True), turn, axis=2), atol=1e-6)


def test_a_set_is_at_distance_0_from_itself() -> None:
    found = sliced_wasserstein(REAL, REAL.copy(), seed=3)
    assert found.mean == 0
    assert found.levels == {"32x32": 0, "16x16": 0}


def test_the_distance_is_symmetric() -> None:
    a, b = REAL[:60], OTHER[:50]
    for pair in ((a, b), (a[:50], b)):
        one, other = sliced_wasserstein(*pair, seed=3), sliced_wasserstein(*pair[::-1], seed=3)
        assert one.levels == pytest.approx(other.levels, rel=1e-4)


def test_the_distance_is_the_same_for_a_seed_and_similar_for_another(
    usual: SlicedWasserstein,
) -> None:
    again, other = (sliced_wasserstein(REAL, OTHER, seed=seed) for seed in (3, 4))
    assert usual == again
    assert usual != other
    assert other.mean == pytest.approx(usual.mean, rel=0.2)


def test_brightness_and_contrast_of_a_whole_set_do_not_count(usual: SlicedWasserstein) -> None:
    gains = np.array([0.5, 2, 1.5], np.float32)
    offsets = np.array([0.1, -0.3, 0], np.float32)
    found = sliced_wasserstein(REAL, OTHER * gains + offsets, seed=3)
    assert found.levels == pytest.approx(usual.levels, rel=1e-3)


def test_turning_a_globe_changes_less_than_another_draw_of_fields() -> None:
    fields, others = weather(100, 1), weather(100, 2)
    turned = sliced_wasserstein(others, np.roll(fields, 31, axis=2), seed=3, globe=True)
    expected = sliced_wasserstein(others, fields, seed=3, globe=True)
    # the phases of waves are random, so both are draws of the same fields
    assert turned.mean == pytest.approx(expected.mean, rel=0.3)
    # a seam at the date line is seen only where columns wrap around
    ramp = np.linspace(-0.5, 0.5, 90, dtype=np.float32)[:, None]
    seam, plain = (
        sliced_wasserstein(others, fields + ramp, seed=3, globe=globe) for globe in (True, False)
    )
    assert seam.levels["46x90"] > 2 * expected.levels["46x90"]
    assert seam.levels["46x90"] > 2 * plain.levels["46x90"]


def test_anchors_are_in_order() -> None:
    found = anchors(REAL, OTHER, seed=3)
    assert list(found) == ["real", "blurred", "noise"]
    real, blurred, noise = (each.levels for each in found.values())
    # blur takes away the finest detail; so few samples do not show what it does to the coarsest
    assert blurred["32x32"] > 1.3 * real["32x32"]
    for level in ("32x32", "16x16"):
        assert noise[level] > 2 * max(real[level], blurred[level])


def test_more_samples_bring_real_sets_closer() -> None:
    few, more = (
        np.mean([sliced_wasserstein(discs(n, s), discs(n, s + 50), seed=s).mean for s in (1, 2)])
        for n in (16, 150)
    )
    assert more < few / 2


def test_small_images_are_told_from_noise_by_small_patches() -> None:
    held_out, others = discs(300, 1, 8, 1), discs(300, 2, 8, 1)
    real, blurred, noise = (each.mean for each in anchors(held_out, others, seed=3).values())
    assert noise > 5 * real
    assert blurred > 1.5 * real
    assert sliced_wasserstein(held_out[:, :7], others[:, :7], seed=3).levels.keys() == {"7x8"}


def test_many_sets_are_measured_as_one_by_one(usual: SlicedWasserstein) -> None:
    expected = [usual, sliced_wasserstein(REAL, OTHER[:70], seed=3)]
    assert sliced_wassersteins(REAL, [OTHER, OTHER[:70]], seed=3) == expected


def test_tensors_of_any_precision_are_measured_as_arrays(usual: SlicedWasserstein) -> None:
    assert sliced_wasserstein(torch.tensor(REAL), torch.tensor(OTHER), seed=3) == usual
    wide = torch.tensor(OTHER).double().requires_grad_()
    assert sliced_wasserstein(REAL.astype(np.float64), wide, seed=3) == usual


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (discs(3, 1, 16), "differ in size"),
        (discs(3, 1, channels=1), "differ in size"),
        (REAL[:0], "empty"),
        (np.full_like(REAL[:2], np.nan), "not finite"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(other: Batch, says: str) -> None:
    measures: list[Callable[[Batch, Batch], object]] = [anchors, diversity, nearest, psnr2]
    for measure in measures:
        with pytest.raises(ConfigError, match=says):
            measure(other, REAL)
        with pytest.raises(ConfigError, match=says):
            measure(REAL, other)


def test_images_smaller_than_a_patch_are_refused() -> None:
    with pytest.raises(ConfigError, match="7 rows and columns, got 6x6"):
        sliced_wasserstein(discs(3, 1, 6), discs(3, 2, 6), seed=0)


# anchors and diversity


def test_noise_has_the_mean_and_the_covariance_of_each_pixel() -> None:
    rng = np.random.default_rng(0)
    mixing = np.array([[0.3, 0.1, 0], [0, 0.2, 0.1], [0, 0, 0.1]])
    real = (0.2 + rng.standard_normal((4000, 3, 3, 3)) @ mixing).astype(np.float32)
    noise = anchor_sets(real, seed=1)["noise"]
    assert noise.shape == real.shape
    assert np.allclose(noise.mean(axis=0), real.mean(axis=0), atol=0.02)
    for row in range(3):
        found, expected = (np.cov(each[:, row, row].T) for each in (noise, real))
        assert np.allclose(found, expected, atol=0.01)
    neighbours = np.corrcoef(noise[:, 0, 0, 0], noise[:, 0, 1, 0])[0, 1]
    assert abs(neighbours) < 0.05


@pytest.mark.parametrize(("side", "deviation"), [(64, 1.0), (128, 2.0), (46, 46 / 64), (8, 0.7)])
def test_blur_has_a_deviation_of_a_pixel_at_64(side: int, deviation: float) -> None:
    point = np.zeros((1, side, side, 1), np.float32)
    row, column = side // 2 - 1, side // 2
    point[0, row, column] = 1
    blurred = anchor_sets(point)["blurred"][0, ..., 0]
    at = np.arange(side)
    assert blurred.sum() == pytest.approx(1, abs=1e-3)
    for axis, centre in ((1, row), (0, column)):
        variance = (blurred.sum(axis=axis) * (at - centre) ** 2).sum()
        assert variance == pytest.approx(deviation**2, rel=0.02)


@given(st.floats(0.125, 4, width=16))
def test_diversity_grows_with_contrast(gain: float) -> None:
    assert diversity(REAL * np.float32(gain) + 1, REAL) == pytest.approx(gain, rel=1e-4)


def test_samples_all_alike_have_no_diversity() -> None:
    assert diversity(np.repeat(REAL[:1], 9, axis=0), REAL) == 0
    with pytest.raises(ConfigError, match="all the same"):
        diversity(REAL, np.repeat(REAL[:1], 9, axis=0))


def test_few_samples_are_all_paired() -> None:
    few = REAL[:5]
    every = [
        math.sqrt(np.square(few[i] - few[j]).mean()) for i in range(5) for j in range(5) if i != j
    ]
    assert pairwise_rms(few, seed=2) == pytest.approx(np.mean(every), rel=1e-5)
    with pytest.raises(ConfigError, match="two of them"):
        pairwise_rms(REAL[:1])


# neighbours


def test_a_copy_is_found_at_distance_0() -> None:
    where = np.array([50, 0, 99, 37])
    found = nearest(REAL[where], REAL)
    assert found.index.tolist() == where.tolist()
    assert (found.rms == 0).all()


@pytest.mark.parametrize("size", [8, 16, 32, 46])
def test_the_nearest_is_that_of_comparing_all(size: int) -> None:
    samples, known = discs(20, 1, size), discs(1500, 2, size)
    found = nearest(samples, known)
    again = nearest(samples, known[found.index])
    assert np.allclose(found.rms, again.rms)
    if size <= 16:  # searched as they are
        distances = np.square(samples[:, None] - known[None]).mean(axis=(2, 3, 4))
        assert found.index.tolist() == distances.argmin(axis=1).tolist()
        assert np.allclose(found.rms, np.sqrt(distances.min(axis=1)), atol=1e-6)


def test_neighbours_are_sought_among_means_over_areas() -> None:
    samples, known = discs(5, 1, 64), discs(9, 2, 64)
    small = [each.reshape(-1, 16, 4, 16, 4, 3).mean(axis=(2, 4)) for each in (samples, known)]
    found, expected = nearest(samples, known), nearest(*small)
    assert found.index.tolist() == expected.index.tolist()
    assert np.allclose(found.rms, expected.rms, atol=1e-6)


@pytest.mark.parametrize("size", [8, 46])
def test_samples_in_parts_are_known_as_those_together(size: int) -> None:
    samples, known = discs(9, 1, size), discs(50, 2, size)
    some: list[AnyBatch] = [known[:20], torch.from_numpy(known[20:])]
    parts = Known.of(iter(some))
    assert parts.small.shape == (50, min(size, 16), min(size, 16), 3)
    found, expected = nearest(samples, parts), nearest(samples, known)
    assert found.index.tolist() == expected.index.tolist()
    assert np.allclose(found.rms, expected.rms, atol=1e-6)
    with pytest.raises(ConfigError, match="differ in size"):
        nearest(discs(3, 1, size + 1), parts)
    for wrong in (known[:0], known):
        with pytest.raises(ConfigError, match=r"empty|missing, or differ in size"):
            Known.of([wrong, discs(3, 1, size + 1)])
    with pytest.raises(ConfigError, match="missing"):
        Known.of([])


def test_a_noisy_copy_is_found_near() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(REAL[:20].shape).astype(np.float32)
    found, usual = nearest(REAL[:20] + noise, REAL), nearest(OTHER, REAL)
    assert found.index.tolist() == list(range(20))
    assert found.rms.max() < usual.rms.min()


@given(st.floats(0.01, 0.5))
def test_psnr2_of_images_off_by_a_constant_has_a_closed_form(by: float) -> None:
    flat = np.zeros((4, 8, 8, 3), np.float32)
    assert psnr2(flat + np.float32(by), flat) == pytest.approx(20 * math.log10(2 / by), abs=1e-3)


def test_psnr2_takes_the_nearest_of_all() -> None:
    expected = [
        max(10 * math.log10(4 / np.square(each - real).mean(dtype=np.float64)) for real in REAL)
        for each in OTHER[:10]
    ]
    assert psnr2(OTHER[:10], REAL) == pytest.approx(np.mean(expected), abs=1e-4)
    assert psnr2(REAL[:3], REAL) == math.inf


# climate


def test_the_zonal_mean_of_a_constant_is_that_constant() -> None:
    found = zonal_mean(np.full((3, 46, 90, 1), 0.25, np.float32))
    assert np.allclose(found.mean, 0.25)
    assert np.allclose(found.std, 0)
    assert found.mean.shape == (46,)


@pytest.mark.parametrize("columns", [90, 91])
@pytest.mark.parametrize("number", [1, 7, 44, 45])
def test_a_single_wave_has_all_its_power_at_its_wavenumber(number: int, columns: int) -> None:
    longitude = 2 * np.pi * np.arange(columns) / columns
    wave = np.broadcast_to(np.cos(number * longitude), (2, 46, columns))[..., None]
    power = zonal_spectrum(wave.astype(np.float32))
    assert power.argmax() == number
    shortest = 2 * number == columns  # it has only its crests and its troughs
    assert power[number] == pytest.approx(1 if shortest else 0.5, rel=1e-5)
    assert np.delete(power, number).max() < 1e-10


@pytest.mark.parametrize("columns", [90, 45])
def test_a_spectrum_adds_up_to_the_mean_square_over_the_area(columns: int) -> None:
    fields = weather(5, 1, (46, columns))
    square = areas(46) @ np.square(fields[..., 0]).mean(axis=(0, 2))
    assert zonal_spectrum(fields).sum() == pytest.approx(square, rel=1e-5)


@given(st.integers(0, 89))
def test_turning_the_globe_changes_no_zonal_figure(turn: int) -> None:
    fields = weather(4, 1)
    found = zonal_figures(np.roll(fields, turn, axis=2), fields)
    assert (found.mean_rms, found.std_rms) == pytest.approx((0, 0), abs=1e-6)
    assert found.spectrum_rms_db < 0.1  # of wavenumbers with no power but rounding


def test_zonal_figures_have_closed_forms() -> None:
    fields = weather(40, 1)
    warmer = zonal_figures(fields + np.float32(0.125), fields)
    assert warmer.mean_rms == pytest.approx(0.125, rel=1e-4)
    assert warmer.std_rms == pytest.approx(0, abs=1e-5)
    means = fields.mean(axis=(0, 2), keepdims=True)
    wild = np.random.default_rng(0).standard_normal(fields.shape).astype(np.float32)
    double = zonal_figures(means + 2 * wild, means + wild)
    assert double.spectrum_rms_db == pytest.approx(20 * math.log10(2), abs=0.01)
    constant = zonal_figures(np.zeros_like(fields), fields)
    assert math.isfinite(constant.spectrum_rms_db)


def test_images_are_no_climate_fields() -> None:
    with pytest.raises(ConfigError, match="one channel, got 3"):
        zonal_mean(REAL)


# all together


def test_a_report_reads_as_it_should() -> None:
    training, held_out = discs(400, 3), discs(420, 5)
    copies = evaluate(training, held_out, training[:200])
    assert (copies.samples, copies.reference, copies.training) == (200, 220, 400)
    assert copies.generated.least_training == pytest.approx(0, abs=1e-6)
    assert copies.generated.nearest_ratio == pytest.approx(0, abs=1e-6)
    assert copies.generated.copied == 1
    assert copies.real.copied == 0.01
    assert copies.real.nearest_ratio == 1
    # copies look as good as real samples in all else
    drawn, real, blurred = (
        each.swd.levels["32x32"] for each in (copies.generated, copies.real, copies.blurred)
    )
    assert drawn == pytest.approx(real, rel=0.25)
    assert blurred > 1.3 * real
    assert copies.generated.diversity == pytest.approx(copies.real.diversity, abs=0.1)
    assert copies.generated.psnr2_db == pytest.approx(copies.real.psnr2_db, abs=1)
    assert copies.generated.zonal is None
    fresh = evaluate(training, held_out, discs(200, 4))
    assert fresh.generated.nearest_ratio == pytest.approx(1, abs=0.2)
    assert fresh.generated.copied is not None
    assert fresh.generated.copied < 0.1
    assert fresh.real == copies.real


def test_copies_are_told_from_200_real_ones_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found = evaluate(REAL, discs(399, 5), REAL)
    assert found.generated.least_training == 0
    assert found.generated.copied is found.real.copied is None
    monkeypatch.setattr("stegfield.generative.measures.ENOUGH", 100)
    found = evaluate(REAL, discs(399, 5), REAL)
    assert (found.generated.copied, found.real.copied) == (1, 0.01)


def test_a_report_on_climate_fields_has_zonal_figures() -> None:
    found = evaluate(weather(50, 1), weather(40, 2), weather(30, 3), globe=True)
    sets = (found.generated, found.real, found.blurred, found.noise)
    assert all(each.zonal is not None for each in sets)
    assert found.generated.zonal is not None
    assert found.generated.zonal.mean_rms < 0.1
    assert found.samples == 20


def test_where_few_were_held_out_the_anchors_may_be_of_the_training() -> None:
    training, held_out = weather(60, 1), weather(9, 2)
    found = evaluate(training, held_out, weather(50, 3), others=training[:40], globe=True)
    assert (found.samples, found.reference, found.training) == (40, 9, 60)
    assert found.trained_anchors
    # neighbours of real samples are those of unseen ones, as the others would find themselves
    assert found.real.least_training > 0
    assert found.real.nearest_ratio == 1
    assert found.generated.nearest_ratio == pytest.approx(1, abs=0.2)
    # fields of the same kind are as far away as the anchors, and nearer than noise
    assert found.generated.swd.mean == pytest.approx(found.real.swd.mean, rel=0.3)
    assert found.noise.swd.mean > 1.5 * found.generated.swd.mean
    copies = evaluate(training, held_out, training[:40], others=training[:40], globe=True)
    assert copies.generated.least_training == pytest.approx(0, abs=1e-6)
    assert copies.generated.nearest_ratio == pytest.approx(0, abs=1e-6)
    assert copies.generated.copied is None  # 9 unseen ones do not tell how near is too near
    assert copies.generated.swd == copies.real.swd


def test_a_report_is_plain_json() -> None:
    held_out = np.concatenate([OTHER[:10], REAL[:10]])
    # drawn samples that are in the reference have an infinite PSNR-2
    found = evaluate(REAL, held_out, REAL[:10])
    assert found.generated.psnr2_db == math.inf
    read = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert read["generated"]["psnr2_db"] is None
    assert read["real"]["swd"]["mean"] == found.real.swd.mean
    assert set(read) == {
        *("generated", "real", "blurred", "noise", "samples", "reference", "training", "seed"),
        "trained_anchors",
    }


def test_a_report_needs_samples() -> None:
    needed = "2 generated and 4 held-out samples are needed"
    with pytest.raises(ConfigError, match=f"{needed}, got 1 and 9"):
        evaluate(REAL, REAL[:9], REAL[:1])
    with pytest.raises(ConfigError, match="got 5 and 3"):
        evaluate(REAL, REAL[:3], REAL[:5])


def test_samples_stand_beside_their_nearest_training_samples() -> None:
    samples = REAL[[4, 8, 15]]
    found = nearest(samples, REAL)
    data = matches_sheet(samples, REAL[found.index], found.rms, columns=2, tile_width=32)
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        sheet = np.asarray(image)
    # each pair is twice the same image, here
    left, right = sheet[12:44, 12:44], sheet[12:44, 56:88]
    assert np.array_equal(left, to_levels(REAL[4]))
    assert np.array_equal(left, right)


@given(st.integers(0, 255))
def test_levels_are_the_8_bits_of_values(level: int) -> None:
    assert to_levels(np.array([level / 127.5 - 1], np.float32)) == [level]
    assert to_levels(np.array([-9, 9], np.float32)).tolist() == [0, 255]


@pytest.mark.skipif(
    "STEGFIELD_DATA" not in os.environ,
    reason="STEGFIELD_DATA does not name a folder with faces/celeba_89x109_8000.zip",
)
def test_anchors_of_real_faces_are_in_order() -> None:
    faces = np.empty((600, 64, 64, 3), np.float32)
    with zipfile.ZipFile(
        Path(os.environ["STEGFIELD_DATA"], "faces/celeba_89x109_8000.zip")
    ) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        for at, name in enumerate(names[: len(faces)]):
            with Image.open(io.BytesIO(archive.read(name)), formats=["JPEG"]) as image:
                top = (image.height - 89) // 2
                square = image.convert("RGB").crop((0, top, 89, top + 89))
            faces[at] = np.asarray(square.resize((64, 64)), np.float32) / 127.5 - 1
    found = anchors(faces[:300], faces[300:])
    assert list(found["real"].levels) == ["64x64", "32x32", "16x16"]
    for level in ("64x64", "32x32"):
        distances = [found[name].levels[level] for name in ("real", "blurred", "noise")]
        assert distances[1] > 2 * distances[0]
        assert distances[2] > 2 * distances[1]
