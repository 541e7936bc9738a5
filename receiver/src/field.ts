/** Field files and the messages in their weights: docs/format.md, "Field file". */

import { ascii, viewOf, type Bits, type Bytes } from "./bytes";
import { Refused, Unreadable } from "./errors";
import type { Plane } from "./law";

const LARGEST_HEADER = 1 << 16;
const MOST_BITS = 16;
const EXPONENTS = [-126, 103] as const;
const LARGEST_INTEGER = 2 ** 24;

export interface Tensor {
  dtype: string;
  shape: number[];
  data: Bytes;
}

/** What a safetensors file holds: its metadata, and tensors by name. */
export interface TensorFile {
  metadata: Record<string, string>;
  tensors: Map<string, Tensor>;
}

export type Grain = readonly [exponent: number, bits: number];

/** What a field's header tells. */
export interface FieldFacts {
  format: number;
  architecture: string;
  sizes: Record<string, number>;
  medium: string;
  size: number[];
  channels: number;
  seed: string;
  grain?: Record<string, Grain | null>;
}

export interface Field {
  facts: FieldFacts;
  tensors: Map<string, Tensor>;
}

export function parseTensors(data: Bytes): TensorFile {
  const length = Number(viewOf(data).getBigUint64(0, true));
  if (length > LARGEST_HEADER || 8 + length > data.length) throw new Unreadable();
  const header: unknown = JSON.parse(new TextDecoder().decode(data.subarray(8, 8 + length)));
  if (!isRecord(header)) throw new Unreadable();
  const { __metadata__: metadata = {}, ...entries } = header;
  const body = data.subarray(8 + length);
  const tensors = new Map(
    Object.entries(entries).map(([name, entry]) => [name, parseTensor(entry, body)]),
  );
  if (!isRecord(metadata)) throw new Unreadable();
  return { metadata: metadata as Record<string, string>, tensors };
}

function parseTensor(entry: unknown, body: Bytes): Tensor {
  if (!isRecord(entry)) throw new Unreadable();
  const [start, stop] = numbers(entry["data_offsets"]) as [number, number];
  if (!(start >= 0 && start <= stop && stop <= body.length)) throw new Unreadable();
  const shape = numbers(entry["shape"]);
  return { dtype: String(entry["dtype"]), shape, data: body.subarray(start, stop) };
}

function numbers(value: unknown): number[] {
  if (!Array.isArray(value) || !value.every((each) => Number.isInteger(each))) {
    throw new Unreadable();
  }
  return value as number[];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tell whether a file begins like safetensors: a length, then JSON. */
export function isTensors(data: Bytes): boolean {
  if (data.length < 10) return false;
  const length = viewOf(data).getBigUint64(0, true);
  return length < BigInt(data.length) && data[8] === ascii("{")[0];
}

export function parseField(data: Bytes): Field {
  const { metadata, tensors } = parseTensors(data);
  if (typeof metadata["stegfield"] !== "string") {
    throw new Refused("These weights are of another program; this page reads fields only.");
  }
  const facts = JSON.parse(metadata["stegfield"]) as FieldFacts;
  if (facts.format !== 1 && facts.format !== 2) {
    throw new Refused(`This field is of format ${facts.format}, which this page does not know.`);
  }
  return { facts, tensors };
}

/** Return the low bits of weights that are integers times 2^exponent. */
export function lowBits(weights: Float32Array, [exponent, bits]: Grain): Uint16Array {
  const half = 2 ** (bits - 1);
  const mask = 2 ** bits - 1;
  return Uint16Array.from(weights, (weight) => {
    const integer = weight * 2 ** -exponent;
    if (!Number.isInteger(integer) || Math.abs(integer) >= LARGEST_INTEGER) throw new Unreadable();
    return (integer + half) & mask;
  });
}

export function floats(tensor: Tensor): Float32Array {
  if (tensor.dtype !== "F32" || tensor.data.length % 4) throw new Unreadable();
  const view = viewOf(tensor.data);
  const count = tensor.data.length / 4;
  return Float32Array.from({ length: count }, (_, at) => view.getFloat32(4 * at, true));
}

/** Return the plane of a field: the low bits of all tensors with a grain. */
export function fieldPlane(field: Field): Plane {
  const pieces: Bits[] = [];
  for (const [name, grain] of Object.entries(field.facts.grain ?? {})) {
    if (grain === null) continue;
    const tensor = field.tensors.get(name);
    if (!tensor || !isGrain(grain)) throw new Unreadable();
    pieces.push(spread(lowBits(floats(tensor), grain), grain[1]));
  }
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let start = 0;
  for (const piece of pieces) {
    whole.set(piece, start);
    start += piece.length;
  }
  return { length: whole.length, bits: (at, count) => whole.subarray(at, at + count) };
}

function isGrain(value: Grain): boolean {
  const [exponent, bits] = value;
  const whole = Number.isInteger(exponent) && Number.isInteger(bits);
  const fits = exponent >= EXPONENTS[0] && exponent <= EXPONENTS[1];
  return whole && fits && bits >= 1 && bits <= MOST_BITS;
}

/** Return the bits of integers, the highest of each first. */
function spread(integers: Uint16Array, bits: number): Bits {
  const found = new Uint8Array(bits * integers.length);
  integers.forEach((integer, at) => {
    for (let bit = 0; bit < bits; bit++) found[at * bits + bit] = (integer >> (bits - 1 - bit)) & 1;
  });
  return found;
}

/** Name a field for a person. */
export function described({ facts }: Field): string {
  return `${facts.architecture} field of ${facts.medium}, ${facts.size.join(" x ")}`;
}

