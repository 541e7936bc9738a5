/** WAV with 16-bit integers of one or two channels. */

import { latin, viewOf, type Bytes } from "./bytes";
import { Refused } from "./errors";

const PCM = 1;
const EXTENSIBLE = 0xfffe;

export function isWav(data: Bytes): boolean {
  return latin(data.subarray(0, 4)) === "RIFF" && latin(data.subarray(8, 12)) === "WAVE";
}

export interface Sound {
  channels: number;
  /** By time, at each time channel by channel. */
  levels: Int16Array;
}

export function decodeWav(data: Bytes): Sound {
  const view = viewOf(data);
  let channels = 0;
  for (let at = 12; at + 8 <= data.length; ) {
    const name = latin(data.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    if (name === "fmt ") channels = channelsOf(view, at + 8, length);
    if (name === "data") return { channels, levels: levelsOf(data, at + 8, length, channels) };
    at += 8 + length + (length & 1);
  }
  throw new Error("no samples");
}

function channelsOf(view: DataView, at: number, length: number): number {
  const told = view.getUint16(at, true);
  const coding = told === EXTENSIBLE && length >= 26 ? view.getUint16(at + 24, true) : told;
  const [channels, bits] = [view.getUint16(at + 2, true), view.getUint16(at + 14, true)];
  if (coding !== PCM || bits !== 16 || channels < 1 || channels > 2) {
    throw new Refused("This page reads sounds of 16 bits and of one or two channels only.");
  }
  return channels;
}

function levelsOf(data: Bytes, start: number, length: number, channels: number): Int16Array {
  if (!channels) throw new Error("no format");
  const held = Math.min(length, data.length - start);
  const count = Math.floor(held / (2 * channels)) * channels;
  const view = viewOf(data);
  const levels = new Int16Array(count);
  for (let at = 0; at < count; at++) levels[at] = view.getInt16(start + 2 * at, true);
  return levels;
}
