/** EXIF orientation: how a picture is shown, other than it is stored. */

import { viewOf, type Bytes } from "./bytes";
import type { Raster } from "./raster";

export const UPRIGHT = 1;
const ORIENTATION = 0x0112;
const ENTRY = 12;

/** Return the orientation that EXIF data tells, 1 to 8. */
export function orientationOf(exif: Bytes | undefined): number {
  if (!exif) return UPRIGHT;
  const view = viewOf(exif);
  const little = view.getUint16(0) === 0x4949;
  const start = view.getUint32(4, little);
  const entries = view.getUint16(start, little);
  for (let at = start + 2; at < start + 2 + ENTRY * entries; at += ENTRY) {
    if (view.getUint16(at, little) !== ORIENTATION) continue;
    const told = view.getUint16(at + 8, little);
    return told >= 1 && told <= 8 ? told : UPRIGHT;
  }
  return UPRIGHT;
}

/** Return a picture as it is shown. */
export function turned(raster: Raster, orientation: number): Raster {
  const { width, height, channels, samples } = raster;
  const sideways = orientation > 4;
  const [rows, columns] = sideways ? [width, height] : [height, width];
  const result = new Uint8Array(samples.length);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [y, x] = storedAt(row, column, height - 1, width - 1, orientation);
      const start = (y * width + x) * channels;
      for (let channel = 0; channel < channels; channel++) result[at++] = samples[start + channel]!;
    }
  }
  return { ...raster, width: columns, height: rows, samples: result };
}

/** Return the stored row and column of a pixel that is shown. */
function storedAt(
  row: number,
  column: number,
  bottom: number,
  right: number,
  orientation: number,
): [number, number] {
  switch (orientation) {
    case 2:
      return [row, right - column];
    case 3:
      return [bottom - row, right - column];
    case 4:
      return [bottom - row, column];
    case 5:
      return [column, row];
    case 6:
      return [bottom - column, row];
    case 7:
      return [bottom - column, right - row];
    case 8:
      return [column, right - row];
    default:
      return [row, column];
  }
}
