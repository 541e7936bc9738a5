from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import runpy
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import assume, example, given
from hypothesis import strategies as st

from stegfield.errors import ConfigError, KeyFileError, OutputExistsError
from stegfield.keys import (
    KEY_BYTES,
    Key,
    KeyFile,
    KeyStream,
    Passphrase,
    WeakPassphraseError,
    check_strength,
    generate_passphrase,
    guesses_log10,
    unlock,
    unlock_file,
)
from stegfield.keys.key_file import FILE_MARK, LINE
from stegfield.keys.strength import word_list

GOLDEN = Path(__file__).parent / "golden"
VECTORS: dict[str, Any] = json.loads((GOLDEN / "keys.json").read_text())
KEY = Key(bytes(range(KEY_BYTES)))
SALT = bytes(16)
secrets = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
salts = st.binary(min_size=16, max_size=16)


# what a key decides


def test_the_committed_vectors_are_what_the_script_makes() -> None:
    assert runpy.run_path(str(GOLDEN / "make_keys.py"))["vectors"]() == VECTORS


@pytest.mark.parametrize("vector", VECTORS["passphrases"], ids=lambda vector: vector["text"])
def test_a_passphrase_and_a_salt_give_the_committed_key(vector: dict[str, str]) -> None:
    key = Passphrase(vector["text"]).key(bytes.fromhex(vector["salt"]))
    assert key == Key(bytes.fromhex(vector["key"]))


@pytest.mark.parametrize("vector", VECTORS["subkeys"])
def test_a_label_and_a_salt_give_the_committed_subkey(vector: dict[str, str]) -> None:
    salt = bytes.fromhex(vector["salt"])
    key = Key(bytes.fromhex(vector["key"]))
    assert key.derive(vector["label"], salt=salt).hex() == vector["subkey"]
    drawn = key.stream(vector["label"], salt=salt).bytes(100)
    assert drawn == KeyStream(bytes.fromhex(vector["subkey"])).bytes(100)


