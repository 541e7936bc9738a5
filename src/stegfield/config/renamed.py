"""What had another name once: who still uses it is told the new one."""

from __future__ import annotations

from stegfield.errors import Wording

SETTINGS = {"span": "constraint_height"}
"""Settings, and what they are called now."""
CHOICES = {"profile": {"jpeg": "robust"}}
"""What a setting may be, and what that is called now."""


def hint_for(name: str, value: object = None) -> str | None:
    """Tell what a setting, or one of its values, is called now.

    Args:
        name: The setting.
        value: What it was set to; None asks about the setting itself.

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
