"""Files in fields: bit for bit, by the law of a field that hides nothing."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield import fields, hiding, signals
from stegfield.config import FitConfig
from stegfield.errors import CapacityError, CarrierError, ConfigError, UnreadableError
from stegfield.fields import Field, carrying, drawing, finishing, header, store
from stegfield.fields.header import FieldFile
from stegfield.keys import Key, KeyStream, Passphrase
from stegfield.payload import law
from stegfield.payload.law import Message
from stegfield.signals import waves

COVER = waves(20, 32)
ALICE, BOB, CAROL = (Key(letter * 32) for letter in (b"a", b"b", b"c"))
SIZES = {"width": 48, "depth": 2, "w0": 10.0}
QUICK = FitConfig(steps=20, batch=64, seed=4)
FIRST = Path(__file__).parents[1] / "golden" / "fields"

Planes = list[NDArray[np.bool_]]


def fitted(**more: Any) -> Field:
    return fields.fit(COVER, sizes=SIZES, training=QUICK, **more).field


def hidden(pairs: list[tuple[bytes, Key]], **more: Any) -> hiding.FilesResult:
    return hiding.hide(COVER, pairs, sizes=SIZES, training=QUICK, **more)


INNOCENT = fitted()
FILE = store.to_file(INNOCENT)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> tuple[Planes, Callable[[], None]]:
    """The planes that are composed from now on, and a function to feed the last one to everyone."""
    planes: Planes = []
    compose = law.compose

    def record(messages: Any, bits: int, **more: Any) -> NDArray[np.bool_]:
        planes.append(compose(messages, bits, **more))
        return planes[-1].copy()

    def feed() -> None:
        for module in (finishing, law):
            monkeypatch.setattr(module, "compose", lambda *_, **__: planes[-1].copy())

    for module in (finishing, law):
        monkeypatch.setattr(module, "compose", record)
    return planes, feed


@given(
    st.lists(st.binary(max_size=300), min_size=1, max_size=3),
    st.sampled_from(["", ".pdf", ".7z"]),
)
def test_every_key_reads_its_own_file_from_the_written_file(
    contents: list[bytes], suffix: str
) -> None:
    messages = [
        Message(data, key, suffix) for data, key in zip(contents, (ALICE, BOB, CAROL), strict=False)
    ]
    written = header.decode(carrying.embed(FILE, messages).to_bytes())
    for message in messages:
        found = hiding.reveal(written, message.key)
        assert found == hiding.RevealedFile(message.data, suffix)


def test_files_come_back_from_paths_bytes_and_decoys(tmp_path: Path) -> None:
    letter = tmp_path / "Letter.PDF"
    letter.write_bytes(bytes(range(256)))
    phrase = Passphrase("correct horse battery staple")
    result = hiding.hide(
        COVER,
        [(letter, ALICE), (b"noon", phrase)],
        decoys=[b"x" * 100],
        sizes=SIZES,
        training=QUICK,
    )
    assert result.message_bytes == (256, 4, 100)
    path = tmp_path / "public.safetensors"
    fields.save(path, result.field)
    for field in (path, str(path), fields.load(path), header.read(path)):
        assert hiding.reveal(field, ALICE) == hiding.RevealedFile(bytes(range(256)), ".pdf")
    assert hiding.reveal(path, phrase) == hiding.RevealedFile(b"noon", "")


@pytest.mark.parametrize(
    "pairs",
    [[(b"noon", ALICE)], [(b"noon", ALICE), (bytes(500), BOB)], [(bytes(range(250)) * 2, ALICE)]],
)
def test_the_innocent_path_writes_the_same_file_given_the_same_u(
    pairs: list[tuple[bytes, Key]], recorded: tuple[Planes, Callable[[], None]]
) -> None:
    planes, feed = recorded
    result = hidden(pairs, decoys=[b"a decoy"])
    assert len(planes) == 2  # the first one was a check of the room, and is forgotten
    feed()
    innocent = fields.fit(COVER, sizes=SIZES, training=QUICK)
    assert fields.to_bytes(innocent.field) == fields.to_bytes(result.field)
    assert innocent.quality == result.quality
    assert innocent.steps == result.steps


def test_embedding_again_is_an_innocent_draw_of_the_same_u(
    recorded: tuple[Planes, Callable[[], None]],
) -> None:
    _, feed = recorded
    stego = carrying.embed(FILE, [Message(b"noon", ALICE)])
    feed()
    assert carrying.embed(FILE, []).to_bytes() == stego.to_bytes()
    again = fitted()
    assert store.to_file(again).to_bytes() == stego.to_bytes()  # as from what was trained


def test_a_draw_takes_randomness_from_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError

    field = fitted(draw=False)
    monkeypatch.setattr(law, "system_stream", lambda: KeyStream(bytes(32)))
    for module, names in (
        (np.random, ["default_rng", "rand", "randint", "random", "normal", "bytes"]),
        (torch, ["rand", "randn", "randint", "randperm", "normal"]),
        (secrets, ["token_bytes", "randbits", "choice"]),
        (random, ["random", "randbytes", "getrandbits"]),
    ):
        for name in names:
            monkeypatch.setattr(module, name, refuse)
    fields.draw(field, [Message(b"noon", ALICE)])
    assert carrying.find(store.to_file(field), ALICE).data == b"noon"


def test_nothing_but_u_depends_on_what_is_hidden() -> None:
    stego = hidden([(bytes(900), ALICE)]).field
    assert stego.header() == INNOCENT.header()
    assert len(fields.to_bytes(stego)) == len(fields.to_bytes(INNOCENT))
    assert stego.grains is not None
    for name, grain in stego.grains.items():
        ours, others = (f.state_dict()[name].numpy() for f in (stego, INNOCENT))
        zero = np.zeros(ours.size, np.int64)
        assert np.array_equal(grain.draw(ours, zero), grain.draw(others, zero))


def test_a_constant_cipher_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of uniform bits is one that can fail."""
    field = carrying.embed(FILE, [Message(KeyStream(bytes(32)).bytes(2000), ALICE)])

    def share(file: FieldFile) -> float:
        assert file.header.grains is not None
        plane = drawing.plane_of(file.tensors, file.header.grains)
        assert plane is not None
        return float(plane.mean())

    assert abs(share(field) - 0.5) < 0.03

    class Constant:
        def encrypt(self, _: bytes, data: bytes, __: None) -> bytes:
            return bytes(len(data) + 16)

    monkeypatch.setattr(law, "_body_cipher", lambda *_: Constant())
    assert share(carrying.embed(FILE, [Message(KeyStream(bytes(32)).bytes(2000), ALICE)])) < 0.4


