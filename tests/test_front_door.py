"""What `import stegfield` offers: quick to import, and free in what it takes."""

from __future__ import annotations

import importlib
import inspect
import io
import pkgutil
import re
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import stegfield
from stegfield import Key, KeyFile, Passphrase, Secret, signals
from stegfield import fields as fields_package
from stegfield.config import EmbedConfig, FitConfig
from stegfield.errors import KeyFileError
from stegfield.hiding import Revealed, RevealedFile
from stegfield.payload import message_bytes
from stegfield.signals import waves

KEY = Key(bytes(range(32)))
COVER = waves(24, 32)
FAST = EmbedConfig(constraint_height=6)
SIZES = {"width": 24, "depth": 2}
QUICK = FitConfig(steps=60, seed=0)
MESSAGE = b"meet me at noon"


def python(program: str) -> str:
    """Run a program in a process of its own, where annotations are not checked."""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return done.stdout


def sources(folder: Path) -> dict[str, signals.Source]:
    """One image in every form that is taken for one."""
    data, samples = signals.to_png(COVER), signals.to_samples(COVER)
    path = folder / "cover.png"
    path.write_bytes(data)
    return {
        "signal": COVER,
        "text": str(path),
        "path": path,
        "bytes": data,
        "pillow": Image.open(io.BytesIO(data)),
        "array": samples,
    }


# what is there


def test_every_name_is_there_and_nothing_heavy_is_imported_for_them() -> None:
    program = (
        "import sys, stegfield\n"
        "heavy = {'torch', 'numpy', 'PIL', 'scipy', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert set(stegfield.__all__) <= set(dir(stegfield))\n"
        "stegfield.Key.generate(), stegfield.embed, stegfield.extract, stegfield.read\n"
        "assert 'torch' not in sys.modules\n"
        "print(*(callable(getattr(stegfield, name)) for name in stegfield.__all__))\n"
    )
    assert set(python(program).split()) == {"True"}
    jobs = {"read", "embed", "extract", "capacity", "hide", "reveal", "fit", "generate"}
    assert jobs | {"Signal", "Field", "Key", "Passphrase"} <= {*stegfield.__all__}


def test_the_names_are_those_of_their_packages() -> None:
    assert stegfield.fit is fields_package.fit
    assert stegfield.read is signals.read
    with pytest.raises(AttributeError, match="no attribute 'hied'"):
        stegfield.hied  # type: ignore[attr-defined]  # noqa: B018


def test_the_import_loads_next_to_nothing() -> None:
    program = "import sys; before = set(sys.modules); import stegfield\n"
    program += "print(*sorted({*sys.modules} - before))"
    ours = [name for name in python(program).split() if name.startswith("stegfield")]
    assert ours == ["stegfield", "stegfield.lazy"]


def test_a_cover_that_never_existed_carries_a_message() -> None:
    cover = stegfield.generate("digits", size=64)
    assert cover.size == (64, 64)
    assert stegfield.extract(stegfield.embed(cover, MESSAGE, KEY).file, KEY) == MESSAGE


# what is taken


def test_a_cover_may_be_a_signal_a_path_bytes_a_picture_or_an_array(tmp_path: Path) -> None:
    for name, source in sources(tmp_path).items():
        assert signals.psnr_db(stegfield.read(source), COVER) > 50, name
        assert stegfield.capacity(source)["exact"]["at most"] > 0, name
        result = stegfield.embed(source, MESSAGE, KEY, config=FAST)
        assert stegfield.extract(result.stego, KEY) == MESSAGE, name


def test_a_stego_may_be_a_file_and_a_message_too(tmp_path: Path) -> None:
    letter, key_file, stego = (tmp_path / name for name in ("letter.txt", "a.key", "stego.png"))
    letter.write_bytes(MESSAGE)
    KeyFile(KEY).write(key_file)
    result = stegfield.embed(COVER, letter, key_file, config=FAST)
    stego.write_bytes(result.file)
    for source in (str(stego), stego, result.file, Image.open(stego)):
        for key in (KEY, KeyFile(KEY), key_file):
            assert stegfield.extract(source, key) == MESSAGE


