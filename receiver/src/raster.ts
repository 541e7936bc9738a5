/** Pictures as they are stored: 8-bit samples, without transparency. */

import type { Bytes } from "./bytes";
import { Refused } from "./errors";

export const MOST_PIXELS = 80_000_000;

export interface Raster {
  width: number;
  height: number;
  /** 1 or 3; a picture of three equal channels has one. */
  channels: number;
  /** Row by row, in each pixel channel by channel. */
  samples: Uint8Array;
  /** The EXIF data, if there is any. */
  exif?: Bytes | undefined;
}

export function checkSize(width: number, height: number): void {
  if (!(width > 0 && height > 0)) throw new Error("no pixels");
  if (width * height > MOST_PIXELS) {
    throw new Refused("This picture has more than 80 million pixels, too many for this page.");
  }
}

/** Keep a single channel where all three are equal. */
export function reduced(raster: Raster): Raster {
  const { samples, channels } = raster;
  if (channels !== 3) return raster;
  for (let at = 0; at < samples.length; at += 3) {
    if (samples[at] !== samples[at + 1] || samples[at] !== samples[at + 2]) return raster;
  }
  const grey = new Uint8Array(samples.length / 3);
  for (let at = 0; at < grey.length; at++) grey[at] = samples[3 * at]!;
  return { ...raster, channels: 1, samples: grey };
}

/** Return samples of colours from a table of red, green and blue. */
export function looked(indices: Uint8Array, palette: Bytes): Uint8Array {
  const samples = new Uint8Array(3 * indices.length);
  indices.forEach((index, at) => {
    for (let channel = 0; channel < 3; channel++) {
      samples[3 * at + channel] = palette[3 * index + channel] ?? 0;
    }
  });
  return samples;
}
