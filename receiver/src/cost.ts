/**
 * Messages in given covers, profile `exact`: docs/format.md, "Messages in given covers".
 *
 * One of a key's 1,024 networks reads the header from a few samples; a sine network, which the
 * header names, reads the body from all others.
 */

import { packed, parity, scaled, viewOf, type Bits, type Bytes, type Levels } from "./bytes";
import { Unreadable } from "./errors";
import { COVER_SALT, type Key } from "./keys";
import { LARGEST_MESSAGE, openBody, openHeader, TAG } from "./sealing";

export const NETWORKS = 1024;
export const FEWEST_SAMPLES = 752;
const HEADER_BITS = 376;
const MASKS = 8;
const HEADER_HEIGHT = 10;
const MOST_IN_GROUP = 32;
const POOL = 1 << 18;
const SEGMENT = 1 << 16;
const VERSION = 2;
/** Segments that are sorted at a time, and what stands where a segment has no sample. */
const BLOCK = 64;
const ABSENT = 255;

export interface Header {
  /** As it was sealed: 31 bytes. */
  facts: Bytes;
  network: number;
  deflated: boolean;
  length: number;
  planes: [number, number];
  height: number;
  salt: Bytes;
}

/** Tell how far a long reading is, from 0 to 1. */
export type Progress = (share: number) => void;

/** Read the message of a key from levels. */
export function readCost(levels: Levels, key: Key, progress: Progress = () => undefined): Bytes {
  if (levels.length < FEWEST_SAMPLES) throw new Unreadable();
  const networks = new HeaderNetworks(key, levels.length);
  const header = firstHeader(networks.readAll(levels), key);
  const sealed = readBody(levels, header, key, networks.places(header.network), progress);
  const subkey = key.derive("message", header.salt);
  return openBody(subkey, sealed, header.deflated, header.facts);
}

/** Count the segments of at most `longest`: the least number that shares no factor with n. */
export function segmentCount(samples: number, longest: number): number {
  let count = Math.ceil(samples / longest);
  while (commonFactor(count, samples) > 1) count++;
  return count;
}

function commonFactor(a: number, b: number): number {
  return b ? commonFactor(b, a % b) : a;
}

/** The networks of a key that read headers. */
export class HeaderNetworks {
  readonly segment: number;
  /** Samples that make a group. */
  readonly group: number;
  readonly count: number;
  readonly starts: number[];
  /** The pool in its order: group after group. */
  readonly order: Uint32Array;
  /** For each network, for each further bit of a column, a word for each group. */
  readonly masks: Uint32Array;

  constructor(key: Key, samples: number) {
    const stream = key.stream("header-pool", COVER_SALT);
    const segments = segmentCount(samples, POOL);
    this.segment = Number(stream.u64(1)[0]! % BigInt(segments));
    const pool = members(this.segment, segments, samples);
    this.order = stream.coarseOrder(pool);
    const fitting = Math.floor(Math.floor(samples / 16) / HEADER_BITS);
    this.group = Math.min(Math.max(fitting, 1), MOST_IN_GROUP);
    this.count = Math.floor(pool.length / this.group);
    const starts = key.stream("header-starts", COVER_SALT).u64(NETWORKS);
    this.starts = Array.from(starts, (start) => Number(start % BigInt(this.count)));
    this.masks = key.stream("header-masks", COVER_SALT).u32(NETWORKS * MASKS * HEADER_BITS);
  }

  /** Return the samples that a network reads. */
  places(network: number): Uint32Array {
    const taken = new Uint32Array(HEADER_BITS * this.group);
    for (let bit = 0; bit < HEADER_BITS; bit++) {
      const group = (this.starts[network]! + bit) % this.count;
      const found = this.order.subarray(group * this.group, (group + 1) * this.group);
      taken.set(found, bit * this.group);
    }
    return taken;
  }

  /** Read a sealed header with each network in turn. */
  *readAll(levels: Levels): Generator<Bytes> {
    const words = this.words(levels);
    for (let network = 0; network < NETWORKS; network++) yield this.read(words, network);
  }

  /** Return the lowest bits of each group, the first sample's in the lowest bit. */
  private words(levels: Levels): Uint32Array {
    const words = new Uint32Array(this.count);
    for (let group = 0; group < this.count; group++) {
      let word = 0;
      for (let place = 0; place < this.group; place++) {
        word |= (levels[this.order[group * this.group + place]!]! & 1) << place;
      }
      words[group] = word;
    }
    return words;
  }

  private read(words: Uint32Array, network: number): Bytes {
    const bits = new Uint8Array(HEADER_BITS + HEADER_HEIGHT);
    for (let bit = 0; bit < HEADER_BITS; bit++) {
      const word = words[(this.starts[network]! + bit) % this.count]!;
      const whole = parity(word);
      bits[bit]! ^= whole;
      bits[bit + HEADER_HEIGHT - 1]! ^= whole;
      for (let further = 0; further < MASKS; further++) {
        const mask = this.masks[(network * MASKS + further) * HEADER_BITS + bit]!;
        bits[bit + 1 + further]! ^= parity(word & mask);
      }
    }
    return packed(bits, HEADER_BITS / 8);
  }
}

