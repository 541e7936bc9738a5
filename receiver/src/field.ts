/** Field files and the messages in their weights: docs/format.md, "Field file". */

import { ascii, viewOf, type Bytes } from "./bytes";
import { Refused, Unreadable } from "./errors";
import type { Plane } from "./law";

const LARGEST_HEADER = 1 << 16;
const LARGEST_FILE = 2 ** 29;
const WEIGHT_BYTES = 4;
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
  /** The salt of every key used with functions in this field. */
  seed: Bytes;
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
  if (!isRecord(metadata) || !fills([...tensors.values()], body)) throw new Unreadable();
  return { metadata: metadata as Record<string, string>, tensors };
}

function parseTensor(entry: unknown, body: Bytes): Tensor {
  if (!isRecord(entry)) throw new Unreadable();
  const [start, stop] = numbers(entry["data_offsets"]) as [number, number];
  if (!(start >= 0 && start <= stop && stop <= body.length)) throw new Unreadable();
  const shape = numbers(entry["shape"]);
  return { dtype: String(entry["dtype"]), shape, data: body.subarray(start, stop) };
}

/** Tell whether tensors fill a file from its first byte to its last, without sharing any. */
function fills(tensors: Tensor[], body: Bytes): boolean {
  let end = body.byteOffset;
  for (const { data } of tensors.sort((a, b) => a.data.byteOffset - b.data.byteOffset)) {
    if (data.byteOffset !== end) return false;
    end += data.length;
  }
  return end === body.byteOffset + body.length;
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
  if (data.length > LARGEST_FILE) throw new Refused("This field has more than 512 MiB.");
  const { metadata, tensors } = parseTensors(data);
  if (typeof metadata["stegfield"] !== "string") {
    throw new Refused("These weights are of another program; this page reads fields only.");
  }
  const facts = JSON.parse(metadata["stegfield"]) as FieldFacts;
  if (facts.format !== 1 && facts.format !== 2) {
    throw new Refused(`This field is of format ${facts.format}, which this page does not know.`);
  }
  if (![...tensors.values()].every(isOfNumbers)) throw new Unreadable();
  return { facts, seed: unhexed(facts.seed), tensors };
}

function unhexed(text: string): Bytes {
  if (!/^[0-9a-f]{32}$/.test(text)) throw new Unreadable();
  return Uint8Array.from(text.match(/../g)!, (digits) => parseInt(digits, 16));
}

/** Tell whether a tensor has as many float32 numbers as its shape says, all of them finite. */
function isOfNumbers({ dtype, shape, data }: Tensor): boolean {
  const count = shape.reduce((product, length) => product * length, 1);
  if (dtype !== "F32" || data.length !== WEIGHT_BYTES * count) return false;
  const view = viewOf(data);
  for (let at = 0; at < data.length; at += WEIGHT_BYTES) {
    if (!Number.isFinite(view.getFloat32(at, true))) return false;
  }
  return true;
}

/** Return the low bits of a weight that is an integer times 2^exponent. */
export function lowBits(weight: number, [exponent, bits]: Grain): number {
  const integer = weight * 2 ** -exponent;
  if (!Number.isInteger(integer) || Math.abs(integer) >= LARGEST_INTEGER) throw new Unreadable();
  return (integer + 2 ** (bits - 1)) & (2 ** bits - 1);
}

/** Part of a plane: the low bits of a tensor. */
interface Segment {
  start: number;
  end: number;
  grain: Grain;
  view: DataView;
}

/** Return the plane of a field: the low bits of all tensors with a grain, made when asked for. */
export function fieldPlane(field: Field): Plane {
  const segments: Segment[] = [];
  let length = 0;
  for (const [name, grain] of Object.entries(field.facts.grain ?? {})) {
    if (grain === null) continue;
    const tensor = field.tensors.get(name);
    if (!tensor || !isGrain(grain)) throw new Unreadable();
    const start = length;
    length += (grain[1] * tensor.data.length) / WEIGHT_BYTES;
    segments.push({ start, end: length, grain, view: viewOf(tensor.data) });
  }
  return {
    length,
    bits: (start, count) => {
      const found = new Uint8Array(count);
      for (const segment of segments) copyBits(segment, start, found);
      return found;
    },
  };
}

/** Write the bits of a segment into what begins at a bit of the plane, the highest of each first. */
function copyBits({ start, end, grain, view }: Segment, from: number, found: Uint8Array): void {
  const first = Math.max(from, start);
  const last = Math.min(from + found.length, end);
  const bits = grain[1];
  for (let at = first; at < last; ) {
    const weight = Math.floor((at - start) / bits);
    const low = lowBits(view.getFloat32(WEIGHT_BYTES * weight, true), grain);
    for (let bit = (at - start) % bits; bit < bits && at < last; bit++, at++) {
      found[at - from] = (low >> (bits - 1 - bit)) & 1;
    }
  }
}

export function isGrain(value: Grain): boolean {
  const [exponent, bits] = value;
  const whole = Number.isInteger(exponent) && Number.isInteger(bits);
  const fits = exponent >= EXPONENTS[0] && exponent <= EXPONENTS[1];
  return whole && fits && bits >= 1 && bits <= MOST_BITS;
}

export function floats(tensor: Tensor): Float32Array {
  const view = viewOf(tensor.data);
  const count = tensor.data.length / WEIGHT_BYTES;
  return Float32Array.from({ length: count }, (_, at) => view.getFloat32(WEIGHT_BYTES * at, true));
}
