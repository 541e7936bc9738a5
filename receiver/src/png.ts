/**
 * PNG, to its exact samples: all kinds that the standard has, interlaced ones too.
 *
 * A browser's own decoder would apply gamma, colour profiles and transparency. Of 16 bits the high
 * byte is kept, of transparency nothing, as docs/format.md says.
 *
 * Source: ISO/IEC 15948 (PNG).
 */

import { unzlibSync } from "fflate";
import { joined, latin, viewOf, type Bytes } from "./bytes";
import { checkSize, looked, type Raster } from "./raster";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const DEPTHS: Record<number, number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const PALETTE = 3;
/** First column and row, and steps, of the passes of an interlaced picture (Adam7). */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const WHOLE = [[0, 0, 1, 1]] as const;

interface Layout {
  width: number;
  height: number;
  depth: number;
  colour: number;
  channels: number;
  /** Channels without transparency. */
  kept: number;
  passes: readonly (readonly [number, number, number, number])[];
}

export function isPng(data: Bytes): boolean {
  return SIGNATURE.every((byte, at) => data[at] === byte);
}

export function decodePng(data: Bytes): Raster {
  const chunks = [...chunksOf(data)];
  const layout = parseLayout(chunks[0]!);
  const packed = joined(...chunks.filter(({ name }) => name === "IDAT").map(({ body }) => body));
  const raw = inflatedTo(packed, lengthOf(layout));
  const samples = gathered(raw, layout);
  const exif = chunks.find(({ name }) => name === "eXIf")?.body;
  const { width, height, kept } = layout;
  if (layout.colour !== PALETTE) return { width, height, channels: kept, samples, exif };
  const palette = chunks.find(({ name }) => name === "PLTE")!.body;
  return { width, height, channels: 3, samples: looked(samples, palette), exif };
}

interface Chunk {
  name: string;
  body: Bytes;
}

function* chunksOf(data: Bytes): Generator<Chunk> {
  const view = viewOf(data);
  for (let at = SIGNATURE.length; ; ) {
    const length = view.getUint32(at);
    const name = latin(data.subarray(at + 4, at + 8));
    const body = data.subarray(at + 8, at + 8 + length);
    if (view.getUint32(at + 8 + length) !== crc(data.subarray(at + 4, at + 8 + length))) {
      throw new Error("damaged chunk");
    }
    yield { name, body };
    if (name === "IEND") return;
    at += 12 + length;
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let word = byte;
  for (let bit = 0; bit < 8; bit++) word = word & 1 ? 0xedb88320 ^ (word >>> 1) : word >>> 1;
  return word;
});

function crc(data: Bytes): number {
  let word = 0xffffffff;
  for (let at = 0; at < data.length; at++) {
    word = CRC_TABLE[(word ^ data[at]!) & 255]! ^ (word >>> 8);
  }
  return (word ^ 0xffffffff) >>> 0;
}

function parseLayout({ name, body }: Chunk): Layout {
  const view = viewOf(body);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colour, compression, filter, interlace] = body.subarray(8, 13);
  const known = DEPTHS[colour!]?.includes(depth!) && !compression && !filter && interlace! < 2;
  if (name !== "IHDR" || !known) throw new Error("unknown layout");
  checkSize(width, height);
  const channels = CHANNELS[colour!]!;
  const kept = channels < 3 ? 1 : 3;
  const passes = interlace ? PASSES : WHOLE;
  return { width, height, depth: depth!, colour: colour!, channels, kept, passes };
}

function sizeOf(layout: Layout, pass: Layout["passes"][number]): [number, number] {
  const [left, top, across, down] = pass;
  return [
    Math.max(0, Math.ceil((layout.width - left) / across)),
    Math.max(0, Math.ceil((layout.height - top) / down)),
  ];
}

function rowBytes(layout: Layout, columns: number): number {
  return Math.ceil((columns * layout.channels * layout.depth) / 8);
}

/** Return the bytes of all rows, each behind the number of its filter. */
function lengthOf(layout: Layout): number {
  return layout.passes.reduce((sum, pass) => {
    const [columns, rows] = sizeOf(layout, pass);
    return columns ? sum + rows * (1 + rowBytes(layout, columns)) : sum;
  }, 0);
}

function inflatedTo(packed: Bytes, length: number): Bytes {
  const raw = unzlibSync(packed, { out: new Uint8Array(length) });
  if (raw.length !== length) throw new Error("rows are missing");
  return raw;
}

/** Undo the filters in place, and gather samples of 8 bits without transparency. */
function gathered(raw: Bytes, layout: Layout): Uint8Array {
  const { width, height, kept, depth, channels } = layout;
  const samples = new Uint8Array(width * height * kept);
  const pixel = Math.max(1, (channels * depth) >> 3);
  let at = 0;
  for (const pass of layout.passes) {
    const [left, top, across, down] = pass;
    const [columns, rows] = sizeOf(layout, pass);
    if (!columns) continue;
    const bytes = rowBytes(layout, columns);
    let above = new Uint8Array(bytes);
    for (let row = 0; row < rows; row++) {
      const line = raw.subarray(at + 1, at + 1 + bytes);
      unfilter(raw[at]!, line, above, pixel);
      const start = ((top + row * down) * width + left) * kept;
      place(line, samples, { start, step: across * kept, columns }, layout);
      above = line as Uint8Array<ArrayBuffer>;
      at += 1 + bytes;
    }
  }
  return samples;
}

function unfilter(filter: number, line: Bytes, above: Bytes, pixel: number): void {
  const length = line.length;
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let at = pixel; at < length; at++) line[at]! += line[at - pixel]!;
      return;
    case 2:
      for (let at = 0; at < length; at++) line[at]! += above[at]!;
      return;
    case 3:
      for (let at = 0; at < length; at++) {
        line[at]! += ((at < pixel ? 0 : line[at - pixel]!) + above[at]!) >> 1;
      }
      return;
    case 4:
      for (let at = 0; at < Math.min(pixel, length); at++) line[at]! += above[at]!;
      for (let at = pixel; at < length; at++) {
        line[at]! += paeth(line[at - pixel]!, above[at]!, above[at - pixel]!);
      }
      return;
    default:
      throw new Error("unknown filter");
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

interface Row {
  start: number;
  step: number;
  columns: number;
}

/** Put the samples of a row where they belong. */
function place(line: Bytes, samples: Uint8Array, { start, step, columns }: Row, layout: Layout) {
  const { depth, channels, kept, colour } = layout;
  if (depth >= 8) {
    const wide = depth >> 3;
    for (let column = 0; column < columns; column++) {
      for (let channel = 0; channel < kept; channel++) {
        samples[start + column * step + channel] = line[(column * channels + channel) * wide]!;
      }
    }
    return;
  }
  const mask = (1 << depth) - 1;
  const scale = colour === PALETTE ? 1 : 255 / mask;
  for (let column = 0; column < columns; column++) {
    const bit = column * depth;
    const level = (line[bit >> 3]! >> (8 - depth - (bit & 7))) & mask;
    samples[start + column * step] = level * scale;
  }
}
