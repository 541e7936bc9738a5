/** Reveal what a field shows with a key, as a file: a picture as PNG, a sound as WAV. */

import { viewOf, ascii, joined, type Bytes } from "./bytes";
import type { Progress } from "./cost";
import { Refused, Unreadable } from "./errors";
import type { Field } from "./field";
import type { KeySource } from "./keys";
import type { LawMessage } from "./law";
import { networkOf } from "./networks";
import { encodePng } from "./png";
import { MOST_PIXELS } from "./raster";
import { readRecord, type SecretRecord } from "./record";
import { substitute } from "./slots";

const POINTS_AT_ONCE = 1024;
const SAMPLES_PER_UNIT = 256;
const FULL_SCALE = 32768;
const SHOWN = ["image", "sound"];

/**
 * Show the secret of a key.
 *
 * @param scale How many times as large as the secret itself, along each axis.
 */
export function reveal(
  field: Field,
  source: KeySource,
  progress: Progress = () => undefined,
  scale = 1,
): LawMessage {
  const key = source.unlock(field.seed);
  const record = scaledBy(readRecord(field, key), scale);
  const { medium, channels } = field.facts;
  const alike = record.medium === medium && [1, channels].includes(record.channels);
  if (!alike || !SHOWN.includes(medium)) {
    throw new Refused(
      `This field hides ${record.medium === "image" ? "an image" : "something else"} in a way that ` +
        "this page does not show; `stegfield reveal` does.",
    );
  }
  const packed = source.slots ?? new Uint8Array(0);
  if (record.slotsInKeyFile && !packed.length) throw new Unreadable();
  const network = networkOf(field);
  substitute(network.layers, record, key, field.seed, packed);
  const values = rendered(field, network, record, progress);
  return medium === "image" ? asPng(values, record) : asWav(values, record);
}

function scaledBy(record: SecretRecord, scale: number): SecretRecord {
  const size = record.size.map((side) => side * scale);
  if (size.reduce((product, side) => product * side, 1) > MOST_PIXELS) {
    throw new Refused("This would have more than 80 million points, too many for this page.");
  }
  return { ...record, size, rate: record.rate * scale };
}

/** Ask a field at all points; one channel of a secret is the mean of the field's channels. */
function rendered(
  field: Field,
  network: ReturnType<typeof networkOf>,
  record: SecretRecord,
  progress: Progress,
): Float32Array {
  const { channels } = field.facts;
  const count = record.size.reduce((product, side) => product * side, 1);
  const kept = record.channels;
  const values = new Float32Array(count * kept);
  const within = extent(field);
  for (let start = 0; start < count; start += POINTS_AT_ONCE) {
    const stop = Math.min(start + POINTS_AT_ONCE, count);
    const shown = network.at(coordinates(record.size, within, start, stop));
    for (let point = start; point < stop; point++) {
      const found = shown.subarray((point - start) * channels, (point - start + 1) * channels);
      if (kept === channels) values.set(found, point * kept);
      else values[point] = found.reduce((sum, value) => sum + value, 0) / channels;
    }
    progress(stop / count);
  }
  return values;
}

/** Return half the length of each axis of the box that a field covers. */
function extent({ facts }: Field): number[] {
  if (facts.medium === "sound") return [facts.size[0]! / SAMPLES_PER_UNIT];
  const longest = Math.max(...facts.size);
  return facts.size.map((side) => side / longest);
}

/** Return the centres of some points of a grid, the last axis running fastest. */
function coordinates(size: number[], within: number[], start: number, stop: number): Float32Array {
  const axes = size.length;
  const found = new Float32Array((stop - start) * axes);
  for (let point = start; point < stop; point++) {
    let index = point;
    for (let axis = axes - 1; axis >= 0; axis--) {
      const side = size[axis]!;
      const place = index % side;
      found[(point - start) * axes + axis] = (2 * place + 1 - side) * (within[axis]! / side);
      index = Math.floor(index / side);
    }
  }
  return found;
}

function asPng(values: Float32Array, record: SecretRecord): LawMessage {
  const samples = Uint8Array.from(values, (value) =>
    Math.round((Math.min(Math.max(value, -1), 1) + 1) * 127.5),
  );
  const [height, width] = record.size as [number, number];
  const data = encodePng({ width, height, channels: record.channels, samples });
  return { data, suffix: ".png", shown: true };
}

function asWav(values: Float32Array, record: SecretRecord): LawMessage {
  const { channels, lowest, highest } = record;
  const middle = (lowest + highest) / 2;
  const half = (highest - lowest) / 2;
  const levels = Int16Array.from(values, (value) => {
    const level = Math.round((middle + half * Math.min(Math.max(value, -1), 1)) * FULL_SCALE);
    return Math.min(Math.max(level, -FULL_SCALE), FULL_SCALE - 1);
  });
  const body = new Uint8Array(levels.buffer);
  const header = wavHeader(channels, Math.round(record.rate), body.length);
  return { data: joined(header, body), suffix: ".wav", shown: true };
}

function wavHeader(channels: number, rate: number, length: number): Bytes {
  const header = joined(ascii("RIFF    WAVEfmt "), new Uint8Array(20), ascii("data    "));
  const view = viewOf(header);
  view.setUint32(4, 36 + length, true);
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * channels * rate, true);
  view.setUint16(32, 2 * channels, true);
  view.setUint16(34, 16, true);
  view.setUint32(40, length, true);
  return header;
}
