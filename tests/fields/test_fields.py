from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from stegfield import fields
from stegfield.errors import ConfigError
from stegfield.fields import ARCHITECTURES, FitConfig, render
from stegfield.fields import field as field_module
from stegfield.fields.optim import Muon, orthogonalise
from stegfield.fields.siren import sine_layer
from stegfield.metrics import psnr_db
from stegfield.signals import Signal, chords, coordinates, to_samples, waves

SMALL: dict[str, dict[str, int | float]] = {
    "siren": {"width": 24, "depth": 3, "w0": 10.0},
    "fourier": {"frequencies": 16, "std": 0.5, "width": 32, "depth": 3},
    "grid": {"coarsest": 4, "finest": 16, "levels": 3, "width": 16},
}
EVERY_ARCHITECTURE = pytest.mark.parametrize("architecture", ARCHITECTURES)


def small(
    architecture: str, signal: Signal, steps: int = 60, *, draw: bool = True, **more: float
) -> fields.Field:
    config = FitConfig(steps=steps, batch=256, seed=3, **more)  # type: ignore[arg-type]
    return fields.fit(
        signal, architecture=architecture, sizes=SMALL[architecture], training=config, draw=draw
    ).field


@pytest.mark.parametrize(
    ("architecture", "shapes"),
    [
        ("siren", [(128, 2), *[(128, 128)] * 7, (3, 128)]),
        ("fourier", [*[(256, 256)] * 6, (3, 256)]),
        ("grid", [(32, 10), (3, 32)]),
    ],
)
def test_a_default_field_has_the_layers_of_its_source(
    architecture: str, shapes: list[tuple[int, int]]
) -> None:
    field = fields.new_field(waves(8, 8), architecture=architecture)
    assert [field.decoder.get_parameter(name).shape for name in field.slot_bounds()] == shapes


@EVERY_ARCHITECTURE
def test_a_seed_decides_what_is_trained_and_nothing_that_is_drawn(architecture: str) -> None:
    trained = [small(architecture, waves(20, 30), draw=False) for _ in range(2)]
    assert fields.to_bytes(trained[0]) == fields.to_bytes(trained[1])
    drawn = [small(architecture, waves(20, 30)) for _ in range(2)]
    assert drawn[0].header() == drawn[1].header()
    assert fields.to_bytes(drawn[0]) != fields.to_bytes(drawn[1])


def test_without_a_seed_nothing_repeats() -> None:
    first, second = (fields.new_field(waves(8, 8)) for _ in range(2))
    assert first.public.seed != second.public.seed
    assert not torch.equal(next(first.parameters()), next(second.parameters()))


@EVERY_ARCHITECTURE
def test_training_leaves_torch_global_randomness_alone(architecture: str) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    small(architecture, waves(12, 12), steps=3)
    assert torch.equal(before, torch.get_rng_state())


@EVERY_ARCHITECTURE
def test_fitting_comes_close_to_a_smooth_image(architecture: str) -> None:
    signal = waves(24, 36)
    field = small(architecture, signal, steps=250)
    assert psnr_db(to_samples(render(field)), to_samples(signal)) > 20


@EVERY_ARCHITECTURE
def test_twice_the_resolution_averaged_agrees(architecture: str) -> None:
    """The mean over a pixel's four quarters is the pixel, up to the field's curvature within it.

    For values of curvature below c and pixels of side h the bound is c h^2 / 16; the waves have
    c < 40 and h = 1/16 here, which gives 0.01. Fitted fields may be rougher: 0.05 is allowed.
    """
    field = small(architecture, waves(24, 32), steps=250)
    once, twice = render(field, (24, 32)).values, render(field, (48, 64)).values
    averaged = twice.reshape(24, 2, 32, 2, 3).mean(axis=(1, 3))
    assert np.abs(averaged - once).mean() < 0.01
    assert np.abs(averaged - once).max() < 0.05


@EVERY_ARCHITECTURE
def test_any_size_shows_the_whole_image(architecture: str) -> None:
    """Sampled at twice the rows only, the image is stretched, not continued beyond its edges."""
    field = small(architecture, waves(16, 48), steps=250)
    tall = render(field, (32, 48)).values.reshape(16, 2, 48, 3).mean(axis=1)
    assert np.abs(tall - render(field).values).mean() < 0.02


def test_a_public_images_pixels_are_square_in_coordinates() -> None:
    field = fields.new_field(waves(12, 48))
    assert field.extent == (0.25, 1.0)
    at = coordinates((12, 48), field.extent).reshape(12, 48, 2)
    down, across = at[1, 0] - at[0, 0], at[0, 1] - at[0, 0]
    assert np.allclose(down, [1 / 24, 0.0])
    assert np.allclose(across, [0.0, 1 / 24])


