"""Hide files in the weights of a neural field, and embed files in the samples of an image.

    cover, message, key ─► embed ─► stego image ─► extract ─► the message

    cover, files, keys ─► hide ─► public field ─► reveal ─► one file, bit for bit
                                       └────────► what everyone sees

    seed ─► generate ─► a cover that never existed

A cover, a stego or a secret is a `Signal`, or anything that `read` makes one of: a path, the bytes
of a file, an image of Pillow's, an array. What stands here is imported when it is asked for, so
that ``import stegfield`` is quick.

    import stegfield

    key = stegfield.Key.generate()
    sent = stegfield.embed("photo.png", b"meet me at noon", key)
    assert stegfield.extract(sent.stego, key) == b"meet me at noon"
"""

from typing import TYPE_CHECKING

from stegfield.lazy import resolver

__version__ = "0.1.0"

if TYPE_CHECKING:
    from stegfield.fields import Field, fit
    from stegfield.fixednet.embed import capacity, embed, extract
    from stegfield.generative import generate
    from stegfield.hiding import Secret, hide, hide_functions, reveal
    from stegfield.keys import Key, KeyFile, Passphrase
    from stegfield.signals import Signal, read
    from stegfield.watching import progress
else:
    __getattr__ = resolver(
        __name__,
        {
            "stegfield.fields": ["Field", "fit"],
            "stegfield.fixednet": ["capacity", "embed", "extract"],
            "stegfield.generative": ["generate"],
            "stegfield.hiding": ["Secret", "hide", "hide_functions", "reveal"],
            "stegfield.keys": ["Key", "KeyFile", "Passphrase"],
            "stegfield.signals": ["Signal", "read"],
            "stegfield.watching": ["progress"],
        },
    )

__all__ = [
    "Field",
    "Key",
    "KeyFile",
    "Passphrase",
    "Secret",
    "Signal",
    "capacity",
    "embed",
    "extract",
    "fit",
    "generate",
    "hide",
    "hide_functions",
    "progress",
    "read",
    "reveal",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