@pytest.mark.parametrize("vector", VECTORS["noise"])
def test_a_subkey_draws_the_committed_noise(vector: dict[str, Any]) -> None:
    subkey = bytes.fromhex(vector["subkey"])
    choice = vector["choose"]
    count = len(choice["chosen"])
    assert KeyStream(subkey).bytes(len(vector["bytes"]) // 2).hex() == vector["bytes"]
    assert KeyStream(subkey).integers(len(vector["integers"])).tolist() == vector["integers"]
    assert KeyStream(subkey).choose(count, choice["size"]).tolist() == choice["chosen"]
    assert KeyStream(subkey).uniform(len(vector["uniform"])).tolist() == vector["uniform"]
    assert KeyStream(subkey).normal(len(vector["normal"])).tolist() == vector["normal"]


# the libraries beneath compute what the RFCs print


def test_argon2id_gives_the_vector_of_rfc_9106() -> None:
    kdf = Argon2id(
        salt=b"\x02" * 16,
        length=32,
        iterations=3,
        lanes=4,
        memory_cost=32,
        secret=b"\x03" * 8,
        ad=b"\x04" * 12,
    )
    tag = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    assert kdf.derive(b"\x01" * 32).hex() == tag


def test_hkdf_gives_the_first_vector_of_rfc_5869() -> None:
    hkdf = HKDF(hashes.SHA256(), 42, salt=bytes(range(13)), info=bytes(range(0xF0, 0xFA)))
    assert hkdf.derive(b"\x0b" * 22).hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_the_noise_of_a_zero_subkey_is_the_keystream_of_rfc_8439() -> None:
    # appendix A.1: vectors 1 and 2 are the blocks 0 and 1 of the zero key with a zero nonce
    assert KeyStream(bytes(32)).bytes(128).hex() == (
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
        "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
        "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"
    )


def test_chacha20_encrypts_the_text_of_rfc_8439() -> None:
    # section 2.4.2: the counter of 1 and the nonce make the 16 bytes that the library asks for
    nonce = (1).to_bytes(4, "little") + bytes.fromhex("000000000000004a00000000")
    text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip"
    sealed = Cipher(algorithms.ChaCha20(bytes(range(32)), nonce), mode=None).encryptor()
    assert sealed.update(text)[:32].hex() == (
        "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b"
    )


@given(secrets, st.text(max_size=20), salts)
def test_derive_is_hkdf_sha256_of_the_label(secret: bytes, label: str, salt: bytes) -> None:
    extracted = hmac.digest(salt, secret, hashlib.sha256)
    info = b"stegfield/1/" + label.encode()
    expanded = hmac.digest(extracted, info + b"\x01", hashlib.sha256)
    assert Key(secret).derive(label, salt=salt) == expanded


# unrelated noise


def assert_unrelated(a: KeyStream, b: KeyStream) -> None:
    """Half of 4096 bits differ, within 6 standard deviations of 32."""
    differing = int.from_bytes(a.bytes(512), "big") ^ int.from_bytes(b.bytes(512), "big")
    assert abs(differing.bit_count() - 2048) < 6 * 32


@given(st.text(max_size=12), st.text(max_size=12))
@example("slots", "slots ")
def test_other_labels_give_unrelated_noise(one: str, other: str) -> None:
    assume(one != other)
    assert_unrelated(KEY.stream(one, salt=SALT), KEY.stream(other, salt=SALT))


@given(salts, st.integers(0, 127))
def test_salts_a_bit_apart_give_unrelated_noise(salt: bytes, bit: int) -> None:
    other = (int.from_bytes(salt, "big") ^ 1 << bit).to_bytes(16, "big")
    assert_unrelated(KEY.stream("slots", salt=salt), KEY.stream("slots", salt=other))


@given(secrets, st.integers(0, 255))
def test_keys_a_bit_apart_give_unrelated_noise(secret: bytes, bit: int) -> None:
    other = (int.from_bytes(secret, "big") ^ 1 << bit).to_bytes(KEY_BYTES, "big")
    assert_unrelated(Key(secret).stream("slots", salt=SALT), Key(other).stream("slots", salt=SALT))


@given(secrets, st.text(max_size=12), salts)
def test_noise_is_reproducible(secret: bytes, label: str, salt: bytes) -> None:
    one, again = (Key(secret).stream(label, salt=salt) for _ in range(2))
    assert one.bytes(64) == again.bytes(64)


# draws


@given(secrets, st.lists(st.integers(0, 150), max_size=8))
def test_every_draw_continues_the_stream(subkey: bytes, counts: list[int]) -> None:
    noise = KeyStream(subkey)
    parts = b"".join(noise.bytes(count) for count in counts)
    assert parts == KeyStream(subkey).bytes(sum(counts))


def test_draws_of_different_kinds_share_one_stream() -> None:
    noise, stream = KeyStream(KEY.secret), KeyStream(KEY.secret)
    assert noise.integers(3).astype("<u8").tobytes() == stream.bytes(24)
    noise.uniform(5)
    stream.bytes(20)
    noise.normal(2)
    stream.bytes(48)
    noise.choose(1, 4)
    stream.bytes(32)
    noise.bits(9)
    stream.bytes(2)
    assert noise.bytes(16) == stream.bytes(16)


@given(secrets, st.integers(0, 100))
def test_bits_are_those_of_the_bytes_the_highest_first(subkey: bytes, count: int) -> None:
    drawn = "".join(f"{byte:08b}" for byte in KeyStream(subkey).bytes(13))
    assert "".join(str(int(bit)) for bit in KeyStream(subkey).bits(count)) == drawn[:count]


@given(secrets, st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_choose_gives_different_integers_below_the_size(
    subkey: bytes, count_size: tuple[int, int]
) -> None:
    count, size = count_size
    chosen = KeyStream(subkey).choose(count, size).tolist()
    assert len(set(chosen)) == len(chosen) == count
    assert set(chosen) <= set(range(size))


@given(secrets, st.integers(0, 50))
def test_choosing_fewer_gives_the_first_of_those(subkey: bytes, count: int) -> None:
    every = KeyStream(subkey).choose(50, 50)
    assert sorted(every.tolist()) == list(range(50))
    assert np.array_equal(KeyStream(subkey).choose(count, 50), every[:count])


@pytest.mark.parametrize(("count", "size"), [(1, 0), (5, 4), (-1, 4)])
def test_choose_never_gives_another_number_than_asked(count: int, size: int) -> None:
    with pytest.raises(ConfigError):
        KeyStream(KEY.secret).choose(count, size)


def test_choose_favours_no_integer() -> None:
    noise = KeyStream(KEY.secret)
    counts = np.bincount(np.concatenate([noise.choose(3, 16) for _ in range(4000)]), minlength=16)
    deviation = np.sqrt(4000 * (3 / 16) * (13 / 16))
    assert np.abs(counts - 4000 * 3 / 16).max() < 5 * deviation


def test_uniform_has_mean_0_and_variance_one_third() -> None:
    values = KeyStream(KEY.secret).uniform(100_000)
    assert abs(values.mean()) < 5 / np.sqrt(3 * 100_000)
    assert abs((values**2).mean() - 1 / 3) < 5 * np.sqrt(4 / 45 / 100_000)


def test_normal_has_mean_0_and_variance_1() -> None:
    values = KeyStream(KEY.secret).normal(100_000)
    assert abs(values.mean()) < 5 / np.sqrt(100_000)
    assert abs((values**2).mean() - 1) < 5 * np.sqrt(2 / 100_000)


@pytest.mark.parametrize(("within", "share"), [(0.5, 0.3829), (1, 0.6827), (2, 0.9545)])
def test_normal_is_near_normal(within: float, share: float) -> None:
    values = KeyStream(KEY.secret).normal(100_000)
    assert abs((np.abs(values) < within).mean() - share) < 0.01


@pytest.mark.parametrize("byte", [b"\x00", b"\xff"])
def test_the_most_extreme_draws_stay_in_range(byte: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeyStream, "bytes", lambda _, count: byte * count)
    noise, sign = KeyStream(KEY.secret), 1 if byte == b"\xff" else -1
    assert noise.uniform(1).item() == sign * (1 - 2**-32)
    assert noise.normal(1).item() == sign * (6 - 6 / 2**16)


# passphrases


def test_composed_and_decomposed_passphrases_give_one_key() -> None:
    composed = "Gr\u00fc\u00dfe \uac00"
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    assert Passphrase(composed).key(SALT) == Passphrase(decomposed).key(SALT)


def test_passphrases_and_salts_give_different_keys() -> None:
    keys = [
        Passphrase("\ufb01n").key(SALT),  # a ligature is not taken for its letters
        Passphrase("fin").key(SALT),
        Passphrase("Fin").key(SALT),
        Passphrase("fin ").key(SALT),
        Passphrase("fin").key(bytes(15) + b"\x01"),
    ]
    assert len({key.secret for key in keys}) == len(keys)


def test_a_passphrase_that_is_not_unicode_still_gives_a_key() -> None:
    # Python reads bytes that are not UTF-8 from a terminal as lone surrogates
    assert len(Passphrase("caf\udce9").key(SALT).secret) == KEY_BYTES


def test_an_empty_passphrase_is_refused() -> None:
    with pytest.raises(ConfigError, match="empty"):
        Passphrase("")


def test_unlock_leaves_a_key_and_derives_from_a_passphrase() -> None:
    assert unlock(KEY, SALT) is KEY
    assert unlock(KeyFile(KEY, b"slots"), SALT) is KEY
    assert unlock(Passphrase("fin"), SALT) == Passphrase("fin").key(SALT)


def test_only_a_key_file_brings_slots() -> None:
    assert unlock_file(KeyFile(KEY, b"slots"), SALT) == KeyFile(KEY, b"slots")
    assert unlock_file(KEY, SALT) == KeyFile(KEY)
    assert unlock_file(Passphrase("fin"), SALT) == KeyFile(Passphrase("fin").key(SALT))


# keys and their files


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ConfigError, match=f"got {length}"):
        Key(bytes(length))


def test_generated_keys_differ() -> None:
    assert len({Key.generate().secret for _ in range(20)}) == 20


@given(secrets, st.binary(min_size=1, max_size=40))
def test_repr_shows_no_secret(secret: bytes, slots: bytes) -> None:
    assert repr(Key(secret)) == repr(KEY) == "Key()"
    assert repr(KeyFile(Key(secret), slots)) == repr(KeyFile(KEY))
    assert repr(Passphrase(secret.hex())) == repr(Passphrase("fin"))


@given(secrets, st.binary(max_size=300))
@example(bytes(KEY_BYTES), b"")
@example(bytes(KEY_BYTES), bytes(57))  # fills a line
def test_parse_undoes_to_bytes(secret: bytes, slots: bytes) -> None:
    parsed = KeyFile.parse(KeyFile(Key(secret), slots).to_bytes())
    assert (parsed.key.secret, parsed.slots) == (secret, slots)


@given(secrets, st.binary(max_size=300))
def test_a_key_file_is_short_lines_of_ascii_behind_a_mark(secret: bytes, slots: bytes) -> None:
    lines = KeyFile(Key(secret), slots).to_bytes().decode("ascii").split("\n")
    assert lines[0] == FILE_MARK
    assert lines[-1] == ""
    assert max(map(len, lines)) <= LINE


def test_a_key_file_of_many_slots_is_written_and_read() -> None:
    key = KeyFile(KEY, KEY.stream("slots", salt=SALT).bytes(8 << 20))
    assert KeyFile.parse(key.to_bytes()).slots == key.slots


def test_a_key_file_that_was_written_once_is_still_read() -> None:
    text = "stegfield-key-1\n\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\nAQID\n\n{check}\n"
    check = hashlib.sha256(b"stegfield key file" + KEY.secret + b"\x01\x02\x03").digest()[:6]
    data = text.format(check=base64.b64encode(check).decode()).encode()
    assert KeyFile.parse(data) == KeyFile(KEY, b"\x01\x02\x03")
    assert KeyFile(KEY, b"\x01\x02\x03").to_bytes() == data


def test_a_key_file_whose_lines_end_in_cr_lf_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mailed.key"
    path.write_bytes(KeyFile(KEY, bytes(range(100))).to_bytes().replace(b"\n", b"\r\n"))
    assert KeyFile.read(path) == KeyFile(KEY, bytes(range(100)))


@pytest.mark.parametrize("end", ["\n", "\n\n\n", "\r\n"])
def test_empty_lines_may_follow_a_key(end: str, tmp_path: Path) -> None:
    path = tmp_path / "edited.key"
    path.write_bytes(KeyFile(KEY).to_bytes() + end.encode())
    assert KeyFile.read(path) == KeyFile(KEY)


def test_read_undoes_write(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    key = KeyFile(KEY, b"slots")
    key.write(path)
    assert KeyFile.read(path) == key


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_only_its_owner_can_read_a_key_file(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(b"")
    path.chmod(0o666)
    mask = os.umask(0)
    try:
        KeyFile(KEY).write(path, force=True)
        KeyFile(KEY).write(tmp_path / "b.key")
    finally:
        os.umask(mask)
    assert [p.stat().st_mode & 0o777 for p in (path, tmp_path / "b.key")] == [0o600, 0o600]


def test_a_key_file_is_never_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    KeyFile(KEY).write(path)
    with pytest.raises(OutputExistsError):
        KeyFile(Key.generate()).write(path)
    assert KeyFile.read(path) == KeyFile(KEY)


# damaged key files


DATA = KeyFile(KEY, bytes(range(100))).to_bytes()
positions = st.integers(0, len(DATA) - 1)


def test_every_flipped_bit_of_a_key_file_is_noticed() -> None:
    for bit in range(8 * len(DATA)):
        damaged = bytearray(DATA)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(KeyFileError):
            KeyFile.parse(bytes(damaged))


@given(st.data(), st.sampled_from([b"", bytes(range(100)), bytes(range(101)), bytes(57)]))
def test_every_replaced_character_of_a_key_file_is_noticed(
    draw: st.DataObject, slots: bytes
) -> None:
    data = KeyFile(KEY, slots).to_bytes()
    at = draw.draw(st.integers(0, len(data) - 1))
    character = draw.draw(st.one_of(st.sampled_from(b"A/=\n \r"), st.integers(0, 255)))
    assume(character != data[at])
    with pytest.raises(KeyFileError):
        KeyFile.parse(data[:at] + bytes([character]) + data[at + 1 :])


def test_every_other_last_character_of_a_block_is_noticed() -> None:
    # in base64, four last characters before "=" stand for the same 32 bytes
    for end in (at for at in range(len(DATA)) if DATA[at : at + 1] == b"="):
        for character in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/":
            if character != DATA[end - 1]:
                with pytest.raises(KeyFileError):
                    KeyFile.parse(DATA[: end - 1] + bytes([character]) + DATA[end:])


@given(positions)
def test_a_lost_character_of_a_key_file_is_noticed(at: int) -> None:
    assume(DATA[at : at + 1] != b"\n")
    with pytest.raises(KeyFileError):
        KeyFile.parse(DATA[:at] + DATA[at + 1 :])


@given(positions, st.integers(0, 255))
def test_an_added_character_of_a_key_file_is_noticed(at: int, character: int) -> None:
    assume(character != ord("\n"))
    assume((character, DATA[at]) != (ord("\r"), ord("\n")))
    with pytest.raises(KeyFileError):
        KeyFile.parse(DATA[:at] + bytes([character]) + DATA[at:])


@given(positions)
def test_other_line_breaks_are_noticed_or_give_the_same_key(at: int) -> None:
    added, lost = DATA[:at] + b"\n" + DATA[at:], DATA[:at].replace(b"\n", b"") + DATA[at:]
    for changed in (added, lost, DATA.rstrip(b"\n")):
        try:
            parsed = KeyFile.parse(changed)
        except KeyFileError:
            continue
        assert parsed == KeyFile(KEY, bytes(range(100)))


@given(positions)
def test_a_truncated_key_file_is_noticed(length: int) -> None:
    assume(length < len(DATA.rstrip()))
    with pytest.raises(KeyFileError):
        KeyFile.parse(DATA[:length])


@given(st.binary(max_size=200), st.sampled_from([b"", b"stegfield-key-1", b"stegfield-key-1\n\n"]))
@example(b"", b"")
@example(b"\n\n\n\n", b"stegfield-key-1\n\n")
@example(b"\n\n\n\n\n\n\n\n", b"stegfield-key-1\n\n")
def test_other_bytes_are_not_a_key_file(data: bytes, start: bytes) -> None:
    with pytest.raises(KeyFileError):
        KeyFile.parse(start + data)


@given(st.lists(st.text(st.sampled_from("AQgw=\n"), max_size=48), max_size=5))
def test_other_blocks_of_base64_are_not_a_key_file(blocks: list[str]) -> None:
    with pytest.raises(KeyFileError):
        KeyFile.parse("\n\n".join([FILE_MARK, *blocks]).encode())


def test_a_key_of_another_length_is_not_read_even_with_its_check() -> None:
    secret = bytes(31)
    check = hashlib.sha256(b"stegfield key file" + secret).digest()[:6]
    blocks = [base64.b64encode(block).decode() for block in (secret, b"", check)]
    with pytest.raises(KeyFileError):
        KeyFile.parse(("\n\n".join([FILE_MARK, *blocks]) + "\n").encode())


def test_errors_name_the_file_and_show_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    secret = base64.b64encode(KEY.secret)
    for data in (DATA[:-3], b"other" + DATA, DATA[:40] + b"!" + DATA[41:]):
        path.write_bytes(data)
        with pytest.raises(KeyFileError, match=r"a\.key") as caught:
            KeyFile.read(path)
        assert secret.decode()[:8] not in str(caught.value)
        assert caught.value.hint is not None
        assert "keygen" in caught.value.hint


def test_a_missing_key_file_and_a_folder_are_key_file_errors(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="does not exist"):
        KeyFile.read(tmp_path / "a.key")
    with pytest.raises(KeyFileError, match="is a folder"):
        KeyFile.read(tmp_path)


@pytest.mark.parametrize(
    ("secret", "fingerprint"),
    [(bytes(32), "beb5-3711-a845-bb2e"), (bytes(range(32)), "6d02-1e3c-48bc-d27f")],
)
def test_a_fingerprint_is_eight_bytes_of_hkdf(secret: bytes, fingerprint: str) -> None:
    assert Key(secret).fingerprint == fingerprint
    pseudorandom = hmac.digest(b"stegfield finger", secret, "sha256")
    expanded = hmac.digest(pseudorandom, b"stegfield/1/fingerprint\x01", "sha256")
    assert fingerprint.replace("-", "") == expanded[:8].hex()


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("a", 0, 2), ("password1", 1, 4), ("Tr0ub4dour&3", 4, 13), ("x" * 1000, 0, 8)],
)
def test_guessable_passphrases_are_known_as_such(text: str, least: float, most: float) -> None:
    assert least <= guesses_log10(Passphrase(text)) <= most


def test_weak_passphrases_are_refused_or_warned_about() -> None:
    with pytest.raises(WeakPassphraseError, match="190 guesses"):
        check_strength(Passphrase("password1"))
    caution = check_strength(Passphrase("password1"), weak=True)
    assert caution is not None
    assert "190 guesses" in caution.text
    doubtful = check_strength(Passphrase("open sesame"))
    assert doubtful is not None
    assert "10^8" in doubtful.text
    assert check_strength(Passphrase("recede nifty ageless wildcat sulfide immobile")) is None


def test_generated_passphrases_are_words_of_the_list_drawn_evenly() -> None:
    words = word_list()
    assert len(words) == len(set(words)) == 7776
    assert max(map(len, words)) <= 9
    assert len(generate_passphrase().text.split(" ")) == 6
    drawn = " ".join(generate_passphrase(500).text for _ in range(40)).split(" ")
    assert set(drawn) <= set(words)
    assert len(set(drawn)) / 7776 == pytest.approx(1 - np.exp(-20_000 / 7776), abs=0.02)
    with pytest.raises(ConfigError, match="at least 4"):
        generate_passphrase(3)
