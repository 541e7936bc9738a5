/** Bytes, bits and whole numbers. Bits are taken from the highest of each byte. */

export type Bytes = Uint8Array;
/** One bit an entry, 0 or 1. */
export type Bits = Uint8Array;
/** Integers of a carrier, in the order that sender and receiver agree on. */
export type Levels = Uint8Array | Int16Array;

export function ascii(text: string): Bytes {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export function latin(data: Bytes): string {
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return text;
}

export function joined(...parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function viewOf(data: Bytes): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

/** Pack bits; the last byte is filled with zeros. */
export function packed(bits: Bits, length = Math.ceil(bits.length / 8)): Bytes {
  const data = new Uint8Array(length);
  const stop = Math.min(bits.length, 8 * length);
  for (let at = 0; at < stop; at++) data[at >> 3]! |= bits[at]! << (7 - (at & 7));
  return data;
}

/** Return `count` bits of bytes from one on. */
export function unpacked(data: Bytes, start: number, count: number): Bits {
  const bits = new Uint8Array(count);
  for (let at = 0; at < count; at++) {
    const place = start + at;
    bits[at] = (data[place >> 3]! >> (7 - (place & 7))) & 1;
  }
  return bits;
}

/** Return 1 for an odd number of ones among 32 bits. */
export function parity(word: number): number {
  word ^= word >>> 16;
  word ^= word >>> 8;
  word ^= word >>> 4;
  return (0x6996 >>> (word & 15)) & 1;
}

/** Return floor(a b / c) of whole numbers whose product may exceed 2^53. */
export function scaled(a: number, b: number, c: number): number {
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER) return Math.floor(product / c);
  return Number((BigInt(a) * BigInt(b)) / BigInt(c));
}
