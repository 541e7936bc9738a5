/** Slots: the weights that a key takes over, and its values: docs/format.md, "Keys". */

import { unpacked, viewOf, type Bytes } from "./bytes";
import { Unreadable } from "./errors";
import type { Key, KeyStream } from "./keys";
import type { Layer } from "./networks";
import type { SecretRecord } from "./record";

/** Put a key's values into its slots of the layers. */
export function substitute(
  layers: Layer[],
  record: SecretRecord,
  key: Key,
  salt: Bytes,
  packed: Bytes,
): void {
  const counts = layers.map(({ weight }) => weight.length);
  const positions = record.slotsInKeyFile
    ? unpackPositions(packed, counts)
    : drawnPositions(counts, record.millionths, key.stream("slot-positions", salt));
  const values = key.stream("slot-values", salt);
  layers.forEach((layer, at) => {
    const chosen = positions[at]!;
    const drawn = drawnValues(values, chosen.length, layer, record.rule);
    chosen.forEach((place, slot) => (layer.weight[place] = drawn[slot]!));
  });
}

export function drawnPositions(
  counts: number[],
  millionths: number,
  stream: KeyStream,
): Uint32Array[] {
  return counts.map((count) => {
    const slots = Math.max(1, Math.floor((count * millionths) / 1_000_000));
    return stream.order(count).slice(0, slots).sort();
  });
}

export function drawnValues(
  stream: KeyStream,
  count: number,
  layer: Pick<Layer, "bound" | "inputs" | "outputs">,
  rule: SecretRecord["rule"],
): Float32Array {
  if (rule === "matched") {
    return Float32Array.from(stream.u32(count), (draw) => ((draw + 0.5) / 2 ** 31 - 1) * layer.bound);
  }
  const draws = stream.u16(12 * count);
  const deviation = Math.sqrt(2 / (layer.inputs + layer.outputs));
  return Float32Array.from({ length: count }, (_, at) => {
    const sum = draws.subarray(12 * at, 12 * at + 12).reduce((total, draw) => total + draw, 0);
    return ((sum + 6) / 2 ** 16 - 6) * deviation;
  });
}

/** Unpack the positions of a key file: Rice codes of the gaps, a layer at a time. */
export function unpackPositions(packed: Bytes, counts: number[]): Uint32Array[] {
  const view = viewOf(packed);
  let at = 0;
  const chosen = counts.map((count) => {
    if (at + 5 > packed.length) throw new Unreadable();
    const [slots, parameter] = [view.getUint32(at, true), packed[at + 4]!];
    if (!slots || slots > count || parameter > 24) throw new Unreadable();
    at += 5;
    const low = unpacked(packed, 8 * at, slots * parameter);
    at += Math.ceil((slots * parameter) / 8);
    const unary = unaryNumbers(packed, at, slots);
    at = unary.end;
    const positions = new Uint32Array(slots);
    let place = -1;
    unary.numbers.forEach((quotient, slot) => {
      let gap = quotient << parameter;
      for (let bit = 0; bit < parameter; bit++) gap += low[slot * parameter + bit]! << bit;
      place += gap + 1;
      positions[slot] = place;
    });
    if (!(place < count)) throw new Unreadable();
    return positions;
  });
  if (at !== packed.length) throw new Unreadable();
  return chosen;
}

/** Read numbers of zeros, each before a one; they end with a whole byte. */
function unaryNumbers(packed: Bytes, start: number, count: number) {
  const numbers: number[] = [];
  let zeros = 0;
  let bit = 8 * start;
  for (; numbers.length < count; bit++) {
    if (bit >> 3 >= packed.length) throw new Unreadable();
    if ((packed[bit >> 3]! >> (7 - (bit & 7))) & 1) {
      numbers.push(zeros);
      zeros = 0;
    } else zeros++;
  }
  return { numbers, end: Math.ceil(bit / 8) };
}
