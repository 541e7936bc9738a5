/**
 * JPEG, to the quantised coefficients of luma: baseline and extended sequential, Huffman codes.
 *
 * Pictures are not decoded: messages lie in the coefficients themselves.
 *
 * Source: ITU-T T.81.
 */

import { viewOf, type Bytes } from "./bytes";
import { Refused } from "./errors";
import { checkSize } from "./raster";

/** Coefficients of a block without the mean (DC). */
export const MODES = 63;
/** Modes of a quiet message: the first in zigzag order. */
export const QUIET_MODES = 28;
const SIDE = 8;
const PROGRESSIVE = 0xc2;
const SOFS = [0xc0, 0xc1];
const OTHER_SOFS = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];
const [DHT, SOI, EOI, SOS, DRI] = [0xc4, 0xd8, 0xd9, 0xda, 0xdd];
const LOOKED = 16;

interface Component {
  id: number;
  across: number;
  down: number;
  /** Blocks that show some of the picture. */
  rows: number;
  columns: number;
}

interface Frame {
  /** Whole units (MCUs) of scans with several components. */
  unitRows: number;
  unitColumns: number;
  components: Component[];
}

/** By 16 bits of code: the length of the code that they begin with, times 256, plus its symbol. */
type Codes = Uint16Array;

interface Coded {
  component: Component;
  mean: Codes;
  others: Codes;
}

export function isJpeg(data: Bytes): boolean {
  return data[0] === 0xff && data[1] === SOI && data[2] === 0xff;
}

/** Return luma's coefficients without the means, block by block, in zigzag order. */
export function decodeJpeg(data: Bytes): Int16Array {
  return new Decoder(data).luma();
}

/** Return the first modes of each block. */
export function firstModes(luma: Int16Array, modes: number): Int16Array {
  const blocks = luma.length / MODES;
  const found = new Int16Array(blocks * modes);
  for (let block = 0; block < blocks; block++) {
    const start = block * MODES;
    found.set(luma.subarray(start, start + modes), block * modes);
  }
  return found;
}

class Decoder {
  private readonly view: DataView;
  private readonly codes = new Map<number, Codes>();
  private frame: Frame | undefined;
  private restart = 0;

  constructor(private readonly data: Bytes) {
    this.view = viewOf(data);
  }

  luma(): Int16Array {
    let at = 2;
    for (;;) {
      if (this.data[at] !== 0xff) throw new Error("no marker");
      const marker = this.data[at + 1]!;
      if (marker === 0xff) {
        at++;
        continue;
      }
      if (marker === EOI) throw new Error("no luma");
      const length = this.view.getUint16(at + 2);
      const body = this.data.subarray(at + 4, at + 2 + length);
      if (marker === SOS) {
        const coded = this.scan(body);
        const found = coded.some(({ component }) => component === this.frame!.components[0]);
        if (found) return this.decode(coded, at + 2 + length);
        at = this.behind(at + 2 + length);
        continue;
      }
      this.heed(marker, body);
      at += 2 + length;
    }
  }

  private heed(marker: number, body: Bytes): void {
    if (marker === PROGRESSIVE || OTHER_SOFS.includes(marker)) {
      throw new Refused("This JPEG is progressive or of a rare kind, and carries no message.");
    }
    if (SOFS.includes(marker)) this.frame = parseFrame(body);
    if (marker === DHT) this.addCodes(body);
    if (marker === DRI) this.restart = viewOf(body).getUint16(0);
  }

  private addCodes(body: Bytes): void {
    for (let at = 0; at < body.length; ) {
      const lengths = body.subarray(at + 1, at + 1 + LOOKED);
      const count = lengths.reduce((sum, each) => sum + each, 0);
      const symbols = body.subarray(at + 1 + LOOKED, at + 1 + LOOKED + count);
      this.codes.set(body[at]!, lookup(lengths, symbols));
      at += 1 + LOOKED + count;
    }
  }

  private scan(body: Bytes): Coded[] {
    return Array.from({ length: body[0]! }, (_, at) => {
      const [id, tables] = [body[1 + 2 * at]!, body[2 + 2 * at]!];
      const component = this.frame!.components.find((each) => each.id === id)!;
      const mean = this.codes.get(tables >> 4)!;
      return { component, mean, others: this.codes.get(0x10 | (tables & 15))! };
    });
  }

  /** Return the next marker that is none of a scan's own. */
  private behind(at: number): number {
    for (; at + 1 < this.data.length; at++) {
      const next = this.data[at + 1]!;
      if (this.data[at] === 0xff && next && (next < 0xd0 || next > 0xd7)) return at;
    }
    throw new Error("cut off");
  }

