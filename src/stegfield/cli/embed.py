"""``stegfield embed``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stegfield.cli import also as more
from stegfield.cli import field_files
from stegfield.cli.also import Also
from stegfield.cli.asking import read_early, read_key, read_message
from stegfield.cli.progress import watching
from stegfield.cli.signal_files import read_signal
from stegfield.cli.streams import (
    check_output,
    check_stdin,
    files_among,
    is_stream,
    name_of,
    write,
)
from stegfield.cli.terminal import answer, say
from stegfield.cli.weights import embed_in_model, is_model
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import ConfigError

NEVER_LOSSY = "take a picture that never was {}, or one reduced in size since"
FULL_COLOUR = "take a photograph in full colour"
MANY_LEVELS = "take a photograph with 256 levels"
EXIF = "EXIF"
SHOWN = {
    "JPEG": (
        "is a JPEG, and changes of its samples stand out from what its encoder left",
        "write a .jpg file, which changes the coefficients of the JPEG itself",
    ),
    "WebP": (
        "is a lossy WebP, and changes stand out from what its encoder left",
        NEVER_LOSSY.format("a lossy WebP"),
    ),
    "HEIC": (
        "is HEIC, and changes stand out from what its encoder left",
        NEVER_LOSSY.format("HEIC"),
    ),
    "AVIF": (
        "is AVIF, and changes stand out from what its encoder left",
        NEVER_LOSSY.format("AVIF"),
    ),
    "palette": ("has a palette, and changes stand out as new colours", FULL_COLOUR),
    "few levels": ("has few levels of grey, and changes stand out as new ones", MANY_LEVELS),
    "coarse": (
        "has levels with gaps between them, and changes stand out as new ones",
        "take a sound that was recorded with 16 bits or more",
    ),
}
"""Origins of covers that make changes easy to detect: what to say of the cover, and a hint."""

if TYPE_CHECKING:
    from stegfield.fixednet import EmbedResult
    from stegfield.signals import Signal


def embed(
    cover: Path,
    message: Path,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    key: Path | None = None,
    also: Also = [],  # noqa: B006 - it is not changed
    size: int | None = None,
    keep: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")] = (),
    config: Annotated[EmbedConfig, Parameter(name="*")] = EmbedConfig(),
    descent: Annotated[
        DescentConfig, Parameter(name="*", group="With --profile paper")
    ] = DescentConfig(),
    flatten: bool = False,
    keep_metadata: bool = False,
    passphrase_stdin: bool = False,
    weak: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Embed a file in an image, a climate field, a sound or a model; `extract` reads it.

    With --grain nobody can tell the result from what `stegfield grain` makes of the same picture,
    if the ciphers hold, and there may be several messages.

    Args:
        cover: Image: PNG, JPEG, WebP, BMP, TIFF, PPM, AVIF, HEIC or a GIF of one frame; 16-bit
            samples become 8-bit ones. Or a temperature on the globe: NetCDF-4, named .nc. Or a
            sound: WAV or FLAC; other samples become 16-bit ones. Or a field that `fit` or `hide`
            wrote, or the weights of any other model: safetensors, of which nothing but last bits of
            numbers changes. - is stdin.
        message: File to embed; - is stdin.
        output: File to write: .jpg of a JPEG, which stays one and keeps its metadata; .png, .bmp,
            .tiff or .webp; with --profile robust any of them. For a climate field, .nc; for a
            sound, .wav or .flac; for a model, .safetensors. - is stdout: a JPEG of a JPEG, else a
            PNG, NetCDF or WAV.
        key: Key file; asks for a passphrase if left out.
        also: One more file to embed, and its own key file. Repeat it for others; with --grain, or
            in a field.
        size: Reduce an image to so many pixels along its longer side.
        keep: Key files of messages that a field carries already and that shall stay. All others
            are lost, since a field is drawn anew.
        flatten: Put a transparent image onto white.
        keep_metadata: Keep an image's EXIF data, such as camera, time and place, except previews.
            Colour profile, gamma and resolution are kept in any case.
        passphrase_stdin: Read the passphrase from stdin.
        weak: Take a passphrase that is easily guessed.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import files, fixednet, signals

    read = (cover, message, key, descent.weights, *more.paths(also))
    if field_files.is_field(cover):
        field_files.embed(
            cover,
            message,
            output,
            key=key,
            also=also,
            keep=keep,
            passphrase_stdin=passphrase_stdin,
            weak=weak,
            json=json,
            force=force,
        )
        return
    if keep:
        raise ConfigError("--keep is for fields, which are drawn anew", hint="leave it out")
    files.check_apart(files_among(output), files_among(*read))
    check_output(output, json=json, force=force)
    keyless = any(each is None for each in (key, *(each.key for each in also)))
    check_stdin(cover=cover, message=message, passphrase_stdin=passphrase_stdin and keyless)
    chosen = fixednet.profiles.load(config.chosen)  # an unknown name is told before files
    if is_model(cover):
        if also or size is not None:
            flag = "--also" if also else "--size"
            raise ConfigError(f"{flag} has no meaning for a model", hint="leave it out")
        embed_in_model(
            cover,
            message,
            output,
            key=key,
            config=config,
            descent=descent,
            passphrase_stdin=passphrase_stdin,
            weak=weak,
            as_json=json,
            force=force,
        )
        return
    piped = is_stream(cover) or is_stream(output)
    signal = read_picture(cover, size, flatten=flatten) if piped else None
    medium = signal.medium if signal else signals.medium_of_file(cover)
    suffix = chosen.suffix(signal, config) if signal and is_stream(output) else output.suffix
    profile = fixednet.check(medium, suffix, config, descent=descent)
    from_stdin = is_stream(message)
    data = b"" if from_stdin else read_early(message)
    others = more.read_messages(also)
    signal = signal or read_picture(cover, size, flatten=flatten)
    profile.check_size(signal.size, suffix)
    profile, _ = profile.for_file(signal, suffix, config)
    with_key = read_key(key, passphrase_stdin=passphrase_stdin and key is None, new=True, weak=weak)
    with_keys = more.with_keys(also, others, passphrase_stdin=passphrase_stdin, weak=weak)
    if profile.samples:  # after the keys: a command that fails says only why
        tell_origin(name_of(cover), signal, quiet=profile.quiet)
    if signal.jpeg is None or profile.samples:  # else the file keeps all that it says
        tell_look(name_of(cover), signal, suffix, keep_metadata=keep_metadata)
    # stdin comes last, since the user may have to type it
    data = read_message(message) if from_stdin else data
    with watching() as watch:
        result = fixednet.embed(
            signal,
            data,
            with_key,
            also=with_keys,
            config=config,
            descent=descent,
            suffix=suffix,
            keep_metadata=keep_metadata,
            watch=watch,
        )
    write(output, result.file, force=force)
    if json:
        answer({medium.name: str(output), **result.to_json()})
    else:
        tell(output, result)


def read_picture(path: Path, size: int | None, *, flatten: bool) -> Signal:
    """Read a cover, and reduce it if it should be smaller.

    Raises:
        ConfigError: The size is out of range, or the cover is no image.
        InputError: The cover cannot be read.
    """
    from stegfield import signals

    signal = read_signal(path, flatten=flatten)
    return signal if size is None else signals.reduced(signal, size)


def tell_origin(cover: str, signal: Signal, *, quiet: bool) -> None:
    """Say what the cover's origin means for what is made of it."""
    if signal.origin == "16 bits":
        say(f"note: {cover} has 16 bits a sample; the output has 8")
    elif signal.origin is not None and quiet:
        what, hint = SHOWN[signal.origin]
        say(f"warning: {cover} {what}\nhint: {hint}")


