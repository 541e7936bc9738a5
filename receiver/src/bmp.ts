/** BMP without compression, as stegfield and most programs write it: 8, 24 and 32 bits a pixel. */

import { viewOf, type Bytes } from "./bytes";
import { Refused } from "./errors";
import { checkSize, looked, type Raster } from "./raster";

const PLAIN_DEPTHS = [1, 4, 8, 24, 32];

export function isBmp(data: Bytes): boolean {
  return data[0] === 0x42 && data[1] === 0x4d;
}

export function decodeBmp(data: Bytes): Raster {
  const view = viewOf(data);
  const [offset, header] = [view.getUint32(10, true), view.getUint32(14, true)];
  if (header < 40) throw new Refused("This BMP file is of a kind that this page does not read.");
  const [width, signed] = [view.getInt32(18, true), view.getInt32(22, true)];
  const [depth, compression] = [view.getUint16(28, true), view.getUint32(30, true)];
  const height = Math.abs(signed);
  const masked = compression === 3 && depth === 32;
  if (!PLAIN_DEPTHS.includes(depth) || (compression && !masked)) {
    throw new Refused("This BMP file is compressed in a way that this page does not read.");
  }
  checkSize(width, height);
  const stride = 4 * Math.ceil((width * depth) / 32);
  if (offset + stride * height > data.length) throw new Error("rows are missing");
  const rows = Array.from({ length: height }, (_, row) => {
    const at = offset + stride * (signed > 0 ? height - 1 - row : row);
    return data.subarray(at, at + stride);
  });
  if (depth >= 24) return { width, height, channels: 3, samples: coloured(rows, width, depth / 8) };
  const used = view.getUint32(46, true) || 1 << depth;
  const palette = paletteOf(data.subarray(14 + header), Math.min(used, 1 << depth));
  return { width, height, channels: 3, samples: looked(indices(rows, width, depth), palette) };
}

/** Turn blue, green, red into red, green, blue. */
function coloured(rows: Bytes[], width: number, bytes: number): Uint8Array {
  const samples = new Uint8Array(3 * width * rows.length);
  let at = 0;
  for (const row of rows) {
    for (let column = 0; column < width; column++) {
      const pixel = column * bytes;
      samples[at++] = row[pixel + 2]!;
      samples[at++] = row[pixel + 1]!;
      samples[at++] = row[pixel]!;
    }
  }
  return samples;
}

function indices(rows: Bytes[], width: number, depth: number): Uint8Array {
  const found = new Uint8Array(width * rows.length);
  const mask = (1 << depth) - 1;
  rows.forEach((row, y) => {
    for (let column = 0; column < width; column++) {
      const bit = column * depth;
      found[y * width + column] = (row[bit >> 3]! >> (8 - depth - (bit & 7))) & mask;
    }
  });
  return found;
}

function paletteOf(table: Bytes, colours: number): Bytes {
  const palette = new Uint8Array(3 * colours);
  for (let at = 0; at < colours; at++) {
    palette.set([table[4 * at + 2]!, table[4 * at + 1]!, table[4 * at]!], 3 * at);
  }
  return palette;
}
