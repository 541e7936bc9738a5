/**
 * Reed-Solomon codes over GF(256), with the polynomial 0x11D and the roots 2^0 to 2^(parity - 1).
 *
 * Sources: Massey (1969) for the locator; Forney (1965) for the magnitudes.
 */

import type { Bytes } from "./bytes";

const POLYNOMIAL = 0x11d;
const ORDER = 255;
const EXP = new Uint8Array(2 * ORDER);
const LOG = new Uint8Array(256);
for (let power = 0, value = 1; power < ORDER; power++) {
  EXP[power] = EXP[power + ORDER] = value;
  LOG[value] = power;
  value <<= 1;
  if (value > ORDER) value ^= POLYNOMIAL;
}

function times(a: number, b: number): number {
  return a && b ? EXP[LOG[a]! + LOG[b]!]! : 0;
}

function over(a: number, b: number): number {
  return a ? EXP[LOG[a]! + ORDER - LOG[b]!]! : 0;
}

/** Evaluate a polynomial whose lowest coefficient comes first. */
function valueAt(polynomial: number[], x: number): number {
  return polynomial.reduceRight((sum, coefficient) => times(sum, x) ^ coefficient, 0);
}

function product(a: number[], b: number[]): number[] {
  const found = new Array<number>(a.length + b.length - 1).fill(0);
  a.forEach((left, i) => b.forEach((right, j) => (found[i + j]! ^= times(left, right))));
  return found;
}

/** Correct a codeword, and return its data; nothing if it has too many errors. */
export function corrected(received: Bytes, parity: number): Bytes | undefined {
  const word = received.slice();
  const checks = syndromes(word, parity);
  if (checks.some((each) => each)) {
    const locator = locatorOf(checks);
    const errors = locator.length - 1;
    const places = placesOf(locator, word.length);
    if (2 * errors > parity || places.length !== errors) return undefined;
    const evaluator = product(checks, locator).slice(0, parity);
    for (const place of places) word[place]! ^= magnitude(place, word.length, locator, evaluator);
    if (syndromes(word, parity).some((each) => each)) return undefined;
  }
  return word.subarray(0, word.length - parity);
}

function syndromes(word: Bytes, parity: number): number[] {
  const lowestFirst = Array.from(word).reverse();
  return Array.from({ length: parity }, (_, power) => valueAt(lowestFirst, EXP[power]!));
}

/** Find the shortest polynomial that tells each check from those before it (Berlekamp-Massey). */
function locatorOf(checks: number[]): number[] {
  let locator = [1];
  let before = [1];
  let length = 0;
  let gap = 1;
  let last = 1;
  checks.forEach((_, at) => {
    let delta = 0;
    for (let i = 0; i <= length; i++) delta ^= times(locator[i] ?? 0, checks[at - i]!);
    if (!delta) {
      gap++;
      return;
    }
    const kept = locator;
    const shifted = product(before, [...new Array<number>(gap).fill(0), over(delta, last)]);
    const longest = Math.max(locator.length, shifted.length);
    locator = Array.from({ length: longest }, (_, i) => (locator[i] ?? 0) ^ (shifted[i] ?? 0));
    if (2 * length > at) {
      gap++;
      return;
    }
    [length, before, last, gap] = [at + 1 - length, kept, delta, 1];
  });
  return locator.slice(0, length + 1);
}

/** Return where the errors are, counted from the first byte. */
function placesOf(locator: number[], length: number): number[] {
  const places: number[] = [];
  for (let power = 0; power < length; power++) {
    if (!valueAt(locator, EXP[ORDER - power]!)) places.push(length - 1 - power);
  }
  return places;
}

function magnitude(place: number, length: number, locator: number[], evaluator: number[]): number {
  const power = length - 1 - place;
  const inverse = EXP[ORDER - power]!;
  const slope = locator.map((each, at) => (at & 1 ? each : 0)).slice(1); // the derivative
  return times(EXP[power]!, over(valueAt(evaluator, inverse), valueAt(slope, inverse)));
}
