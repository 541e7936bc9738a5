/** Keys, passphrases, and what follows from them: docs/format.md, "Keys". */

import { chacha20 } from "@noble/ciphers/chacha.js";
import { argon2id } from "@noble/hashes/argon2.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ascii, joined, type Bytes } from "./bytes";

/** The salt of given covers, which have no place for one of their own. */
export const COVER_SALT = ascii("stegfield image ");
const ARGON = { t: 3, m: 64 * 1024, p: 4, dkLen: 32 };
const BLOCK = 64;
const CHUNK = 1024 * BLOCK;

/** 32 bytes, from which every sub-key follows. */
export class Key {
  constructor(readonly secret: Bytes) {}

  derive(label: string, salt: Bytes): Bytes {
    const info = new TextEncoder().encode(`stegfield/1/${label}`);
    return hkdf(sha256, this.secret, salt, info, 32);
  }

  stream(label: string, salt: Bytes): KeyStream {
    return new KeyStream(this.derive(label, salt));
  }

  /** Tell keys apart: the first 8 bytes of a sub-key, in hexadecimal. */
  get fingerprint(): string {
    const shown = this.derive("fingerprint", ascii("stegfield finger")).subarray(0, 8);
    const digits = Array.from(shown, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return digits.match(/.{4}/g)!.join("-");
  }
}

/** A key, or a passphrase that becomes one beside a salt. */
export interface KeySource {
  unlock(salt: Bytes): Key;
  /** Packed slot positions, of a key file that has some. */
  slots?: Bytes;
}

export function keyAsSource(key: Key, slots: Bytes = new Uint8Array(0)): KeySource {
  return { unlock: () => key, slots };
}

/** A passphrase; a key is worked out once for each salt. */
export function passphrase(text: string, onSlow: () => void = () => undefined): KeySource {
  const words = new TextEncoder().encode(text.normalize("NFC"));
  const known = new Map<string, Key>();
  return {
    unlock(salt) {
      const name = salt.join();
      let key = known.get(name);
      if (!key) {
        onSlow();
        key = new Key(argon2id(words, salt, ARGON));
        known.set(name, key);
      }
      return key;
    },
  };
}

/** ChaCha20's key stream; every draw begins where the one before it ended. */
export class KeyStream {
  private buffer: Bytes = new Uint8Array(0);
  private at = 0;
  private block = 0;

  constructor(private readonly subkey: Bytes) {}

  bytes(count: number): Bytes {
    const left = this.buffer.subarray(this.at);
    if (count <= left.length) {
      this.at += count;
      return left.subarray(0, count);
    }
    const missing = count - left.length;
    const made = this.make(Math.ceil(missing / CHUNK) * CHUNK);
    this.buffer = made;
    this.at = missing;
    return left.length ? joined(left, made.subarray(0, missing)) : made.subarray(0, missing);
  }

  /** All integers are little-endian, and so is every machine that a browser runs on. */
  u16(count: number): Uint16Array {
    return new Uint16Array(this.bytes(2 * count).slice().buffer);
  }

  u32(count: number): Uint32Array {
    return new Uint32Array(this.bytes(4 * count).slice().buffer);
  }

  u64(count: number): BigUint64Array {
    return new BigUint64Array(this.bytes(8 * count).slice().buffer);
  }

  /** Draw an order of n things: sorted by 64-bit draws, of equals the earlier one first. */
  order(count: number): Uint32Array {
    const words = this.u32(2 * count);
    const things = new Uint32Array(count);
    for (let at = 0; at < count; at++) things[at] = at;
    return things.sort(
      (a, b) => words[2 * a + 1]! - words[2 * b + 1]! || words[2 * a]! - words[2 * b]! || a - b,
    );
  }

  /** Put things into a coarse order: sorted by 16-bit draws, of equals the earlier one first. */
  coarseOrder<T extends Uint32Array | Uint8Array>(things: T): T {
    const draws = this.u16(things.length);
    const starts = new Uint32Array((1 << 16) + 1);
    for (let at = 0; at < draws.length; at++) starts[draws[at]! + 1]!++;
    for (let draw = 0; draw < 1 << 16; draw++) starts[draw + 1]! += starts[draw]!;
    const ordered = things.slice() as T;
    for (let at = 0; at < draws.length; at++) ordered[starts[draws[at]!]!++] = things[at]!;
    return ordered;
  }

  private make(length: number): Bytes {
    const zeros = new Uint8Array(length);
    const made = chacha20(this.subkey, new Uint8Array(12), zeros, undefined, this.block);
    this.block += length / BLOCK;
    return made;
  }
}