def tell_look(cover: str, signal: Signal, suffix: str, *, keep_metadata: bool) -> None:
    """Say what the stego file will not have of all that the cover's file says of its samples."""
    lost = signal.medium.lost_in(signal, suffix)
    shown = [what for what in lost if what != EXIF]
    if shown:
        say(
            f"warning: {suffix} files cannot hold the {' and '.join(shown)} of {cover}; "
            "viewers may show other colours or another size\nhint: write a .png file"
        )
    has = () if signal.look is None else signal.look.metadata
    dropped = [name for name in has if name != EXIF or not keep_metadata or EXIF in lost]
    if dropped:
        way = "; --keep-metadata keeps EXIF" if EXIF in dropped and EXIF not in lost else ""
        say(f"note: the {' and '.join(dropped)} data of {cover} is left out{way}")


def tell(output: Path, result: EmbedResult) -> None:
    """Print the result of an embedding."""
    medium = result.stego.medium
    several = f" of {result.messages} messages" if result.messages > 1 else ""
    rate = f"{result.rate_bpp:.3g} a {medium.point}"
    if result.rate_bpnzac is not None:
        from stegfield.fixednet.exact.coefficients import loudness

        rate = f"{result.rate_bpnzac:.2g} a non-zero coefficient: {loudness(result.rate_bpnzac)}"
    say(
        f"{name_of(output, 'stdout')}: {result.message_bytes:,} bytes{several} in "
        f"{result.bits:,} bits, {rate}; read back and compared\n"
        f"{figures(result)}, {100 * result.changed:.3g} % of the samples changed, "
        f"{result.seconds:.1f} s"
    )
    for each in result.cautions:
        say(f"warning: {each.text}\nhint: {each.hint}")
    kept, lost = (
        [name for name, came_back in result.survived.items() if came_back is wanted]
        for wanted in (True, False)
    )
    if kept:
        say(f"the message survives {'; '.join(kept)}")
    if lost:
        say(
            f"warning: the message would not survive {', '.join(lost)}\n"
            "hint: take another cover or a shorter message"
        )


def figures(result: EmbedResult) -> str:
    """Say how far a result is from its cover, and whose doing that is."""
    told = str(result.quality)
    if result.luma_psnr_db is not None:
        told = f"PSNR {result.quality.psnr_db:.2f} dB"
    if result.grain is None:
        return told
    return f"{told} from grain of {result.grain:g} levels"
