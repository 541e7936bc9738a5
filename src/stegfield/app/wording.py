"""Errors in the words of the page: settings as the labels of its controls."""

from __future__ import annotations

from stegfield.errors import Caution, Wording

CONTROLS = {
    "max_seconds": "“Seconds to train”",
    "profile": "“Profile”",
    "seed": "“Seed”",
    "size": "“Size”",
}
"""Settings that a visitor can change."""
ABSENT = "\0"


def sentence(text: str) -> str:
    """Return an error with the page's labels; settings without a control get plain words."""
    if not isinstance(text, Wording):
        return text
    return text.spelled(lambda name, _: CONTROLS.get(name, name.replace("_", " ")))


def advice(hint: str | None) -> str | None:
    """Return a hint without the alternatives that need a setting the page has no control for.

    Example:
        >>> advice(Wording("{flatten:True} puts it onto white, or save it opaque"))
        'save it opaque'
    """
    if not isinstance(hint, Wording):
        return hint
    alternatives = hint.spelled(lambda name, _: CONTROLS.get(name, ABSENT)).split(", ")
    kept = ", ".join(each for each in alternatives if ABSENT not in each)
    return kept.removeprefix("or ") or None


def noted(caution: Caution | None) -> str:
    """Return a caution as sentences to stand behind a result; nothing where there is none."""
    return "" if caution is None else f" Note: {sentence(caution.text)}; {advice(caution.hint)}."