def test_a_wrong_key_a_clean_field_and_a_damaged_one_look_the_same() -> None:
    stego = hidden([(b"noon", ALICE)]).field
    damaged = fields.from_bytes(fields.to_bytes(stego)).half().float()
    untrained = fitted(draw=False)
    errors, hints = set(), set()
    for field, key in ((stego, BOB), (INNOCENT, ALICE), (damaged, ALICE), (untrained, ALICE)):
        with pytest.raises(UnreadableError) as caught:
            hiding.reveal(field, key)
        errors.add(str(caught.value))
        if field is not damaged:  # rounded weights are plain to see, see test_rounded.py
            hints.add(caught.value.hint)
    assert len(errors) == len(hints) == 1


def test_kept_messages_survive_and_all_others_are_lost() -> None:
    first = carrying.embed(FILE, [Message(b"one", ALICE, ".txt"), Message(b"two", BOB)])
    second = carrying.embed(first, [Message(b"three", CAROL)], keep=[ALICE])
    assert carrying.find(second, ALICE).data == b"one"
    assert carrying.find(second, ALICE).suffix == ".txt"
    assert carrying.find(second, CAROL).data == b"three"
    with pytest.raises(UnreadableError):
        carrying.find(second, BOB)
    with pytest.raises(UnreadableError):
        carrying.embed(first, [], keep=[CAROL])
    with pytest.raises(ConfigError, match="same key"):
        carrying.embed(first, [Message(b"new", ALICE)], keep=[ALICE])


@settings(max_examples=10)
@given(st.binary(max_size=200), st.integers(0, 2**20))
def test_room_depends_on_known_messages_alone(data: bytes, seed: int) -> None:
    """Neither another message nor its length changes what is told, or the error."""
    alone = carrying.embed(FILE, [Message(bytes(50), ALICE)])
    more = [Message(data, BOB), Message(KeyStream(bytes(32)).bytes(seed % 300), CAROL)]
    full = carrying.embed(FILE, [Message(bytes(50), ALICE), *more])
    assert carrying.room(alone, [ALICE]) == carrying.room(full, [ALICE])
    assert carrying.room(alone) == carrying.room(full) == carrying.room(FILE)
    long = [Message(KeyStream(bytes(32)).bytes(9000), BOB)]
    errors = set()
    for file in (alone, full, FILE):
        with pytest.raises(CapacityError) as caught:
            carrying.embed(file, long)
        errors.add((str(caught.value), str(caught.value.hint)))
    assert len(errors) == 1


