/** Ciphers of headers and bodies, and what is inside a body. */

import { aessiv } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { Unzlib } from "fflate";
import { joined, type Bytes } from "./bytes";
import { Unreadable } from "./errors";

export const TAG = 16;
export const LARGEST_MESSAGE = 2 ** 28;
const NONCE = new Uint8Array(12);
const STEP = 1 << 16;

/** Open a header sealed with AES-SIV; nothing if it is for another key. */
export function openHeader(subkey: Bytes, sealed: Bytes): Bytes | undefined {
  try {
    return aessiv(subkey).decrypt(sealed);
  } catch {
    return undefined;
  }
}

/** Open a body sealed with ChaCha20-Poly1305 under a zero nonce, and inflate it. */
export function openBody(subkey: Bytes, sealed: Bytes, deflated: boolean, bound?: Bytes): Bytes {
  let data: Bytes;
  try {
    data = chacha20poly1305(subkey, NONCE, bound).decrypt(sealed);
  } catch {
    throw new Unreadable();
  }
  return deflated ? inflated(data, LARGEST_MESSAGE) : data;
}

/** Inflate zlib data, to a largest number of bytes. */
export function inflated(data: Bytes, largest: number): Bytes {
  const parts: Bytes[] = [];
  let length = 0;
  let ended = false;
  const stream = new Unzlib((part, last) => {
    length += part.length;
    if (length > largest) throw new Unreadable();
    parts.push(part);
    ended ||= last;
  });
  try {
    for (let at = 0; at < data.length; at += STEP) {
      stream.push(data.subarray(at, at + STEP), at + STEP >= data.length);
    }
  } catch {
    throw new Unreadable();
  }
  if (!ended) throw new Unreadable();
  return joined(...parts);
}
