"""Media in records: ours keep their numbers, those of other packages follow from names."""

import pytest

from stegfield.errors import ConfigError, PluginNeededError
from stegfield.hiding import media_codes
from stegfield.signals import MEDIA, VOLUME, Medium
from stegfield.signals.volume import VolumeMedium


def named(name: str) -> Medium:
    """A medium that another package might bring."""
    made: type[Medium] = type("Another", (VolumeMedium,), {"name": name})
    return made()


def bring(medium: Medium, monkeypatch: pytest.MonkeyPatch) -> Medium:
    monkeypatch.setitem(MEDIA._ours, medium.name, medium)
    return medium


def test_ours_keep_their_numbers_and_come_back() -> None:
    numbers = {name: media_codes.encode(medium) for name, medium in MEDIA.items()}
    expected = {"image": 0, "sound": 1, "climate": 2, "video": 3, "volume": 4, "shape": 5}
    assert numbers == expected
    assert all(media_codes.decode(number) is MEDIA[name] for name, number in numbers.items())
    assert media_codes.decode(6) is None


def test_a_medium_of_another_package_has_the_number_of_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elevation = bring(named("elevation"), monkeypatch)
    assert media_codes.encode(elevation) == 128 + 0x83 % 128  # printf elevation | b2sum -l 8
    assert media_codes.decode(131) is elevation
    with pytest.raises(PluginNeededError, match="this secret needs the plug-in that brings"):
        media_codes.decode(132)


def test_two_media_of_one_number_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = bring(named("a0"), monkeypatch)
    codes = {name: media_codes.encode(named(name)) for name in (f"a{n}" for n in range(1, 999))}
    alike = next(name for name, code in codes.items() if code == media_codes.encode(one))
    other = bring(named(alike), monkeypatch)
    for medium in (one, other):
        with pytest.raises(ConfigError, match=f"cannot tell a0 from {alike}"):
            media_codes.encode(medium)
    with pytest.raises(ConfigError, match="cannot tell"):
        media_codes.decode(codes[alike])
    assert media_codes.encode(VOLUME) == 4