def test_grids_have_the_aspect_of_the_image() -> None:
    field = fields.new_field(waves(30, 120), architecture="grid")
    shapes = [tuple(p.shape[2:]) for n, p in field.named_parameters() if "grids" in n]
    assert shapes[0] == (2, 8)
    assert shapes[-1] == (30, 120)


@EVERY_ARCHITECTURE
def test_rendering_in_batches_changes_nothing(
    architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = small(architecture, waves(16, 16), steps=2)
    whole = render(field).values
    monkeypatch.setattr(field_module, "POINTS_AT_ONCE", 37)
    assert np.allclose(render(field).values, whole, atol=1e-6)


@EVERY_ARCHITECTURE
def test_rendering_changes_no_weight(architecture: str) -> None:
    field = small(architecture, waves(16, 16), steps=2)
    before = fields.to_bytes(field)
    name = next(iter(field.slot_bounds()))
    shown = render(field, slots={name: (torch.tensor([0, 3]), torch.tensor([9.0, -9.0]))})
    assert not np.allclose(shown.values, render(field).values)
    assert fields.to_bytes(field) == before


def test_unknown_names_and_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="no architecture 'cnn'"):
        fields.new_field(waves(8, 8), architecture="cnn")
    with pytest.raises(ConfigError, match="the sizes of siren are: width, depth, w0"):
        fields.new_field(waves(8, 8), architecture="siren", sizes={"height": 3})
    for sizes in ({"width": 0}, {"width": 10**9}, {"width": True}, {"w0": math.nan}):
        with pytest.raises(ConfigError, match="must be"):
            fields.new_field(waves(8, 8), architecture="siren", sizes=sizes)


def test_the_fused_sine_layer_has_the_gradient_of_its_parts() -> None:
    x, weight, bias = (torch.randn(*s, dtype=torch.float64) for s in ((5, 3), (4, 3), (4,)))
    arguments = [t.requires_grad_() for t in (x, weight, bias)]
    # float64 arguments do not pass the float32 annotation's check, so call the function beneath it
    assert torch.autograd.gradcheck(sine_layer, arguments)
    with torch.no_grad():
        assert torch.allclose(sine_layer(x, weight, bias), torch.sin(x @ weight.T + bias))


def test_orthogonalise_brings_singular_values_near_one() -> None:
    matrices = torch.randn(4, 48, 16, generator=torch.Generator().manual_seed(1))
    singular = torch.linalg.svdvals(orthogonalise(matrices, 5))
    assert singular.min() > 0.6
    assert singular.max() < 1.3


def test_orthogonalise_ignores_scale_and_follows_transposes() -> None:
    matrices = torch.randn(2, 6, 9, generator=torch.Generator().manual_seed(2))
    near = orthogonalise(matrices, 3)
    assert torch.allclose(orthogonalise(matrices * 1000, 3), near, atol=1e-4)
    assert torch.allclose(orthogonalise(matrices.mT.contiguous(), 3).mT, near, atol=1e-5)


def test_muon_moves_matrices_alone_as_it_moves_them_together() -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(8, 8), (8, 2), (8, 8), (3, 8)]
    starts = [torch.randn(*shape, generator=generator) for shape in shapes]
    gradients = [torch.randn(*shape, generator=generator) for shape in shapes]

    def moved(groups: list[list[int]]) -> list[torch.Tensor]:
        parameters = [torch.nn.Parameter(start.clone()) for start in starts]
        for group in groups:
            optimizer = Muon([parameters[i] for i in group], lr=0.1)
            for _ in range(3):
                for i in group:
                    parameters[i].grad = gradients[i]
                optimizer.step()
        return [p.detach() for p in parameters]

    together, alone = moved([[0, 1, 2, 3]]), moved([[0], [1], [2], [3]])
    for a, b in zip(together, alone, strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize(
    ("shown", "size"),
    [
        (waves(10, 14), (14, 10)),
        (waves(300, 600, channels=1), (256, 128)),
        (chords(400), (512, 192)),
    ],
)
def test_a_notebook_shows_a_small_picture_of_what_everyone_sees(
    shown: Signal, size: tuple[int, int]
) -> None:
    field = fields.new_field(shown, sizes={"width": 8, "depth": 2})
    with Image.open(io.BytesIO(field._repr_png_())) as picture:
        assert (picture.format, picture.size) == ("PNG", size)


def test_the_repr_of_a_field_is_one_short_line() -> None:
    field = fields.new_field(waves(10, 14), sizes={"width": 8, "depth": 2})
    assert repr(field) == "Field(siren, 123 weights, shows an image of 14x10)"
