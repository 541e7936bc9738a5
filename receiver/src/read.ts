/** Read a message from a file of any kind: choose a decoder, then try each format. */

import { decodeBmp, isBmp } from "./bmp";
import { latin, type Bytes, type Levels } from "./bytes";
import { readCost, type Progress } from "./cost";
import { readDrawn } from "./drawn";
import { distrusting, Refused, Unreadable } from "./errors";
import { fieldPlane, isTensors, parseField } from "./field";
import { decodeJpeg, firstModes, isJpeg, MODES, QUIET_MODES } from "./jpeg";
import { COVER_SALT, type KeySource } from "./keys";
import { readLaw, type LawMessage } from "./law";
import { orientationOf, turned, UPRIGHT } from "./orientation";
import { decodePng, isPng } from "./png";
import { reduced, type Raster } from "./raster";
import { decodeWav, isWav } from "./wav";

export const LARGEST_FILE = 2 ** 30;

/** Look for a message in a file. */
export function read(data: Bytes, key: KeySource, progress?: Progress): LawMessage {
  if (data.length > LARGEST_FILE) throw new Refused("This file has more than 1 GiB.");
  if (isTensors(data)) return distrusting(() => readLaw(fieldPlane(parseField(data)), key));
  if (isWav(data)) return fromLevels(distrusting(() => decodeWav(data).levels), key, progress);
  if (isJpeg(data)) return fromJpeg(data, key, progress);
  const decode = rasterOf(data);
  if (decode) return fromRaster(reduced(distrusting(decode)), key, progress);
  throw new Refused(`This page does not read ${kindOf(data)}.`);
}

/** Return what decodes a picture, if the file is one. */
function rasterOf(data: Bytes): (() => Raster) | undefined {
  if (isPng(data)) return () => decodePng(data);
  if (isBmp(data)) return () => decodeBmp(data);
  return undefined;
}

/** Look for a message in a picture as it is stored, then as an EXIF tag says that it is shown. */
function fromRaster(raster: Raster, key: KeySource, progress?: Progress): LawMessage {
  try {
    return fromLevels(raster.samples, key, progress);
  } catch (error) {
    const orientation = distrusting(() => orientationOf(raster.exif));
    if (!(error instanceof Unreadable) || orientation === UPRIGHT) throw error;
    return fromLevels(turned(raster, orientation).samples, key, progress);
  }
}

/** Look for a message in the coefficients of a JPEG: in the quiet modes, then in all. */
function fromJpeg(data: Bytes, source: KeySource, progress?: Progress): LawMessage {
  const luma = distrusting(() => decodeJpeg(data));
  const key = source.unlock(COVER_SALT);
  try {
    return { data: readCost(firstModes(luma, QUIET_MODES), key, progress), suffix: "" };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { data: readCost(firstModes(luma, MODES), key, progress), suffix: "" };
  }
}

/** Look for a message that was embedded in a given cover, then for one in a cover with grain. */
function fromLevels(levels: Levels, key: KeySource, progress?: Progress): LawMessage {
  try {
    return { data: readCost(levels, key.unlock(COVER_SALT), progress), suffix: "" };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return readDrawn(levels, key);
  }
}

/** Name the kind of a file that is not read, as far as its first bytes tell. */
function kindOf(data: Bytes): string {
  const start = latin(data.subarray(0, 12));
  if (start.startsWith("RIFF") && start.endsWith("WEBP")) return "WebP files; if this one is lossless, convert it to PNG";
  if (start.startsWith("II*\0") || start.startsWith("MM\0*")) return "TIFF files; convert this one to PNG";
  if (start.startsWith("GIF8")) return "GIF files";
  if (start.startsWith("fLaC")) return "FLAC files; convert this one to WAV with 16 bits";
  if (start.startsWith("\x89HDF") || start.startsWith("CDF")) return "climate files";
  if (start.startsWith("stegfield-key-1")) return "key files here; choose it below as your key";
  if (/^....ftyp/s.test(start)) return "HEIC and AVIF files";
  return "files of this kind";
}
