"""The receiver's page in a real browser, from a file, without a network."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from receiver_carriers import KEY, MAKERS, Stego
from receiver_page import choose, downloaded, found, key_file, read

from stegfield import fields, fixednet, hiding, receiver, signals
from stegfield.hiding import SlotScheme
from stegfield.hiding.positions import pack_positions
from stegfield.hiding.record import write_records
from stegfield.hiding.showing import describe
from stegfield.hiding.slots import largest_positions
from stegfield.keys import Key, KeyFile, Passphrase

SOON = 120_000
"""Milliseconds to wait for something that a busy machine may be slow with."""
NOTHING = "Nothing can be read from this file with this key."
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page, as a file on a disk."""
    path = tmp_path_factory.mktemp("receiver") / "receiver.html"
    path.write_bytes(receiver.page())
    return path.as_uri()


@pytest.fixture(scope="module")
def context(browser: Any) -> Iterator[Any]:
    """A visitor without a network, on whom no page may store anything."""
    opened = browser.new_context(accept_downloads=True, offline=True)
    yield opened
    assert opened.storage_state() == {"cookies": [], "origins": []}
    opened.close()


@pytest.fixture
def page(context: Any, address: str) -> Iterator[Any]:
    """The page, which loads nothing and meets no error of its own."""
    opened = context.new_page()
    opened.set_default_timeout(SOON)
    asked, errors = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(address)
    yield opened
    assert [url for url in asked if not url.startswith(("file:", "blob:"))] == []
    assert errors == []
    opened.close()


@pytest.mark.parametrize("kind", MAKERS)
def test_what_python_embeds_is_read(kind: str, page: Any) -> None:
    stego = MAKERS[kind](np.random.default_rng(zlib.crc32(kind.encode())), KEY)
    assert found(page, stego) == stego.message


def test_a_passphrase_reads_given_covers_and_covers_with_grain(page: Any) -> None:
    draws, words = np.random.default_rng(1), "Grüße, 世界"
    for kind in ("png", "grain"):
        stego = MAKERS[kind](draws, Passphrase(words))
        choose(page, stego.name, stego.file)
        page.get_by_label("Passphrase").fill(words)
        read(page)
        assert downloaded(page)[1] == stego.message


def sentence(page: Any, data: bytes, key: Key = KEY, name: str = "stego.png") -> str:
    choose(page, name, data)
    page.set_input_files("#key", key_file(key))
    read(page)
    return str(page.inner_text("#status"))


def test_a_wrong_key_damage_and_an_innocent_file_give_one_sentence(page: Any) -> None:
    cover = signals.waves(48, 64)
    stego = fixednet.embed(cover, b"noon", KEY, suffix=".png").file
    assert sentence(page, stego, Key(bytes(32))) == NOTHING
    assert sentence(page, signals.to_png(cover)) == NOTHING
    for damaged in (stego[:-40], stego[:200] + b"\0" * 9 + stego[209:], stego[:20]):
        assert sentence(page, damaged) == NOTHING
    field = MAKERS["field"](np.random.default_rng(0), KEY)
    assert sentence(page, field.file[:-8], name=field.name) == NOTHING
    assert sentence(page, field.file, Key(bytes(32)), field.name) == NOTHING


def test_fields_whose_tensors_share_bytes_are_refused_at_once(page: Any) -> None:
    tensor = {"dtype": "F32", "shape": [1 << 20], "data_offsets": [0, 4 << 20]}
    names = [f"t{number}" for number in range(100)]
    facts = {"format": 2, "grain": {name: [-20, 16] for name in names}}
    metadata = {"stegfield": json.dumps(facts)}
    header = json.dumps({"__metadata__": metadata, **dict.fromkeys(names, tensor)}).encode()
    data = len(header).to_bytes(8, "little") + header + bytes(4 << 20)
    assert sentence(page, data, name="hostile.safetensors") == NOTHING


def test_files_of_other_kinds_are_named(page: Any) -> None:
    assert sentence(page, b"GIF89a" + bytes(99)) == "This page does not read GIF files."
    assert sentence(page, b"hello") == "This page does not read files of this kind."
    choose(page, "stego.png", signals.to_png(signals.waves(48, 64)))
    page.set_input_files("#key", {"name": "k", "mimeType": "", "buffer": b"stegfield-key-1"})
    read(page)
    assert page.inner_text("#status") == "This key file is damaged."


SIZES: dict[str, dict[str, int | float]] = {
    "siren": {"width": 16, "depth": 3},
    "fourier": {"width": 16, "depth": 3, "frequencies": 8},
    "grid": {"width": 16, "depth": 2, "finest": 24, "levels": 2},
}


def hidden(
    architecture: str, cover: signals.Signal, secret: signals.Signal, *, shared: bool = False
) -> tuple[Stego, signals.Signal, KeyFile]:
    """Let a field show something with a key; nothing is trained."""
    field = fields.new_field(cover, architecture=architecture, sizes=SIZES[architecture], seed=1)
    fields.draw(field, [])
    scheme = SlotScheme(ratio=0.1, values="xavier" if shared else "matched")
    places = largest_positions(field, scheme) if shared else None
    opened = KeyFile(KEY, b"" if places is None else pack_positions(places))
    write_records(field, [(KEY, describe(secret, scheme, shared_slots=shared))])
    shown = hiding.reveal_function(field, opened).signal
    return Stego("field.safetensors", fields.store.to_bytes(field), b""), shown, opened


