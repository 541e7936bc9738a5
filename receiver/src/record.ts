/** Records of secrets that a field shows: docs/format.md, "Record". */

import { viewOf, type Bytes } from "./bytes";
import { Unreadable } from "./errors";
import { floats, isGrain, type Field } from "./field";
import type { Key } from "./keys";
import { corrected } from "./reedsolomon";
import { openHeader, TAG } from "./sealing";

const PARITY = 32;
const VERSIONS = [
  { version: 2, length: 33 },
  { version: 1, length: 17 },
];
const BYTE_BITS = 8;
const MEDIA = ["image", "sound", "climate", "video", "volume", "shape"];
const AXES = [2, 1, 2, 3, 3, 3];
const FIXED = "encoder.frequencies";

/** What a receiver must know about a secret that a field shows. */
export interface SecretRecord {
  medium: string;
  channels: number;
  rule: "matched" | "xavier";
  slotsInKeyFile: boolean;
  size: number[];
  millionths: number;
  rate: number;
  lowest: number;
  highest: number;
}

/** Read the record of a key. */
export function readRecord(field: Field, key: Key): SecretRecord {
  const low = lowBytes(field);
  for (const { version, length } of VERSIONS) {
    const facts = openRecord(low, field.seed, key, length + TAG + PARITY);
    if (facts) return parseRecord(facts, version);
  }
  throw new Unreadable();
}

function openRecord(low: Bytes, salt: Bytes, key: Key, length: number): Bytes | undefined {
  if (low.length < length) return undefined;
  const places = key.stream("record-positions", salt).order(low.length).subarray(0, length);
  const whitening = key.stream("record-whitening", salt).bytes(length);
  const coded = Uint8Array.from(places, (place, at) => low[place]! ^ whitening[at]!);
  const sealed = corrected(coded, PARITY);
  return sealed && openHeader(key.derive("record", salt), sealed);
}

function parseRecord(facts: Bytes, version: number): SecretRecord {
  const view = viewOf(facts);
  const first = version === 1;
  const [told, medium, channels, rule, held] = facts.subarray(0, 5);
  const axes = AXES[medium!] ?? 0;
  const sides = Array.from({ length: first ? 2 : 3 }, (_, at) => view.getUint32(5 + 4 * at, true));
  const at = 5 + 4 * sides.length;
  const [rate, lowest, highest] = first
    ? [0, -1, 1]
    : [4, 8, 12].map((behind) => view.getFloat32(at + behind, true));
  const size = sides.slice(0, axes);
  const points = size.reduce((product, side) => product * side, 1);
  const known = told === version && axes && rule! < 2 && held! < 2;
  if (!known || !(points > 0 && points <= 80_000_000)) throw new Unreadable();
  if (!(lowest! >= -1 && lowest! < highest! && highest! <= 1)) throw new Unreadable();
  return {
    medium: MEDIA[medium!]!,
    channels: channels!,
    rule: rule ? "xavier" : "matched",
    slotsInKeyFile: held === 1,
    size,
    millionths: view.getUint32(at, true),
    rate: rate!,
    lowest: lowest!,
    highest: highest!,
  };
}

/** Return the bytes that records may take: the lowest 8 bits of U of all weights that have as many. */
function lowBytes(field: Field): Bytes {
  const { grain } = field.facts;
  if (!grain) return mantissaBytes(field);
  const parts: number[] = [];
  for (const [name, each] of Object.entries(grain)) {
    if (each === null || each[1] < BYTE_BITS) continue;
    const tensor = field.tensors.get(name);
    if (!tensor || !isGrain(each)) throw new Unreadable();
    const half = 2 ** (each[1] - 1);
    for (const weight of floats(tensor)) {
      parts.push((Math.round(weight * 2 ** -each[0]) + half) & 255);
    }
  }
  return Uint8Array.from(parts);
}

/** Of fields of format 1: the lowest bits of all trained weights, by their names. */
function mantissaBytes(field: Field): Bytes {
  const names = [...field.tensors.keys()].filter((name) => name !== FIXED).sort();
  const parts: number[] = [];
  for (const name of names) {
    const { data } = field.tensors.get(name)!;
    for (let at = 0; at < data.length; at += 4) parts.push(data[at]!);
  }
  return Uint8Array.from(parts);
}
