/** Covers with grain: docs/format.md, "Covers with grain" and "Profile `drawn`". */

import type { Bits, Bytes, Levels } from "./bytes";
import { Unreadable } from "./errors";
import type { Key, KeySource } from "./keys";
import { readLaw, type LawMessage, type Plane } from "./law";

const ROWS = 64;
const HEIGHT = 10;
const ALWAYS = 1 | (1 << (HEIGHT - 1));
const COUNTED = (1 << HEIGHT) - 1;

/** The lowest bits of all levels, and then the ones above, where there are two. */
export class LowBits implements Plane {
  readonly length: number;

  constructor(
    private readonly levels: Levels,
    bitsEach: number,
  ) {
    this.length = bitsEach * levels.length;
  }

  bits(start: number, count: number): Bits {
    const found = new Uint8Array(count);
    const each = this.levels.length;
    for (let at = 0; at < count; at++) {
      const place = start + at;
      found[at] = place < each ? this.levels[place]! & 1 : (this.levels[place - each]! >> 1) & 1;
    }
    return found;
  }
}

/** Read the message of a key from the low bits of levels: one bit a level, then two. */
export function readDrawn(levels: Levels, key: KeySource): LawMessage {
  try {
    return readLaw(new LowBits(levels, 1), key, triangular);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return readLaw(new LowBits(levels, 2), key, triangular);
  }
}

/** Read bits with the key's network: of each element and of nine of those above it. */
export function triangular(elements: Bits, key: Key, salt: Bytes, useful: number): Bits {
  const width = Math.ceil(elements.length / ROWS);
  const stream = key.stream("drawn/network", salt);
  const sums = new Uint16Array(width); // bit t: of the row that is t below
  const read = new Uint8Array(Math.min(useful, elements.length));
  for (let start = 0; start < read.length; start += width) {
    const row = Math.min(width, read.length - start);
    const columns = stream.u16(row);
    for (let at = 0; at < row; at++) {
      const element = elements[start + at]!;
      read[start + at] = element ^ (sums[at]! & 1);
      if (element) sums[at]! ^= (columns[at]! & COUNTED) | ALWAYS;
      sums[at]! >>= 1;
    }
  }
  return read;
}
