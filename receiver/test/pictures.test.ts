/** Pictures as they are turned and stored. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { orientationOf, turned } from "../src/orientation";
import { reduced } from "../src/raster";

const PICTURE = { width: 3, height: 2, channels: 1, samples: Uint8Array.of(1, 2, 3, 4, 5, 6) };
const SHOWN: Record<number, number[]> = {
  1: [1, 2, 3, 4, 5, 6],
  2: [3, 2, 1, 6, 5, 4],
  3: [6, 5, 4, 3, 2, 1],
  4: [4, 5, 6, 1, 2, 3],
  5: [1, 4, 2, 5, 3, 6],
  6: [4, 1, 5, 2, 6, 3],
  7: [6, 3, 5, 2, 4, 1],
  8: [3, 6, 2, 5, 1, 4],
};

test("a picture is turned as each orientation says", () => {
  for (const [orientation, samples] of Object.entries(SHOWN)) {
    const shown = turned(PICTURE, Number(orientation));
    assert.deepEqual([...shown.samples], samples);
    assert.equal(shown.width, Number(orientation) > 4 ? 2 : 3);
  }
});

test("an orientation is read in both orders of bytes", () => {
  const big = Uint8Array.from([77, 77, 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]);
  const little = Uint8Array.from([
    73, 73, 42, 0, 8, 0, 0, 0, 1, 0, 18, 1, 3, 0, 1, 0, 0, 0, 8, 0, 0, 0,
  ]);
  assert.equal(orientationOf(big), 6);
  assert.equal(orientationOf(little), 8);
  assert.equal(orientationOf(undefined), 1);
});

test("three equal channels become one, others stay", () => {
  const grey = { width: 2, height: 1, channels: 3, samples: Uint8Array.of(7, 7, 7, 9, 9, 9) };
  assert.deepEqual([...reduced(grey).samples], [7, 9]);
  const colour = { ...grey, samples: Uint8Array.of(7, 7, 7, 9, 9, 8) };
  assert.equal(reduced(colour).channels, 3);
});
