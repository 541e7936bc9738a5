"""``stegfield attack``."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stegfield.cli.asking import read_key_file
from stegfield.cli.secret_files import Secrets
from stegfield.cli.signal_files import read_signal
from stegfield.cli.terminal import answer, say
from stegfield.config import AttackConfig
from stegfield.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stegfield.attacks.report import AttackReport
    from stegfield.metrics import Samples

REPORT = "report.json"


def attack(
    field: Path,
    /,
    *,
    cover: Path,
    secret: Secrets,
    other: Path | None = None,
    output: Annotated[Path, Parameter(alias="-o")],
    config: Annotated[AttackConfig, Parameter(name="*")] = AttackConfig(),
    passphrase_stdin: bool = False,
    flatten: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Attack a field of your own: measure its images after damage, and what guesses find.

    Damage is pruning, noise, rounding and training on the cover. Guesses are random keys, searches
    for natural pictures, and the same searches by an adversary with another secret's key. With a
    second field of the same cover, the report also says how much the difference of the two reveals
    about slots and secrets.

    Args:
        field: Field file that hides the secrets.
        cover: Image that it shows to everyone.
        secret: IMAGE [KEY]: an image that it hides and its key file; asks for a passphrase if the
            key is left out. May be given many times.
        other: A second field of the same cover, made with the same settings, with or without
            secrets.
        output: Folder for the report: charts, pictures, and all figures in report.json.
        config: How many guesses to make.
        passphrase_stdin: Read missing keys as passphrases from stdin, a line for each.
        flatten: Put transparent images onto white.
        json: Print the figures as JSON.
        force: Replace existing files.
    """
    from stegfield import fields, files, signals
    from stegfield.attacks import report
    from stegfield.attacks.damage import witness
    from stegfield.attacks.guessing import check_comparable

    if len({each.file.name for each in secret}) < len(secret):
        raise ConfigError("two secrets have the same file name", hint="rename one of them")
    if output.exists():
        for name in (REPORT, *report.file_names(len(secret))):
            files.check_new(output / name, force=force)
    public = fields.load(field)
    shown = read_signal(cover, flatten=flatten)
    if shown.size != public.public.size:
        raise InputError(f"{cover} is not the cover: it differs in size from what the field shows")
    witnesses = {
        each.file.name: witness(
            public,
            read_signal(each.file, flatten=flatten),
            read_key_file(each.key, passphrase_stdin=passphrase_stdin and each.key is None),
        )
        for each in secret
    }
    if {shown.medium, *(each.secret.medium for each in witnesses.values())} != {signals.IMAGE}:
        raise InputError(
            "`attack` takes only images in fields of images",
            hint="`reveal` a secret of another medium, and `compare` it with the original",
        )
    second = None if other is None else fields.load(other)
    if second is not None:
        check_comparable(second, public)
    files.make_folder(output)
    originals = report.originals(shown, witnesses)
    found = report.examine(public, shown, witnesses, other=second, config=config, told=say)
    _warn_of_strangers(found, originals)
    facts = found.to_json()
    drawn = {**found.pictures(originals), REPORT: json_text.dumps(facts, indent=1).encode()}
    files.write_all_new(
        [files.Output(output / name, data) for name, data in drawn.items()], force=force
    )
    if json:
        answer(facts)
    else:
        _report(output, found)


def _warn_of_strangers(found: AttackReport, originals: Sequence[Samples]) -> None:
    """Warn of an image that the field does not show: its figures mean nothing."""
    from stegfield.attacks.guessing import flat_psnr_db

    undamaged = next(iter(found.damaged.values()))[0]
    for name, psnr, samples in zip(found.names, undamaged.psnr_db, originals, strict=True):
        if psnr <= flat_psnr_db(samples):
            say(
                f"warning: what the field shows is no closer to {name} than a flat picture is\n"
                "hint: is it the right image, with its own key?"
            )


def _report(folder: Path, found: AttackReport) -> None:
    say(f"{folder}: PSNR of {', '.join(found.names)} in dB")
    for kind, levels in found.damaged.items():
        for level, shown in levels.items():
            say(f"  {kind} {level:g}: {_listed(shown.psnr_db)}")
    for kind, shown in found.rounded.items():
        say(f"  {kind}: {_listed(shown.psnr_db)}")
    for kind, secrets in found.guesses.items():
        for name, guesses in secrets.items():
            say(
                f"  {kind}, {name}: {guesses.best_psnr_db:.1f} at best of {len(guesses.psnr_db)}; "
                f"a flat picture has {guesses.flat_psnr_db:.1f}, "
                f"the cover {guesses.cover_psnr_db:.1f}"
            )
    if found.differences is not None:
        say(
            "  compared with the other field: slots differ more than other weights do in "
            f"{found.differences.weights_auc:.0%} of cases (chance: 50%)"
        )
        for name, each in zip(found.names[1:], found.differences.correlations, strict=True):
            say(f"  compared with the other field: {name} has a correlation of {each:.2f}")


def _listed(psnr_db: tuple[float, ...]) -> str:
    return " / ".join(f"{each:.1f}" for each in psnr_db)
