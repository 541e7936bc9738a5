from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

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
        assert field.header() == clean[at].header()
        assert (fields.to_bytes(field) == fields.to_bytes(clean[at])) == (kind == "clean")


@pytest.mark.parametrize("kind", ["keyed", "like"])
def test_keys_of_a_pool_open_its_fields(pool: Path, kind: str) -> None:
    for at, field in read(pool, kind).items():
        (key,) = pools.keys(5 + at, 1)
        assert hiding.reveal(field, key).certain


def test_decoys_are_hidden_under_other_keys_than_secrets(pool: Path) -> None:
    field = read(pool, "decoys")[0]
    (secret,), (decoy,) = pools.keys(5, 1), pools.keys(5, 1, "decoy")
    assert hiding.read_record(field, decoy)
    with pytest.raises(UnreadableError):
        hiding.read_record(field, secret)


def test_a_later_run_makes_what_is_missing_and_keeps_the_rest(pool: Path) -> None:
    gone, kept = pool / "keyed" / "0001.safetensors", pool / "keyed" / "0002.safetensors"
    before, stamp = gone.read_bytes(), kept.stat().st_mtime_ns
    gone.unlink()
    told: list[tuple[int, int]] = []
    built = build(pool, COVERS, ["keyed"], CONFIG, told=lambda *counts: told.append(counts))
    assert (built.made, built.kept) == (1, 2)
    assert told == [(3, 3)]
    assert gone.read_bytes() == before
    assert kept.stat().st_mtime_ns == stamp


def test_a_pool_that_is_cut_off_has_whole_files_alone(tmp_path: Path) -> None:
    def cut(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, COVERS, ["clean"], CONFIG, told=cut)
    left = read(tmp_path, "clean")
    assert 1 <= len(left) <= 3
    assert {path.name for path in tmp_path.iterdir()} == {"clean", "pool.json"}
    built = build(tmp_path, COVERS, ["clean"], CONFIG)
    assert (built.made, built.kept) == (3 - len(left), len(left))


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
