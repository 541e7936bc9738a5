"""``stegfield keygen``."""

from __future__ import annotations

from pathlib import Path

from stegfield.cli.terminal import answer, say
from stegfield.errors import ConfigError


def keygen(
    out: Path | None = None, /, *, passphrase: bool = False, json: bool = False, force: bool = False
) -> None:
    """Write a new key file: 32 random bytes, readable by its owner only.

    Its fingerprint is printed. `stegfield inspect` prints that of a copy: if they are equal, so are
    the keys. No file that carries something holds it.

    Args:
        out: Key file to write.
        passphrase: Print a passphrase of six random words instead; no file is written.
        json: Print the result as JSON.
        force: Replace an existing file; what was hidden with its key is then lost.
    """
    from stegfield.keys import Key, KeyFile, generate_passphrase

    if (out is None) != passphrase:
        raise ConfigError(
            "there must be a key file to write, or --passphrase",
            hint="`stegfield keygen NAME.key` writes a key file",
        )
    if out is None:
        text = generate_passphrase().text
        answer({"passphrase": text}) if json else print(text)  # noqa: T201
        return
    key = Key.generate()
    KeyFile(key).write(out, force=force)
    if json:
        answer({"key": str(out), "fingerprint": key.fingerprint})
    else:
        say(f"{out}: a new key, fingerprint {key.fingerprint}")
