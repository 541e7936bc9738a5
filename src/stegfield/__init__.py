"""Hide images in the weights of a neural field, and embed files in the samples of an image.

    cover, secrets, keys ─► hiding.hide ─► public field ─► hiding.reveal ─► one secret
                                                └────────► fields.render ─► the cover

    cover, message, key ─► fixednet.embed ─► stego image ─► fixednet.extract ─► the message

Four values travel between packages: a `Signal`, a `Field`, a `Key` and bits. Start with
``from stegfield import fields, fixednet, hiding, keys, signals``.
"""

__version__ = "0.1.0"
