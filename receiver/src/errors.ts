/** What can go wrong for a person, each in one sentence. */

/** Nothing can be read. Takes no details: a wrong key, damage and an innocent file look alike. */
export class Unreadable extends Error {
  constructor() {
    super("Nothing can be read from this file with this key.");
  }
}

/** The file is of a kind that this page does not read, or the key file is none. */
export class Refused extends Error {}

/** Run a parser of foreign bytes: whatever it trips over is damage. */
export function distrusting<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Unreadable();
  }
}
