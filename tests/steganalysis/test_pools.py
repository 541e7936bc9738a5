from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stegfield import fields, hiding
from stegfield.config import FitConfig
from stegfield.errors import ConfigError, InputError, UnreadableError
from stegfield.metrics import Samples
from stegfield.signals import to_samples, waves
from stegfield.steganalysis import pools
from stegfield.steganalysis.pools import KINDS, PoolConfig, build, read

COVERS: list[Samples] = [to_samples(waves(12, 14, phase=0.7 * at)) for at in range(3)]
CONFIG = PoolConfig(
    sizes={"width": 16, "depth": 2}, training=FitConfig(steps=3, batch=64, seed=5), secrets=1
)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool of every kind."""
    folder = tmp_path_factory.mktemp("pool")
    built = build(folder, COVERS, list(KINDS), CONFIG)
    assert (built.made, built.kept, dict(built.failed)) == (3 * len(KINDS), 0, {})
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_every_cover_has_a_field_of_every_kind(pool: Path, kind: str) -> None:
    made = read(pool, kind)
    assert list(made) == [0, 1, 2]
    clean = read(pool, "clean")
    for at, field in made.items():
        assert field.header() | {"grain": None} == clean[at].header() | {"grain": None}
        assert field.grains is not None
        assert list(field.grains) == list(clean[at].grains or ())
        assert (fields.to_bytes(field) == fields.to_bytes(clean[at])) == (kind == "clean")


@pytest.mark.parametrize("kind", ["keyed", "like"])
def test_keys_of_a_pool_open_its_fields(pool: Path, kind: str) -> None:
    for at, field in read(pool, kind).items():
        (key,) = pools.keys(5 + at, 1)
        assert hiding.reveal_function(field, key).certain


def test_the_key_of_a_file_reads_it(pool: Path) -> None:
    for at, field in read(pool, "files").items():
        (key,) = pools.keys(5 + at, 1)
        assert isinstance(hiding.reveal(field, key), hiding.RevealedFile)


def test_secrets_and_decoys_are_different_covers_drawn_for_each_field() -> None:
    drawn = [pools.drawn_images(at, 9, 2) for at in range(9)]
    for at, (secrets, decoys) in enumerate(drawn):
        assert len({at, *secrets, *decoys}) == 5
    assert len({str(each) for each in drawn}) == 9
    assert drawn == [pools.drawn_images(at, 9, 2) for at in range(9)]


def test_decoys_are_hidden_under_other_keys_than_secrets(pool: Path) -> None:
    field = read(pool, "decoys")[0]
    (secret,), (decoy,) = pools.keys(5, 1), pools.keys(5, 1, "decoy")
    assert hiding.read_record(field, decoy)
    with pytest.raises(UnreadableError):
        hiding.read_record(field, secret)


def test_a_run_that_is_cut_off_leaves_whole_files_and_goes_on(pool: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def cut(*counts: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, COVERS, ["clean"], CONFIG, told=cut)
    left = read(tmp_path, "clean")
    assert left
    assert all(path.suffix == ".safetensors" for path in (tmp_path / "clean").iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"clean", "fields.jsonl", "pool.json"}
    (tmp_path / "clean" / "0000.safetensors").unlink(missing_ok=True)
    left.pop(0, None)
    built = build(tmp_path, COVERS, ["clean"], CONFIG, told=lambda *counts: told.append(counts))
    assert (built.made, built.kept) == (3 - len(left), len(left))
    assert told[-1] == (3, 3)
    again = read(tmp_path, "clean")
    for at, field in read(pool, "clean").items():
        assert field.header() == again[at].header()
        for one, other in zip(field.parameters(), again[at].parameters(), strict=True):
            assert torch.allclose(one, other, rtol=0, atol=0.01)  # what is drawn differs


def test_a_field_that_fails_does_not_stop_the_rest(tmp_path: Path) -> None:
    small = replace(CONFIG, sizes={"width": 4, "depth": 1})  # too few weights for a record
    built = build(tmp_path, COVERS, ["clean", "keyed"], small)
    assert built.made == 3
    assert sorted(built.failed) == [f"keyed/000{at}.safetensors" for at in range(3)]
    assert all("weights are needed" in reason for reason in built.failed.values())


def test_a_pool_of_other_settings_or_covers_is_left_alone(pool: Path) -> None:
    with pytest.raises(InputError, match="other covers or settings"):
        build(pool, COVERS, ["clean"], replace(CONFIG, secrets=1, sizes={"width": 17}))
    with pytest.raises(InputError, match="other covers or settings"):
        build(pool, COVERS[::-1], ["clean"], CONFIG)


def test_unknown_kinds_and_too_few_covers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no kind 'odd'"):
        build(tmp_path, COVERS, ["odd"], CONFIG)
    with pytest.raises(ConfigError, match="2 covers are too few"):
        build(tmp_path, COVERS[:2], ["clean"], CONFIG)
    with pytest.raises(ConfigError, match="at least 1 secret"):
        replace(CONFIG, secrets=0)
    with pytest.raises(InputError, match="holds no fields"):
        read(tmp_path, "clean")
    assert not list(tmp_path.iterdir())
