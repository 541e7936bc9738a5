"""Keys: 32 secret bytes, from a file or a passphrase, and the key streams that they generate.

    passphrase ─Argon2id(salt)─► 32 bytes ─HKDF(label, salt)─► sub-key ─ChaCha20─► integers ─► draws

What a key decides must be the same on every machine and with every version of every library. So no
generator of torch or numpy is used, and every step has committed test vectors
(``tests/golden/keys.json``). The salt is the random ``seed`` in the header of a field file: one
passphrase or key file for two fields gives unrelated sub-keys. Images share a constant salt.

Sources: RFC 9106 (Argon2, the second recommended parameters), RFC 5869 (HKDF), RFC 8439 (ChaCha20).
"""

from stegfield.keys.key import IMAGE_SALT, KEY_BYTES, SALT_BYTES, Key
from stegfield.keys.key_file import KeyFile
from stegfield.keys.passphrase import KeySource, Passphrase, opened, unlock, unlock_file
from stegfield.keys.stream import KeyStream
from stegfield.keys.strength import (
    WeakPassphraseError,
    check_strength,
    generate_passphrase,
    guesses_log10,
)
from stegfield.keys.system import system_stream

__all__ = [
    "IMAGE_SALT",
    "KEY_BYTES",
    "SALT_BYTES",
    "Key",
    "KeyFile",
    "KeySource",
    "KeyStream",
    "Passphrase",
    "WeakPassphraseError",
    "check_strength",
    "generate_passphrase",
    "guesses_log10",
    "opened",
    "system_stream",
    "unlock",
    "unlock_file",
]
