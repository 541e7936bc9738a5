/** Messages in carriers that stegfield makes itself: docs/format.md, "Law format". */

import { latin, packed, viewOf, joined, type Bits, type Bytes } from "./bytes";
import { Unreadable } from "./errors";
import type { Key, KeySource } from "./keys";
import { LARGEST_MESSAGE, openBody, openHeader, TAG } from "./sealing";

const SALT_BITS = 128;
const SLOT_BITS = 240;
const SLOT_BYTES = SLOT_BITS / 8;
const PARTS = 64;
const MOST_SLOTS = 8;
const BYTES_A_SLOT = 384;
const VERSION = 2;

/** A plane of bits, in a public order. */
export interface Plane {
  readonly length: number;
  /** Return `count` bits from one on. */
  bits(start: number, count: number): Bits;
}

/** Turns the elements of a message's parts into its bits. */
export type Network = (elements: Bits, key: Key, salt: Bytes, useful: number) => Bits;

export interface LawMessage {
  data: Bytes;
  /** A dot and letters, or nothing: the end of the name that the file had. */
  suffix: string;
  /** Whether a field shows it, at any size. */
  shown?: boolean;
}

export interface Places {
  slots: number;
  firstPart: number;
  partBits: number;
}

export interface LawHeader {
  slot: number;
  sealed: Bytes;
  facts: Bytes;
  deflated: boolean;
  length: number;
  mask: bigint;
}

export function places(bits: number): Places {
  const slots = Math.max(1, Math.min(MOST_SLOTS, Math.floor(Math.floor(bits / 8) / BYTES_A_SLOT)));
  const firstPart = SALT_BITS + SLOT_BITS * slots;
  return { slots, firstPart, partBits: Math.max(0, Math.floor((bits - firstPart) / PARTS)) };
}

/** Read the message of a key from a plane. */
export function readLaw(plane: Plane, source: KeySource, network?: Network): LawMessage {
  const where = places(plane.length);
  if (!where.partBits) throw new Unreadable();
  const salt = packed(plane.bits(0, SALT_BITS));
  const key = source.unlock(salt);
  const header = firstSlot(plane, where.slots, key, salt);
  const bodySalt = joined(salt, header.sealed);
  const sealed = lawBody(plane, where, header, (elements) =>
    network ? network(elements, key, bodySalt, 8 * header.length) : elements,
  );
  return parseBody(openBody(key.derive("law/body", bodySalt), sealed, header.deflated));
}

export function firstSlot(plane: Plane, slots: number, key: Key, salt: Bytes): LawHeader {
  for (let slot = 0; slot < slots; slot++) {
    const sealed = packed(plane.bits(SALT_BITS + SLOT_BITS * slot, SLOT_BITS), SLOT_BYTES);
    const facts = openHeader(key.derive(`law/header/${slot}`, salt), sealed);
    if (facts) return parseHeader(facts, slot, sealed);
  }
  throw new Unreadable();
}

function parseHeader(facts: Bytes, slot: number, sealed: Bytes): LawHeader {
  const view = viewOf(facts);
  const length = view.getUint32(2, true);
  if (facts[0] !== VERSION || facts[1]! > 1) throw new Unreadable();
  if (length < TAG || length > LARGEST_MESSAGE + TAG) throw new Unreadable();
  const mask = view.getBigUint64(6, true);
  return { slot, sealed, facts, deflated: facts[1] === 1, length, mask };
}

/** Put a body together from the parts of its mask. */
export function lawBody(
  plane: Plane,
  where: Places,
  header: LawHeader,
  network: (elements: Bits) => Bits,
): Bytes {
  const chosen = Array.from({ length: PARTS }, (_, part) => part).filter(
    (part) => (header.mask >> BigInt(part)) & 1n,
  );
  if (chosen.length !== Math.ceil((8 * header.length) / where.partBits)) throw new Unreadable();
  const elements = new Uint8Array(chosen.length * where.partBits);
  chosen.forEach((part, at) => {
    const start = where.firstPart + part * where.partBits;
    elements.set(plane.bits(start, where.partBits), at * where.partBits);
  });
  return packed(network(elements), header.length);
}

function parseBody(data: Bytes): LawMessage {
  const length = data[0] ?? NaN;
  const suffix = latin(data.subarray(1, 1 + length));
  if (!/^(\.[a-z0-9]{1,10})?$/.test(suffix) || suffix.length !== length) throw new Unreadable();
  return { data: data.subarray(1 + length), suffix };
}
