"""Hide images in the weights of a neural field, and reveal each with its own key.

    cover, secrets, keys ─► hiding.hide ─► public field ─► hiding.reveal ─► one secret
                                                └────────► fields.render ─► the cover

Four values travel between packages: a `Signal`, a `Field`, a `Key` and bits. Start with
``from stegfield import fields, hiding, keys, signals``.
"""

__version__ = "0.1.0"
