/** What of a message can be shown on the page. */

import { latin, type Bytes } from "./bytes";

const LONGEST_TEXT = 200_000;
const LARGEST_PICTURE = 64 * 2 ** 20;

/** Return the type of a picture or sound that browsers show, by its first bytes. */
export function shownType(data: Bytes): string | undefined {
  if (data.length > LARGEST_PICTURE) return undefined;
  const start = latin(data.subarray(0, 12));
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (start.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (start.startsWith("GIF8")) return "image/gif";
  if (start.startsWith("RIFF") && start.endsWith("WEBP")) return "image/webp";
  if (start.startsWith("RIFF") && start.endsWith("WAVE")) return "audio/wav";
  return undefined;
}

/** Return a message as text, if it is text. */
export function textOf(data: Bytes): string | undefined {
  if (data.length > LONGEST_TEXT) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(data);
    return /[\0-\x08\x0e-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
