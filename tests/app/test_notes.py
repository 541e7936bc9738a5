"""What the page says of uploaded files and of passphrases, without a browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gradio", reason="the web page takes stegfield[app]")
soundfile = pytest.importorskip("soundfile")

from stegfield import fixednet  # noqa: E402
from stegfield.app.parts import looked_at, notes_of  # noqa: E402
from stegfield.app.session import Desk, Visit  # noqa: E402
from stegfield.app.visitors import Visitors  # noqa: E402
from stegfield.app.wording import advice  # noqa: E402
from stegfield.config import AppConfig  # noqa: E402
from stegfield.errors import StegfieldError  # noqa: E402
from stegfield.keys import Key, KeyFile, Passphrase  # noqa: E402
from stegfield.keys.strength import WeakPassphraseError  # noqa: E402


@pytest.fixture
def visit(tmp_path: Path) -> Visit:
    desk = Desk(AppConfig(), Visitors(tmp_path))
    assert desk.visitors.enter("alice", "page")
    return Visit(desk, "alice", "page")


def test_an_upload_tells_what_became_of_it(visit: Visit) -> None:
    home = visit.desk.visitors.home("alice")
    wave = 0.5 * np.sin(np.arange(900) / 5)
    soundfile.write(home / "deep.wav", wave, 8000, "PCM_24")
    soundfile.write(home / "plain.wav", wave, 8000, "PCM_16")
    seen, notes = looked_at(visit, str(home / "deep.wav"), "Cover")
    assert seen["visible"]
    assert "Note: it has 24 bits a sample, of which 16 are kept." in notes
    seen, notes = looked_at(visit, str(home / "plain.wav"), "Cover")
    assert (seen["visible"], notes) == (True, "")
    seen, notes = looked_at(visit, None, "Cover")
    assert (seen["visible"], notes) == (False, "")


def test_notes_are_text_and_not_html(visit: Visit) -> None:
    assert "<b>" not in notes_of(("has <b>bold</b> samples",))


def test_a_preview_of_what_takes_all_memory_costs_nobody_else_anything(tmp_path: Path) -> None:
    desk = Desk(AppConfig(max_memory=100, max_megapixels=80.0), Visitors(tmp_path))
    assert desk.visitors.enter("alice", "page")
    visit, home = Visit(desk, "alice", "page"), desk.visitors.home("alice")
    Image.new("RGB", (8000, 8000)).save(home / "bomb.png", compress_level=1)
    Image.new("RGB", (30, 20)).save(home / "small.png")
    assert looked_at(visit, str(home / "bomb.png"), "Cover")[0]["visible"] is False
    with pytest.raises(MemoryError):
        visit.signals([(str(home / "bomb.png"), "the cover")])
    assert looked_at(visit, str(home / "small.png"), "Cover")[0]["visible"] is True


def test_the_files_of_a_run_have_a_bound_together(tmp_path: Path) -> None:
    desk = Desk(AppConfig(max_megapixels=0.001), Visitors(tmp_path))
    assert desk.visitors.enter("alice", "page")
    visit, path = Visit(desk, "alice", "page"), desk.visitors.home("alice") / "small.png"
    Image.new("RGB", (25, 20)).save(path)
    two, three = ([(str(path), "the cover")] * count for count in (2, 3))
    assert [each.points for each in visit.signals(two)] == [500, 500]
    with pytest.raises(StegfieldError, match=r"small\.png is one too many.* 1,000 points"):
        visit.signals(three)


def test_hints_on_a_jpeg_name_no_setting_that_the_page_lacks(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "photo.jpg", progressive=True)
    with pytest.raises(StegfieldError) as refused:
        fixednet.embed(tmp_path / "photo.jpg", b"noon", Key.generate())
    assert advice(refused.value.hint) == "take a photo as a camera wrote it"
    Image.fromarray(picture).save(tmp_path / "photo.jpg")
    with pytest.raises(StegfieldError) as refused:
        fixednet.embed(tmp_path / "photo.jpg", picture[:30].tobytes(), Key.generate())
    assert advice(refused.value.hint) is not None


def test_new_secrets_take_no_passphrase_that_is_found_within_minutes(visit: Visit) -> None:
    with pytest.raises(WeakPassphraseError):
        visit.new_key("password1", None)
    key, note = visit.new_key("tulip gate", None)
    assert isinstance(key, Passphrase)
    assert note.startswith(" Note: the passphrase is found in about 10^9 guesses")
    assert "--" not in note.replace("keygen --passphrase", "")
    assert visit.new_key("crisp ladder orbit tunnel fabric moss", None)[1] == ""
    path = visit.desk.visitors.home("alice") / "one.key"
    path.write_bytes(KeyFile(Key.generate()).to_bytes())
    assert visit.new_key(None, str(path))[1] == ""


def test_what_was_hidden_with_a_weak_passphrase_is_read(visit: Visit) -> None:
    assert visit.key("password1", None) == Passphrase("password1")
