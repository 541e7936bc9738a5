"""The profiles by name, and those that a sender or a receiver may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stegfield import carriers
from stegfield.config import DescentConfig, EmbedConfig, changed
from stegfield.config.renamed import hint_for
from stegfield.errors import ConfigError, Wording
from stegfield.fixednet.profile import Profile
from stegfield.registry import Registry
from stegfield.signals import Medium

PROFILES: Registry[Profile] = Registry(
    "stegfield.profiles",
    "profile",
    {
        "drawn": "stegfield.fixednet.drawn:PROFILE",
        "exact": "stegfield.fixednet.exact:PROFILE",
        "robust": "stegfield.fixednet.robust:PROFILE",
        "paper": "stegfield.fixednet.paper:PROFILE",
    },
    named_by="name",
)
"""A receiver tries them in this order."""


def load(name: str) -> Profile:
    """Return the profile of a name.

    Raises:
        ConfigError: No profile has that name.
        PluginError: The package of the profile cannot be imported.

    Example:
        >>> load("exact").name
        'exact'
    """
    if hint := hint_for("profile", name):
        raise ConfigError(f"there is no profile {name!r}", hint=hint)
    return PROFILES.find(name)


def check(
    medium: Medium,
    suffix: str,
    config: EmbedConfig,
    *,
    descent: DescentConfig = DescentConfig(),
    size: tuple[int, ...] | None = None,
) -> Profile:
    """Refuse settings that cannot be embedded with, before long work; return the profile.

    Args:
        medium: Medium of the cover.
        suffix: Suffix of the file to write, such as .png.
        config: How to embed.
        descent: How the paper profile searches.
        size: Size of the cover, if it is known.

    Raises:
        ConfigError: There is no such profile, it does not take the medium, the kind of file, the
            size or a setting, or a setting has no meaning for it.
    """
    profile = load(config.chosen)
    for name in (*changed(config), *changed(descent)):
        if name not in {"profile", *profile.heeds}:
            raise _ignored(name, f"for the {profile.name} profile")
    profile.check_settings(config)
    profile.check_medium(medium)
    profile.check_suffix(medium, suffix)
    if size is not None:
        profile.check_size(size, suffix)
    return profile


def readers(
    medium: Medium,
    *,
    profile: str | None = None,
    known_cover: bool = False,
    weights: Path | None = None,
) -> Iterator[Profile]:
    """Choose the profiles that a receiver tries; each is loaded when its turn comes.

    Args:
        medium: Medium of the signal that may carry a message.
        profile: The only profile to try [default: all that are tried without being named].
        known_cover: Whether the receiver has the cover; only profiles that use it are tried then.
        weights: Whether the receiver names a released network.

    Raises:
        ConfigError: There is no such profile, it does not take the medium, or the cover or the
            weights have no meaning for it.
    """
    carriers.check(medium)
    found: Iterator[Profile]
    if profile is None:
        found = (each for each in PROFILES.usable() if each.tried and each.takes(medium))
        what, when = f"in {medium.plural}", "without a profile"
    else:
        named = load(profile)
        named.check_medium(medium)
        found = iter([named])
        what, when = f"of the {profile} profile", f"for the {profile} profile"
    if known_cover:
        heeding = [each for each in found if "known_cover" in each.heeds]
        if not heeding:
            raise ConfigError(
                f"messages {what} are read without a cover", hint="leave the cover out"
            )
        found = iter(heeding)
    if weights is not None:
        heeding = [each for each in found if "weights" in each.heeds]
        if not heeding:
            raise _ignored("weights", when)
        found = iter(heeding)
    return found


def _ignored(name: str, when: str) -> ConfigError:
    heeding = (each.name for each in PROFILES.usable() if name in each.heeds)
    meant = " and ".join(f"{{profile:{profile}}}" for profile in heeding)
    return ConfigError(
        Wording(f"{{{name}}} has no meaning {when}"), hint=Wording(f"it goes with {meant}")
    )
