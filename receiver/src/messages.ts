/** What the page and its worker say to each other. */

import type { Bytes } from "./bytes";

/** To the worker: read this file with this key. */
export interface Ask {
  file: Bytes;
  key: { file: Bytes } | { passphrase: string };
  /** How many times as large to show what a field shows. */
  scale: number;
}

/** From the worker: how far it is, then what it found or the one sentence why not. */
export type Told =
  | { kind: "progress"; doing: string; share: number }
  | { kind: "found"; data: Bytes; suffix: string; shown: boolean; fingerprint: string | undefined }
  | { kind: "failed"; sentence: string };
