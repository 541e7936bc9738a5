"""Media as objects: ours say what they can do, and one of somebody else's joins by an entry."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stegfield import fields, hiding, signals
from stegfield.config import FitConfig
from stegfield.errors import ConfigError, InputError
from stegfield.keys import Key
from stegfield.metrics import AnyQuality
from stegfield.signals import IMAGE, LARGEST_POINTS, MEDIA, Medium, Signal
from stegfield.signals.levels import EightBits

KEY = Key(bytes(range(32)))
MADE = {
    "image": signals.waves(24, 16),
    "sound": signals.chords(400),
    "climate": signals.globe(24, 16),
    "video": signals.clip(4, 16, 16),
    "volume": signals.blob(8),
    "shape": signals.ball(16),
}
every_medium = pytest.mark.parametrize("signal", MADE.values(), ids=list(MADE))


class Barcode(EightBits):
    """A line of grey bars: what a package of somebody else's could add."""

    name = "barcode"
    noun = "a barcode"
    plural = "barcodes"
    axes = 1
    suffixes = (".bars",)
    written = suffixes
    channels = (1,)

    def recognizes(self, data: bytes) -> bool:
        return data.startswith(b"BARS")

    def decode(
        self, data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
    ) -> Signal:
        if not self.recognizes(data):
            raise InputError(f"{path} is no barcode")
        levels = np.frombuffer(data[4:], np.uint8)[:, None]
        return Signal(levels.astype(np.float32) / 127.5 - 1, self)

    def encode(self, signal: Signal, suffix: str) -> bytes:
        self.check_written(suffix)
        return b"BARS" + self.to_levels(signal).tobytes()

    def quality(self, shown: Signal, wanted: Signal) -> AnyQuality:
        self.check_same_size(shown, wanted)
        error = float(np.square(shown.values - wanted.values).mean())
        return AnyQuality(10 * np.log10(4 / (error + 1e-12)))

    def still(self, signal: Signal) -> Signal:
        return Signal(np.repeat(signal.values[None], 20, axis=0))


BARCODE = Barcode()
BARS = Signal(np.sin(np.linspace(0, 9, 60))[:, None], BARCODE)


@pytest.fixture
def _barcodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MEDIA._ours, BARCODE.name, BARCODE)


# our own


@every_medium
def test_each_medium_has_one_object_that_copies_and_processes_share(signal: Signal) -> None:
    medium = signal.medium
    assert MEDIA[medium.name] is medium
    for again in (pickle.loads(pickle.dumps(signal)), copy.deepcopy(signal)):
        assert again.medium is medium
        assert np.array_equal(again.values, signal.values)


@every_medium
def test_suffixes_tell_the_medium_and_all_that_is_written_is_read(signal: Signal) -> None:
    medium = signal.medium
    assert {signals.medium_of(f"x{suffix}") for suffix in medium.suffixes} == {medium}
    assert set(medium.lossless) <= set(medium.written) <= set(medium.suffixes)
    with pytest.raises(ConfigError, match=r"cannot be written with the suffix \.odd"):
        signals.encode(signal, ".odd")


def test_no_two_media_take_one_suffix() -> None:
    every = [suffix for medium in MEDIA.values() for suffix in medium.suffixes]
    assert len(every) == len(set(every))
    assert signals.medium_of("a.name.of.no.medium") is IMAGE


@every_medium
def test_points_have_the_axes_that_the_medium_says(signal: Signal) -> None:
    medium, size = signal.medium, signal.size
    for folded in (False, True):
        at = medium.points(size, folded=folded)
        assert at.shape == (signal.points, medium.point_axes)
    if medium.on_globe:
        assert np.allclose(np.linalg.norm(at, axis=1), 1)


@every_medium
def test_a_notebook_shows_a_picture_of_every_medium(
    signal: Signal, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = signals.still(signal)
    assert still.medium is IMAGE
    with Image.open(io.BytesIO(signal._repr_png_())) as picture:
        assert (picture.format, picture.size) == ("PNG", still.size[::-1])
        assert np.array_equal(np.asarray(picture), signals.to_samples(still).squeeze())
    opened: list[Any] = []
    monkeypatch.setattr(Image.Image, "show", lambda self: opened.append(self.size))
    signal.show()
    assert opened == [still.size[::-1]]


@every_medium
def test_signals_of_two_sizes_are_not_compared(signal: Signal) -> None:
    part = Signal(signal.values[1:], signal.medium, rate=signal.rate)
    with pytest.raises(ConfigError, match=r"differ|climate") as caught:
        signals.quality(part, signal)
    assert caught.value.hint is not None


def test_no_torch_is_needed_to_read_measure_and_write() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from stegfield import channel, files, keys, metrics, payload, pictures, signals\n"
        "image = signals.waves(16, 24)\n"
        "again = signals.read(signals.encode(image, '.png'))\n"
        "assert signals.psnr_db(again, image) > 50\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# somebody else's


@pytest.mark.usefixtures("_barcodes")
def test_another_medium_is_read_by_its_name_and_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "box.bars"
    path.write_bytes(signals.encode(BARS, ".bars"))
    assert signals.medium_of(path) is BARCODE
    for read in (signals.read(path), signals.read(path.read_bytes())):
        assert read.medium is BARCODE
        assert np.array_equal(signals.to_levels(read), signals.to_levels(BARS))
    assert pickle.loads(pickle.dumps(BARS)).medium is BARCODE


@pytest.mark.usefixtures("_barcodes")
def test_a_field_shows_another_medium_and_hides_it() -> None:
    sizes, training = {"width": 32, "depth": 2}, FitConfig(steps=150, seed=0)
    field = fields.fit(BARS, sizes=sizes, training=training).field
    shown = fields.render(fields.from_bytes(fields.to_bytes(field)), (120,))
    assert (shown.medium, shown.size) == (BARCODE, (120,))
    assert signals.psnr_db(fields.render(field), BARS) > 15
    secrets = [hiding.Secret(BARS, KEY)]
    hidden = hiding.hide_functions(signals.waves(16, 16), secrets, sizes=sizes, training=training)
    revealed = hiding.reveal_function(hidden.field, KEY)
    assert revealed.certain
    assert revealed.signal.medium is BARCODE
    assert revealed.signal.size == BARS.size


def test_a_field_of_a_medium_that_is_not_there_is_refused() -> None:
    with pytest.MonkeyPatch.context() as there:
        there.setitem(MEDIA._ours, BARCODE.name, BARCODE)
        field = fields.new_field(BARS, sizes={"width": 16, "depth": 2}, seed=0)
        data = fields.to_bytes(field)
    with pytest.raises(InputError, match="needs the plug-in that brings the medium 'barcode'"):
        fields.from_bytes(data)


def test_a_medium_says_its_name() -> None:
    assert isinstance(BARCODE, Medium)
    assert repr(BARCODE) == "<medium barcode>"
