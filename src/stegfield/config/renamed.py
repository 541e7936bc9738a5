"""Settings and values that were renamed: an old name is refused with a hint at the new one."""

from __future__ import annotations

from stegfield.errors import Wording

SETTINGS = {"span": "constraint_height"}
"""Old names of settings, and the new ones."""
CHOICES = {"profile": {"jpeg": "robust"}}
"""Old names of a setting's values, and the new ones."""


def hint_for(name: str, value: object = None) -> str | None:
    """Return a hint at the new name of a setting, or of one of its values.

    Args:
        name: The setting.
        value: Its value; None asks about the setting itself.

    Returns:
        A hint, or None where nothing was renamed.

    Example:
        >>> hint_for("profile", "jpeg")
        'it is called robust now'
    """
    if value is None and name in SETTINGS:
        return Wording(f"it is called {{{SETTINGS[name]}}} now")
    new = CHOICES.get(name, {}).get(str(value))
    return None if new is None else f"it is called {new} now"