  private decode(coded: Coded[], at: number): Int16Array {
    const frame = this.frame!;
    const first = frame.components[0]!;
    const luma = new Int16Array(first.rows * first.columns * MODES);
    const alone = coded.length === 1;
    const [rows, columns] = alone
      ? [first.rows, first.columns]
      : [frame.unitRows, frame.unitColumns];
    const bits = new BitReader(this.data, at);
    for (let unit = 0; unit < rows * columns; unit++) {
      if (this.restart && unit && unit % this.restart === 0) bits.restart();
      const [row, column] = [Math.floor(unit / columns), unit % columns];
      for (const each of coded) {
        const [down, across] = alone ? [1, 1] : [each.component.down, each.component.across];
        for (let part = 0; part < down * across; part++) {
          const place = {
            row: row * down + Math.floor(part / across),
            column: column * across + (part % across),
          };
          decodeBlock(bits, each, each.component === first ? startOf(place, first) : -1, luma);
        }
      }
    }
    return luma;
  }
}

/** Return where a block's coefficients begin; -1 for blocks beyond the picture. */
function startOf(place: { row: number; column: number }, first: Component): number {
  const { row, column } = place;
  if (row >= first.rows || column >= first.columns) return -1;
  return (row * first.columns + column) * MODES;
}

function decodeBlock(bits: BitReader, coded: Coded, start: number, luma: Int16Array): void {
  bits.skip(bits.symbol(coded.mean));
  for (let mode = 0; mode < MODES; mode++) {
    const symbol = bits.symbol(coded.others);
    const size = symbol & 15;
    if (!size && symbol !== 0xf0) return; // the rest is zero
    mode += symbol >> 4;
    if (!size) continue;
    if (mode >= MODES) throw new Error("too many coefficients");
    const value = bits.signed(size);
    if (start >= 0) luma[start + mode] = value;
  }
}

function parseFrame(body: Bytes): Frame {
  const view = viewOf(body);
  const [height, width] = [view.getUint16(1), view.getUint16(3)];
  if (body[0] !== 8) throw new Refused("This JPEG has more than 8 bits a sample.");
  checkSize(width, height);
  const plain = Array.from({ length: body[5]! }, (_, at) => {
    const [id, sampling] = [body[6 + 3 * at]!, body[7 + 3 * at]!];
    return { id, across: sampling >> 4, down: sampling & 15 };
  });
  const across = Math.max(...plain.map((each) => each.across));
  const down = Math.max(...plain.map((each) => each.down));
  if (!plain.every((each) => each.across && each.down)) throw new Error("no samples");
  return {
    unitRows: Math.ceil(height / (SIDE * down)),
    unitColumns: Math.ceil(width / (SIDE * across)),
    components: plain.map((each) => ({
      ...each,
      rows: Math.ceil(Math.ceil((height * each.down) / down) / SIDE),
      columns: Math.ceil(Math.ceil((width * each.across) / across) / SIDE),
    })),
  };
}

/** Make the table of a Huffman code. */
function lookup(lengths: Bytes, symbols: Bytes): Codes {
  const table = new Uint16Array(1 << LOOKED);
  let code = 0;
  let at = 0;
  for (let length = 1; length <= LOOKED; length++) {
    for (let left = lengths[length - 1]!; left; left--) {
      const first = code << (LOOKED - length);
      if (first >= table.length) throw new Error("too many codes");
      table.fill((length << 8) | symbols[at++]!, first, first + (1 << (LOOKED - length)));
      code++;
    }
    code <<= 1;
  }
  return table;
}

/** Bits of a scan, the highest of each byte first; behind its end it gives a few zeros. */
class BitReader {
  private held = 0;
  private count = 0;
  private beyond = 0;

  constructor(
    private readonly data: Bytes,
    private at: number,
  ) {}

  symbol(codes: Codes): number {
    this.fill();
    const found = codes[(this.held >>> (this.count - LOOKED)) & 0xffff]!;
    if (!found) throw new Error("no such code");
    this.count -= found >> 8;
    return found & 255;
  }

  /** Read a number whose size in bits is known: with a lowest half for negative ones. */
  signed(size: number): number {
    this.fill();
    this.count -= size;
    const value = (this.held >>> this.count) & ((1 << size) - 1);
    return value >> (size - 1) ? value : value - (1 << size) + 1;
  }

  skip(size: number): void {
    if (size > LOOKED) throw new Error("too large");
    this.fill();
    this.count -= size;
  }

  /** Go on behind a restart marker. */
  restart(): void {
    this.held = this.count = this.beyond = 0;
    const [mark, number] = [this.data[this.at], this.data[this.at + 1]!];
    if (mark !== 0xff || number < 0xd0 || number > 0xd7) throw new Error("no restart");
    this.at += 2;
  }

  /** Hold at least 17 bits; they are the lowest `count` of 32. */
  private fill(): void {
    while (this.count <= LOOKED) {
      let byte = this.data[this.at] ?? 0xff;
      if (byte !== 0xff) {
        this.at++;
      } else if (this.data[this.at + 1] === 0) {
        this.at += 2;
      } else {
        byte = 0; // a marker: the scan is over
        if (++this.beyond > LOOKED) throw new Error("cut off");
      }
      this.held = (this.held << 8) | byte;
      this.count += 8;
    }
  }
}