def test_a_file_in_a_field_comes_back_bit_for_bit(tmp_path: Path) -> None:
    letter, key_file, field = (tmp_path / name for name in ("b.PDF", "a.key", "x.safetensors"))
    letter.write_bytes(MESSAGE)
    KeyFile(KEY).write(key_file)
    result = stegfield.hide(COVER, [(letter, key_file)], sizes=SIZES, training=QUICK)
    fields_package.save(field, result.field)
    for source in (result.field, field, str(field)):
        revealed = stegfield.reveal(source, key_file)
        assert isinstance(revealed, RevealedFile)
        assert (revealed.data, revealed.suffix) == (MESSAGE, ".pdf")


def test_a_field_shows_and_hides_what_comes_from_files(tmp_path: Path) -> None:
    path, key_file, field = (tmp_path / name for name in ("cover.png", "a.key", "x.safetensors"))
    path.write_bytes(signals.to_png(COVER))
    KeyFile(KEY).write(key_file)
    assert stegfield.fit(path, sizes=SIZES, training=QUICK).quality.psnr_db > 12
    secrets = [Secret(np.array(signals.to_samples(waves(16, 16, phase=1.0))), key_file)]
    result = stegfield.hide_functions(str(path), secrets, sizes=SIZES, training=QUICK)
    fields_package.save(field, result.field)
    for source in (result.field, field, str(field)):
        revealed = stegfield.reveal(source, key_file)
        assert isinstance(revealed, Revealed)
        assert revealed.signal.size == (16, 16)
    with pytest.raises(KeyFileError, match="is not a key file"):
        Secret(COVER, path)


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        ("stegfield.embed(cover, 'text', key)", "give bytes, as text.encode(), or Path(text)"),
        ("stegfield.embed(cover, b'', 'text')", "give Passphrase(text) or Path(text)"),
        ("stegfield.extract(cover, 'text')", "give Passphrase(text) or Path(text)"),
        ("stegfield.Secret(cover, 'text')", "give Passphrase(text) or Path(text)"),
    ],
)
def test_text_that_could_be_two_things_is_refused(call: str, hint: str) -> None:
    program = (
        "import stegfield\n"
        "from stegfield.signals import waves\n"
        "cover, key = waves(24, 32), stegfield.Key.generate()\n"
        f"try:\n    {call}\n"
        "except ValueError as error:\n    print(error.hint)\n"
    )
    assert python(program) == f"{hint}\n"


def test_a_message_is_its_bytes_or_those_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_bytes(MESSAGE)
    assert message_bytes(path) == message_bytes(MESSAGE) == MESSAGE


# what is shown


def modules() -> list[Any]:
    """Everything in the library that can be imported here."""
    every = pkgutil.walk_packages(stegfield.__path__, "stegfield.")
    return [importlib.import_module(i.name) for i in every if not i.name.endswith("__main__")]


def test_no_value_shows_arrays_or_tensors() -> None:
    heavy = re.compile(r"\b(ndarray|NDArray|Tensor|Samples|SlotValues)\b")
    found = [
        f"{kind.__module__}.{kind.__name__}.{entry.name}: {entry.type}"
        for module in modules()
        for kind in vars(module).values()
        if isinstance(kind, type)
        and kind.__module__ == module.__name__
        and not kind.__name__.startswith("_")
        and is_dataclass(kind)
        and inspect.unwrap(kind.__repr__).__code__.co_filename != module.__file__
        for entry in fields(kind)
        if entry.repr and heavy.search(str(entry.type))
    ]
    assert found == []


def test_results_fit_on_a_few_lines(tmp_path: Path) -> None:
    result = stegfield.embed(COVER, MESSAGE, KEY, config=FAST)
    hidden = stegfield.hide_functions(COVER, [Secret(COVER, KEY)], sizes=SIZES, training=QUICK)
    values: list[object] = [
        COVER,
        KEY,
        KeyFile(KEY),
        Passphrase("secret"),
        Secret(COVER, Passphrase("secret")),
        result,
        hidden,
        hidden.field,
        stegfield.reveal(hidden.field, KEY),
        stegfield.fit(COVER, sizes=SIZES, training=QUICK),
        stegfield.capacity(COVER),
    ]
    for value in values:
        assert len(repr(value)) < 700, value
        for revealing in ("secret'", "array(", "tensor(", "0x"):
            assert revealing not in repr(value)
    for shown in (result.stego, hidden.field):
        assert shown._repr_png_().startswith(b"\x89PNG")
