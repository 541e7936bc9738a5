/** The worker: reads a file beside the page, so that the page stays alive. */

import { Refused, Unreadable } from "./errors";
import { keyAsSource, passphrase, type KeySource } from "./keys";
import { parseKeyFile } from "./keyfile";
import type { Ask, Told } from "./messages";
import { read } from "./read";

declare function postMessage(told: Told, transfer?: Transferable[]): void;

const STEP = 0.01;

addEventListener("message", ({ data }: MessageEvent<Ask>) => {
  try {
    tell("Looking at the file", 0);
    const { source, fingerprint } = unlocked(data.key);
    const message = read(data.file, source, { scale: data.scale, progress: progress() });
    const found = message.data.slice();
    const { suffix, shown = false } = message;
    postMessage({ kind: "found", data: found, suffix, shown, fingerprint }, [found.buffer]);
  } catch (error) {
    postMessage({ kind: "failed", sentence: sentenceOf(error) });
  }
});

function unlocked(key: Ask["key"]): { source: KeySource; fingerprint: string | undefined } {
  if ("passphrase" in key) {
    const slow = () => tell("Making a key of the passphrase", 0);
    return { source: passphrase(key.passphrase, slow), fingerprint: undefined };
  }
  const { key: held, slots } = parseKeyFile(key.file);
  return { source: keyAsSource(held, slots), fingerprint: held.fingerprint };
}

/** Return what tells progress, a hundredth at a time. */
function progress(): (share: number) => void {
  let told = 0;
  return (share) => {
    if (share < told + STEP) return;
    told = share;
    tell("Reading the message", share);
  };
}

function tell(doing: string, share: number): void {
  postMessage({ kind: "progress", doing, share });
}

function sentenceOf(error: unknown): string {
  if (error instanceof Refused) return error.message;
  if (error instanceof RangeError) return "This browser has too little memory for this file.";
  return new Unreadable().message;
}
