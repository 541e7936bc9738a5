/** Key files: docs/format.md, "Keys". */

import { sha256 } from "@noble/hashes/sha2.js";
import { ascii, joined, latin, type Bytes } from "./bytes";
import { Refused } from "./errors";
import { Key } from "./keys";
import { KEY_MARK } from "./marks";

const LARGEST = 1 << 26;

export interface KeyFile {
  key: Key;
  /** Packed slot positions; empty with keyed slots. */
  slots: Bytes;
}

/** Read a key file, and check that it is whole. */
export function parseKeyFile(data: Bytes): KeyFile {
  if (data.length > LARGEST) throw new Refused("This key file is too large.");
  if (latin(data.subarray(0, KEY_MARK.length)) !== KEY_MARK) {
    throw new Refused("This is no key file of stegfield.");
  }
  const text = latin(data).replaceAll("\r\n", "\n").replace(/\n+$/, "");
  const parts = text.split("\n\n"); // with keyed slots the third one is empty
  const [mark, key, slots, check] = parts;
  if (parts.length !== 4 || mark !== KEY_MARK) throw damaged();
  const secret = decoded(key!);
  const positions = decoded(slots!);
  const sum = sha256(joined(ascii("stegfield key file"), secret, positions)).subarray(0, 6);
  if (secret.length !== 32 || latin(sum) !== latin(decoded(check!))) throw damaged();
  return { key: new Key(secret), slots: positions };
}

/** Decode lines of base64; a text that does not come back as it is when encoded again is refused. */
function decoded(lines: string): Bytes {
  const text = lines.replaceAll("\n", "");
  let data: string;
  try {
    data = atob(text);
  } catch {
    throw damaged();
  }
  if (btoa(data) !== text) throw damaged();
  return ascii(data);
}

function damaged(): Refused {
  return new Refused("This key file is damaged.");
}