function members(segment: number, segments: number, samples: number): Uint32Array {
  const found = new Uint32Array(Math.ceil((samples - segment) / segments));
  for (let at = 0; at < found.length; at++) found[at] = segment + at * segments;
  return found;
}

/** Open the first header of several that are read. */
export function firstHeader(found: Iterable<Bytes>, key: Key): Header {
  const subkey = key.derive("header", COVER_SALT);
  let network = 0;
  for (const sealed of found) {
    const facts = openHeader(subkey, sealed);
    if (facts) return parseHeader(facts, network);
    network++;
  }
  throw new Unreadable();
}

function parseHeader(facts: Bytes, network: number): Header {
  const view = viewOf(facts);
  const deflated = facts[1]!;
  const length = view.getUint32(2, true);
  if (facts[0] !== VERSION || deflated > 1) throw new Unreadable();
  if (length < TAG || length > LARGEST_MESSAGE + TAG) throw new Unreadable();
  return {
    facts,
    network,
    deflated: deflated === 1,
    length,
    planes: [view.getUint32(6, true), view.getUint32(10, true)],
    height: facts[14]!,
    salt: facts.slice(15, 31),
  };
}

/** Read the bytes of a body. */
export function readBody(
  levels: Levels,
  header: Header,
  key: Key,
  taken: Uint32Array,
  progress: Progress = () => undefined,
): Bytes {
  const left = levels.length - taken.length;
  const [lower, upper] = header.planes;
  const fits = lower <= left && upper <= left && 8 * header.length <= lower + upper;
  if (!fits || header.height < 6 || header.height > 14) throw new Unreadable();
  const sink = new BitSink(header.length);
  const segments = segmentCount(levels.length, SEGMENT);
  const bySegment = lowBits(levels, segments, taken);
  header.planes.forEach((bits, plane) => {
    let before = 0;
    for (let segment = 0; segment < segments && !sink.full && bits; segment++) {
      const free = bySegment(segment);
      const after = before + free.length;
      const share = scaled(after, bits, left) - scaled(before, bits, left);
      before = after;
      const ordered = key.stream(`order/${segment}`, header.salt).coarseOrder(free);
      const columns = key.stream(`sine/body/${segment}/${plane}`, header.salt).u16(free.length);
      readSegment(ordered, columns, { plane, share, height: header.height }, sink);
      progress((plane + (segment + 1) / segments) / (upper ? 2 : 1));
    }
  });
  return sink.data;
}

/**
 * Return what gives the two lowest bits of a segment's samples, without those that are taken.
 *
 * The samples of all segments are sorted at once, a block of segments at a time: one by one, each
 * sample would be another miss of the cache.
 */
function lowBits(
  levels: Levels,
  segments: number,
  taken: Uint32Array,
): (segment: number) => Uint8Array {
  const longest = Math.ceil(levels.length / segments);
  const sorted = new Uint8Array(segments * longest).fill(ABSENT);
  for (let first = 0; first < segments; first += BLOCK) {
    const stop = Math.min(first + BLOCK, segments);
    for (let place = 0; place < longest; place++) {
      const end = Math.min(stop, levels.length - place * segments);
      for (let segment = first; segment < end; segment++) {
        sorted[segment * longest + place] = levels[place * segments + segment]! & 3;
      }
    }
  }
  for (const sample of taken) {
    sorted[(sample % segments) * longest + Math.floor(sample / segments)] = ABSENT;
  }
  return (segment) => present(sorted.subarray(segment * longest, (segment + 1) * longest));
}

function present(all: Uint8Array): Uint8Array {
  const found = new Uint8Array(all.length);
  let count = 0;
  for (let at = 0; at < all.length; at++) {
    found[count] = all[at]!;
    if (all[at] !== ABSENT) count++;
  }
  return found.subarray(0, count);
}

/** Read a segment's share of a plane's bits with a sine network. */
function readSegment(
  ordered: Uint8Array,
  columns: Uint16Array,
  network: { plane: number; share: number; height: number },
  sink: BitSink,
): void {
  const { plane, share, height } = network;
  if (!share) return;
  const always = 1 | (1 << (height - 1));
  const mask = (1 << height) - 1;
  const count = ordered.length;
  let window = 0; // the sums of the next bits, the next one lowest
  let at = 0;
  let due = 0; // place * share - at * count: sample i begins in bit floor(i share / count)
  for (let place = 0; place < count; place++) {
    for (; due >= count; due -= count, at++) {
      sink.push(window & 1);
      window >>= 1;
    }
    const weights = (columns[place]! | always) & mask;
    window ^= weights & -((ordered[place]! >> plane) & 1);
    due += share;
  }
  for (; at < share; at++) {
    sink.push(window & 1);
    window >>= 1;
  }
}

/** Takes bits until a number of bytes is full; what comes after them is random and dropped. */
class BitSink {
  readonly data: Bytes;
  private at = 0;

  constructor(length: number) {
    this.data = new Uint8Array(length);
  }

  get full(): boolean {
    return this.at >= 8 * this.data.length;
  }

  push(bit: Bits[number]): void {
    if (!this.full) this.data[this.at >> 3]! |= bit << (7 - (this.at & 7));
    this.at++;
  }
}