def test_room_is_what_fits() -> None:
    room = carrying.room(FILE)
    noise = KeyStream(bytes(32)).bytes(room.longest + 1)
    carrying.embed(FILE, [Message(noise[:-1], ALICE)])
    with pytest.raises(CapacityError, match="bytes are needed"):
        carrying.embed(FILE, [Message(noise, ALICE)])
    assert room.parts == law.PARTS
    assert room.to_json()["longest"] == room.longest


def test_what_cannot_fit_is_refused_before_any_training() -> None:
    def watch(_: Any) -> bool:
        raise AssertionError

    pairs = [(KeyStream(bytes(32)).bytes(9000), ALICE)]
    with pytest.raises(CapacityError):
        hiding.hide(COVER, pairs, sizes=SIZES, training=QUICK, watch=watch)
    with pytest.raises(ConfigError, match="same key"):
        hiding.hide(COVER, [(b"a", ALICE), (b"b", ALICE)], sizes=SIZES, watch=watch)
    with pytest.raises(ConfigError, match="no secret"):
        hiding.hide(COVER, [], watch=watch)
    with pytest.raises(ConfigError, match="can carry nothing"):
        fields.fit(COVER, draw=False, messages=[Message(b"a", ALICE)], watch=watch)


def carriers() -> Iterator[tuple[FieldFile, str]]:
    yield header.read(FIRST / "first.safetensors"), "format 1"
    yield store.to_file(fitted(draw=False)), "never drawn"
    grains = FILE.header.grains
    assert grains is not None
    moved = dict(FILE.tensors)
    name = next(iter(grains))
    moved[name] = moved[name] + np.float32(2.0 ** (grains[name].exponent - 1))
    yield FieldFile(FILE.header, moved), "were changed"


@pytest.mark.parametrize(("file", "why"), list(carriers()), ids=lambda each: str(each)[:12])
def test_fields_that_cannot_carry_are_refused_by_name(file: FieldFile, why: str) -> None:
    for act in (
        lambda: carrying.embed(file, [Message(b"noon", ALICE)], name="its.safetensors"),
        lambda: carrying.room(file, name="its.safetensors"),
    ):
        with pytest.raises(CarrierError, match=r"its\.safetensors") as caught:
            act()
        assert why in str(caught.value)
        assert caught.value.hint


def test_a_field_of_the_first_format_still_shows_its_secret() -> None:
    facts = json.loads((FIRST / "first.json").read_text())
    found = hiding.reveal(FIRST / "first.safetensors", Key(bytes.fromhex(facts["key"])))
    assert isinstance(found, hiding.Revealed)
    assert found.certain
    expected = np.array(facts["levels"], np.int64)
    assert np.abs(signals.to_samples(found.signal).astype(np.int64) - expected).max() <= 1
    with pytest.raises(UnreadableError):
        hiding.reveal(FIRST / "first.safetensors", ALICE)


def test_functions_and_files_are_told_apart_by_the_key() -> None:
    secret = hiding.Secret(waves(16, 16, phase=1.0), ALICE)
    result = hiding.hide_functions(COVER, [secret], sizes=SIZES, training=QUICK)
    assert isinstance(hiding.reveal(result.field, ALICE), hiding.Revealed)
    assert result.field.grains
    assert result.field.header().keys() == INNOCENT.header().keys()


def test_a_stored_suffix_is_plain() -> None:
    for name, suffix in (
        ("a.pdf", ".pdf"),
        ("a.tar.gz", ".gz"),
        ("README", ""),
        ("a.of today", ""),
        ("a.averyverylongsuffix", ""),
        (".hidden", ""),
        ("a.ünicode", ""),
    ):
        assert law.stored_suffix(Path(name)) == suffix


@pytest.mark.parametrize("architecture", fields.ARCHITECTURES)
def test_every_architecture_carries_files(architecture: str) -> None:
    field = fields.new_field(waves(24, 24), architecture=architecture, seed=1)
    fields.draw(field, [Message(bytes(range(256)) * 10, ALICE)])
    found = hiding.reveal(fields.from_bytes(fields.to_bytes(field)), ALICE)
    assert found == hiding.RevealedFile(bytes(range(256)) * 10, "")
