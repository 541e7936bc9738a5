from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from stegfield import carriers, fields, generative, signals, tensor_files
from stegfield.config import GanConfig
from stegfield.errors import InputError, OutputExistsError
from stegfield.fixednet.drawn import usual_grain
from stegfield.generative import Model, ModelFileError, generate, store
from stegfield.generative.model import GeneratorSizes, new_generator
from stegfield.signals import IMAGE, Packing

CONFIG = GanConfig(
    size=8, latent=3, hidden="4", rank=2, width=4, depth=1, frequencies=2, std=1.0, seed=9
)


def new_model(config: GanConfig = CONFIG, channels: int = 3) -> Model:
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        generator = new_generator(IMAGE, channels, GeneratorSizes.of(config))
    return Model(
        name="tiny",
        generator=generator,
        sizes=GeneratorSizes.of(config),
        medium=IMAGE,
        channels=channels,
        size=(8, 12),
        steps=5,
        examples=29,
    )


MODEL = new_model()
DATA = store.to_bytes(MODEL)
LENGTH = int.from_bytes(DATA[:8], "little")
HEADER: dict[str, Any] = json.loads(json.loads(DATA[8 : 8 + LENGTH])["__metadata__"][store.ENTRY])
BIAS = "heads.0.linear.bias"


def forged(
    changes: dict[str, Any] | None = None, tensors: dict[str, torch.Tensor | None] | None = None
) -> bytes:
    """A file like that of the model, with other header entries or tensors; ... and None go."""
    header = {name: v for name, v in {**HEADER, **(changes or {})}.items() if v is not ...}
    every = {**safetensors.torch.load(DATA), **(tensors or {})}
    kept = {name: tensor for name, tensor in every.items() if tensor is not None}
    return safetensors.torch.save(kept, {store.ENTRY: json.dumps(header)})


def sizes_with(**changes: Any) -> dict[str, Any]:
    settings = {name: v for name, v in {**HEADER["sizes"], **changes}.items() if v is not ...}
    return {"sizes": settings}


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("channels", [1, 3])
def test_loading_undoes_saving_to_half_precision(rank: int, channels: int, tmp_path: Path) -> None:
    model = new_model(GanConfig(**{**vars(CONFIG), "rank": rank}), channels)
    path = tmp_path / "model.safetensors"
    generative.save(path, model)
    loaded = generative.load(path)
    for (name, tensor), again in zip(
        model.generator.named_parameters(), loaded.generator.parameters(), strict=True
    ):
        own = tensor if name.startswith("template.") else tensor.half().float()
        assert torch.equal(own, again), name
    for entry in ("name", "sizes", "medium", "channels", "size", "steps", "examples"):
        assert getattr(loaded, entry) == getattr(model, entry)
    assert store.to_bytes(loaded) == path.read_bytes()
    shown = [fields.render(each.field(3)).values for each in (model, loaded)]
    assert np.allclose(shown[0], shown[1], atol=0.02)
    with pytest.raises(OutputExistsError):
        generative.save(path, model)


def test_loading_leaves_torch_s_random_numbers_alone() -> None:
    torch.manual_seed(1)
    wanted = torch.rand(3)
    torch.manual_seed(1)
    generative.from_bytes(DATA)
    assert torch.equal(torch.rand(3), wanted)