@pytest.mark.parametrize("architecture", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_what_a_field_shows_is_revealed(
    architecture: str, channels: int, page: Any, tmp_path: Path
) -> None:
    cover, secret = signals.waves(24, 32), signals.waves(30, 20, channels=channels)
    stego, shown, opened = hidden(architecture, cover, secret, shared=channels == 3)
    choose(page, stego.name, stego.file)
    page.set_input_files("#key", {"name": "k", "mimeType": "", "buffer": opened.to_bytes()})
    read(page)
    name, data = downloaded(page)
    (tmp_path / name).write_bytes(data)
    revealed = signals.to_levels(signals.read(tmp_path / name)).astype(int)
    assert revealed.shape == (30, 20, channels)
    assert np.abs(revealed - signals.to_levels(shown)).max() <= 1


def test_what_a_field_shows_is_revealed_at_other_sizes(page: Any) -> None:
    stego, _, _ = hidden("siren", signals.waves(24, 32), signals.waves(30, 20))
    found(page, stego)
    width = "image => image.decode().then(() => image.naturalWidth)"
    assert page.locator("#shown img").evaluate(width) == 20
    page.get_by_label("at any size").select_option("4")
    page.locator("#shown img").wait_for()
    assert page.locator("#shown img").evaluate(width) == 80


def test_a_sound_that_a_field_shows_is_revealed(page: Any, tmp_path: Path) -> None:
    stego, shown, _ = hidden("siren", signals.chords(400), signals.chords(300, rate=4000.0))
    name = "message.wav"
    (tmp_path / name).write_bytes(found(page, stego))
    revealed = signals.read(tmp_path / name)
    assert revealed.rate == 4000
    assert page.locator("#shown audio").count() == 1
    both = [signals.to_levels(each).astype(int) for each in (revealed, shown)]
    assert np.abs(both[0] - both[1]).max() <= 4


def test_what_the_page_cannot_show_is_named(page: Any) -> None:
    stego, _, _ = hidden("siren", signals.waves(24, 32), signals.chords(300))
    said = sentence(page, stego.file, name=stego.name)
    assert "`stegfield reveal` does" in said


def test_text_is_shown_as_text_and_a_picture_as_one(page: Any) -> None:
    text = "<b>noon</b> ☀\nat the gate"
    sent = fixednet.embed(signals.waves(64, 64), text.encode(), KEY)
    assert found(page, Stego("stego.png", sent.file, b"")) == text.encode()
    assert page.locator("#shown pre").inner_text() == text
    inner = signals.to_png(signals.waves(16, 16))
    sent = fixednet.embed(signals.waves(96, 96), inner, KEY)
    assert found(page, Stego("stego.png", sent.file, b"")) == inner
    assert page.locator("#shown img").evaluate("image => image.naturalWidth") == 16
    assert downloaded(page)[0] == "message.png"


def test_a_page_carries_its_file(page: Any, tmp_path: Path) -> None:
    stego = MAKERS["png"](np.random.default_rng(2), KEY)
    (tmp_path / 'a "b" <i>.png').write_bytes(stego.file)
    (tmp_path / "with.html").write_bytes(receiver.page(tmp_path / 'a "b" <i>.png'))
    page.goto((tmp_path / "with.html").as_uri())
    assert page.inner_text("#file-name") == 'a "b" <i>.png'
    assert page.get_by_text("This page carries the file.").is_visible()
    page.set_input_files("#key", key_file())
    read(page)
    assert downloaded(page)[1] == stego.message


def test_files_that_are_dropped_anywhere_go_where_they_belong(page: Any) -> None:
    stego = MAKERS["grey png"](np.random.default_rng(4), KEY)
    page.evaluate(
        """files => {
            const dropped = new DataTransfer();
            for (const [name, bytes] of files) {
                dropped.items.add(new File([Uint8Array.from(bytes)], name));
            }
            const settings = {dataTransfer: dropped, bubbles: true, cancelable: true};
            document.querySelector("h1").dispatchEvent(new DragEvent("drop", settings));
        }""",
        [[stego.name, [*stego.file]], ["alice.key", [*KeyFile(KEY).to_bytes()]]],
    )
    page.locator("#key-name", has_text="alice.key").wait_for()
    page.locator("#file-name", has_text=stego.name).wait_for()
    read(page)
    assert downloaded(page)[1] == stego.message


def test_the_keyboard_is_enough_on_a_phone(page: Any) -> None:
    page.set_viewport_size(PHONE)
    stego = MAKERS["png"](np.random.default_rng(3), Passphrase("noon"))
    choose(page, stego.name, stego.file)
    page.keyboard.press("Tab")  # to the file
    page.keyboard.press("Tab")  # to the key file
    page.keyboard.press("Tab")  # to the passphrase
    page.keyboard.type("noon")
    page.keyboard.press("Enter")
    page.locator("#result:focus").wait_for()
    assert downloaded(page)[1] == stego.message
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_reading_can_be_stopped(page: Any) -> None:
    choose(page, "stego.png", signals.to_png(signals.waves(48, 64)))
    page.get_by_label("Passphrase").fill("slow to make a key of")
    page.get_by_role("button", name="Read the message").click()
    page.get_by_role("button", name="Stop").click()
    assert page.inner_text("#status") == "Stopped."
    assert page.get_by_role("button", name="Read the message").is_enabled()
