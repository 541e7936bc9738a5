/** The committed vectors of every step, which Python's readers find as well. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packed, unpacked, viewOf, type Bytes } from "../src/bytes";
import { firstHeader, HeaderNetworks, NETWORKS, readBody, readCost } from "../src/cost";
import { lowBits } from "../src/field";
import { Key, keyAsSource, KeyStream, passphrase } from "../src/keys";
import { firstSlot, lawBody, places, readLaw, type Plane } from "../src/law";

const GOLDEN = join(process.cwd(), "..", "tests", "golden");
const VECTORS = json("vectors.json");
const KEYS = json("keys.json");
const KEY = new Key(bytes(VECTORS.key));

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