def test_a_forged_file_without_changes_is_the_file() -> None:
    assert forged() == DATA


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"format": "1"},
        {"format": ...},
        {"more": 1},
        {"name": 5},
        {"name": ...},
        {"medium": "smell"},
        {"medium": ["image"]},
        {"medium": "climate"},
        {"channels": 2},
        {"channels": 1},
        {"channels": 3.0},
        {"channels": "3"},
        {"size": [8]},
        {"size": [8, 0]},
        {"size": [8, 10**9]},
        {"size": [8.0, 8]},
        {"size": "8x8"},
        {"size": None},
        {"steps": -1},
        {"steps": 1.5},
        {"examples": True},
        {"sizes": None},
        {"sizes": []},
        {"sizes": {}},
    ],
    ids=str,
)
def test_every_header_entry_is_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        generative.from_bytes(forged(changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"width": ...},
        {"width": "4"},
        {"width": 4.0},
        {"width": True},
        {"width": 5},
        {"width": -4},
        {"width": 10**12},
        {"std": "1"},
        {"std": 1e9},
        {"std": 10**400},
        {"std": float("nan")},
        {"hidden": 4},
        {"hidden": "4"},
        {"hidden": []},
        {"hidden": ["4"]},
        {"hidden": [4] * 1000},
        {"hidden": [10**9]},
        {"latent": None},
        {"frequencies": 0},
        {"rank": 0},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_every_setting_is_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        generative.from_bytes(forged(sizes_with(**changes)))


def test_a_header_of_vast_sizes_is_refused_without_memory_for_them() -> None:
    vast = {"width": 2048, "depth": 32, "frequencies": 2048, "rank": 0, "hidden": [65536, 65536]}
    with pytest.raises(ModelFileError, match="its tensors"):
        generative.from_bytes(forged(sizes_with(**vast)))


@pytest.mark.parametrize(
    "tensors",
    [
        {"more": torch.zeros(3, dtype=torch.float16)},
        {"template.decoder.layers.0.weight": torch.zeros(4, 4, dtype=torch.float16)},
        {BIAS: None},
        {BIAS: torch.zeros(3, dtype=torch.float16)},
        {BIAS: torch.zeros(20, 1, dtype=torch.float16)},
        {BIAS: torch.zeros(20)},
        {BIAS: torch.zeros(20, dtype=torch.bfloat16)},
        {BIAS: torch.full((20,), torch.nan, dtype=torch.float16)},
        {BIAS: torch.full((20,), -torch.inf, dtype=torch.float16)},
    ],
    ids=lambda tensors: str(tensors)[:60],
)
def test_every_tensor_is_checked(tensors: dict[str, torch.Tensor | None]) -> None:
    assert safetensors.torch.load(DATA)[BIAS].shape == (20,)
    with pytest.raises(ModelFileError):
        generative.from_bytes(forged(tensors=tensors))


@pytest.mark.parametrize(
    "metadata", [None, {"format": "pt"}, {store.ENTRY: "[]"}, {store.ENTRY: "{"}]
)
def test_a_safetensors_file_of_something_else_is_refused(metadata: dict[str, str] | None) -> None:
    with pytest.raises(ModelFileError):
        generative.from_bytes(safetensors.torch.save({"w": torch.zeros(2)}, metadata))


def test_a_field_is_no_model_and_a_model_no_field() -> None:
    with pytest.raises(ModelFileError):
        generative.from_bytes(fields.to_bytes(MODEL.field(1)))
    with pytest.raises(InputError):
        fields.from_bytes(DATA)


def test_a_huge_header_is_refused_before_it_is_read() -> None:
    for length in (tensor_files.LARGEST_HEADER + 1, 1 << 40, (1 << 64) - 1, 0, 1):
        with pytest.raises(ModelFileError, match="header is missing or too long"):
            generative.from_bytes(struct.pack("<Q", length) + DATA[8:])


def test_a_deeply_nested_header_is_refused() -> None:
    body = b'{"__metadata__":{"stegfield-model":' + b"[" * 30_000 + b"]" * 30_000 + b"}}"
    with pytest.raises(ModelFileError):
        generative.from_bytes(struct.pack("<Q", len(body)) + body)


@pytest.mark.parametrize("kind", ["F8_E8M0", "F4", "F32", "BF16", "BOOL", "F99"])
def test_other_types_of_numbers_are_refused(kind: str) -> None:
    header = DATA[8 : 8 + LENGTH].replace(b'"F16"', f'"{kind}"'.encode())
    with pytest.raises(ModelFileError):
        generative.from_bytes(struct.pack("<Q", len(header)) + header + DATA[8 + LENGTH :])


@given(st.integers(0, len(DATA) - 1))
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(ModelFileError):
        generative.from_bytes(DATA[:length])


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_one_way(data: bytes) -> None:
    with pytest.raises(ModelFileError):
        generative.from_bytes(data)


@given(
    st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), min_size=1, max_size=9)
)
def test_a_damaged_file_loads_whole_or_not_at_all(damage: list[tuple[int, int]]) -> None:
    data = bytearray(DATA)
    for position, value in damage:
        data[position] = value
    try:
        model = generative.from_bytes(bytes(data))
    except ModelFileError:
        return
    assert all(parameter.isfinite().all() for parameter in model.generator.parameters())
    assert fields.render(model.field(1), (3, 4)).values.shape == (3, 4, model.channels)


@given(st.integers(8, 8 + LENGTH - 1), st.integers(0, 7))
def test_a_flipped_bit_of_the_header_makes_no_traceback(position: int, bit: int) -> None:
    data = bytearray(DATA)
    data[position] ^= 1 << bit
    try:
        model = generative.from_bytes(bytes(data))
    except ModelFileError:
        return
    assert model.generator.names == MODEL.generator.names


@pytest.mark.parametrize("name", ["nothing", "nothing/at/all.safetensors", "", "x" * 300, "a\0b"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(InputError):
        generative.load(name)


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        generative.load(tmp_path)


def test_a_file_is_named_in_its_error(tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(DATA[:-5])
    with pytest.raises(ModelFileError, match=r"broken\.safetensors is not a model"):
        generative.load(tmp_path / "broken.safetensors")


# covers, which have grain


@pytest.mark.parametrize("name", ["faces", "climate"])
def test_a_cover_is_its_function_with_grain_that_no_seed_decides(name: str) -> None:
    model, size = generative.load(name), (64, 96)
    cover, again, other = (generate(model, size=size, seed=seed) for seed in (5, 5, 6))
    shown, grain = fields.render(model.field(5), size), usual_grain(model.medium)
    assert (cover.medium, cover.size) == (shown.medium, size)
    if cover.packing is not None:  # as what is shown decides it, not the grain
        assert cover.packing.scale == pytest.approx(Packing.over(shown.values).scale, rel=1e-4)
    inside = np.abs(shown.values) < 0.8
    noise, more = (((each.values - shown.values) / carriers.step(shown)) for each in (cover, again))
    assert abs(float(noise[inside].mean())) < grain / 20
    assert float(noise[inside].std()) == pytest.approx(grain, rel=0.05)
    assert abs(float(np.corrcoef(noise[inside], more[inside])[0, 1])) < 0.1
    assert (
        np.abs(cover.values - other.values).mean() > 10 * np.abs(cover.values - again.values).mean()
    )


def test_grain_leaves_each_pole_one_place() -> None:
    levels = signals.to_levels(generate("climate", size=(46, 90), seed=2))
    assert all(len(set(levels[row].ravel().tolist())) == 1 for row in (0, -1))
    assert len(set(levels[1].ravel().tolist())) > 10
