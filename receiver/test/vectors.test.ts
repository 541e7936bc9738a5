/** The committed vectors of every step, which Python's readers find as well. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packed, unpacked, viewOf, type Bytes } from "../src/bytes";
import { firstHeader, HeaderNetworks, NETWORKS, readBody, readCost } from "../src/cost";
import { lowBits } from "../src/field";
import { Key, keyAsSource, KeyStream, passphrase } from "../src/keys";
import { corrected } from "../src/reedsolomon";
import { drawnPositions, drawnValues, unpackPositions } from "../src/slots";
import { firstSlot, lawBody, places, readLaw, type Plane } from "../src/law";

const GOLDEN = join(process.cwd(), "..", "tests", "golden");
const VECTORS = json("vectors.json");
const KEYS = json("keys.json");
const KEY = new Key(bytes(VECTORS.key));
/** The numbers 0 to 48 and 32 bytes of parity, as the package reedsolo encodes them. */
const GOLDEN_WORD =
  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30" +
  "d435dbb59cc51f1f93cfa6834057a5232399473604eada8040e9cf9cb616072c";

function json(name: string) {
  return JSON.parse(readFileSync(join(GOLDEN, name), "utf8"));
}

function bytes(hex: string): Bytes {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

function hex(data: Bytes): string {
  return Buffer.from(data).toString("hex");
}

test("passphrases become the committed keys", () => {
  for (const { text, salt, key } of KEYS.passphrases) {
    assert.equal(hex(passphrase(text).unlock(bytes(salt)).secret), key);
  }
});

test("sub-keys and key streams are the committed ones", () => {
  for (const { key, label, salt, subkey } of KEYS.subkeys) {
    assert.equal(hex(new Key(bytes(key)).derive(label, bytes(salt))), subkey);
  }
  for (const { subkey, bytes: drawn } of KEYS.noise) {
    const stream = new KeyStream(bytes(subkey));
    const whole = drawn.length / 2;
    assert.equal(hex(stream.bytes(3)) + hex(stream.bytes(whole - 3)), drawn);
  }
});

test("the fingerprint of 32 zero bytes is the one in the document", () => {
  assert.equal(new Key(new Uint8Array(32)).fingerprint, "beb5-3711-a845-bb2e");
});

test("the cost format has the committed steps", () => {
  VECTORS.steps.cost.forEach((step: any, at: number) => {
    const levels = Uint8Array.from(VECTORS.carriers.cost[at]);
    const networks = new HeaderNetworks(KEY, levels.length);
    assert.equal(networks.segment, step.segment);
    assert.equal(networks.group, step.samples_a_group);
    assert.equal(networks.count, step.groups);
    assert.deepEqual([...networks.order.subarray(0, networks.group)], step.first_groups[0]);
    const shown = [0, 5, NETWORKS - 1];
    assert.deepEqual(shown.map((network) => networks.starts[network]), step.starts);
    const read = [...networks.readAll(levels)];
    assert.deepEqual(shown.map((network) => hex(read[network]!)), step.headers);
    const header = firstHeader(read, KEY);
    assert.equal(header.network, step.network);
    assert.equal(hex(read[header.network]!), step.sealed_header);
    assert.equal(hex(header.facts), step.header);
    assert.deepEqual([...header.planes, header.height], step.settings);
    assert.equal(hex(readBody(levels, header, KEY, networks.places(header.network))), step.body);
    assert.equal(hex(readCost(levels, KEY)), step.message);
  });
});

function planeOf(given: { plane: string; bits: number }): Plane {
  const data = bytes(given.plane);
  return { length: given.bits, bits: (start, count) => unpacked(data, start, count) };
}

test("the law format has the committed steps", () => {
  VECTORS.steps.law.forEach((step: any, at: number) => {
    const plane = planeOf(VECTORS.carriers.law[at]);
    const where = places(plane.length);
    assert.deepEqual(where, {
      slots: step.slots,
      firstPart: step.first_part,
      partBits: step.bits_a_part,
    });
    const salt = packed(plane.bits(0, 128));
    assert.equal(hex(salt), step.salt);
    const header = firstSlot(plane, where.slots, KEY, salt);
    assert.equal(header.slot, step.slot);
    assert.equal(hex(header.sealed), step.sealed_header);
    assert.equal(hex(header.facts), step.header);
    assert.equal(hex(lawBody(plane, where, header, (elements) => elements)), step.body);
    const message = readLaw(plane, keyAsSource(KEY));
    assert.equal(message.suffix, step.suffix);
    assert.equal(hex(message.data), step.message);
  });
});

test("the low bits of a field are the committed ones", () => {
  VECTORS.carriers.field.forEach((given: any, at: number) => {
    const view = viewOf(bytes(given.weights));
    const weights = Float32Array.from({ length: view.byteLength / 4 }, (_, place) =>
      view.getFloat32(4 * place, true),
    );
    const low = [...weights].map((weight) => lowBits(weight, [given.exponent, given.bits]));
    assert.deepEqual(low, VECTORS.steps.field[at]);
  });
});

test("slots are at the committed places and have the committed values", () => {
  for (const { architecture, sizes, seed, key, ratio, values_rule: rule, slots } of json("slots.json")) {
    const shapes = Object.values(shapesOf(architecture, sizes));
    const [owner, salt] = [new Key(bytes(key)), bytes(seed)];
    const counts = shapes.map(({ inputs, outputs }) => inputs * outputs);
    const places = drawnPositions(counts, 1e6 * ratio, owner.stream("slot-positions", salt));
    const values = owner.stream("slot-values", salt);
    Object.values<any>(slots).forEach((told, at) => {
      assert.deepEqual([...places[at]!], told.positions);
      const drawn = drawnValues(values, told.positions.length, shapes[at]!, rule);
      assert.equal(hex(new Uint8Array(drawn.buffer)), told.values);
    });
  }
});

/** Return the layers of the committed fields: of 8x8 pixels in three channels. */
function shapesOf(architecture: string, { width, depth, features }: Record<string, number>) {
  const first = architecture === "siren" ? 2 : features! + 4 + 2; // the finest grid has 4 channels
  const widths = [first, ...new Array<number>(depth!).fill(width!), 3];
  return widths.slice(1).map((outputs, at) => {
    const inputs = widths[at]!;
    const gain = at === depth ? 3 : 6;
    const bound = architecture === "grid" ? Math.sqrt(gain / inputs) : at ? Math.sqrt(6 / inputs) / 30 : 1 / 2;
    return { inputs, outputs, bound };
  });
}

test("positions in a key file are unpacked", () => {
  // 3 slots, p = 2: of the gaps 1, 0, 6 the low bits, lowest first, then the quotients 0, 0, 1
  const packed = Uint8Array.of(3, 0, 0, 0, 2, 0b10000100, 0b11010000);
  assert.deepEqual([...unpackPositions(packed, [20])[0]!], [1, 2, 9]);
  assert.throws(() => unpackPositions(packed, [9]));
  assert.throws(() => unpackPositions(packed.subarray(0, 6), [20]));
});

test("a codeword with as many errors as the parity corrects comes back, one with more does not", () => {
  const word = bytes(GOLDEN_WORD);
  assert.equal(hex(corrected(word, 32)!), GOLDEN_WORD.slice(0, 2 * (word.length - 32)));
  const damaged = word.slice();
  for (let at = 0; at < 16; at++) damaged[5 * at]! ^= 17 * at + 1;
  assert.equal(hex(corrected(damaged, 32)!), GOLDEN_WORD.slice(0, 2 * (word.length - 32)));
  damaged[79]! ^= 1;
  damaged[78]! ^= 9;
  assert.equal(corrected(damaged, 32), undefined);
});
