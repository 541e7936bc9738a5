/** How a key file begins. */
export const KEY_MARK = "stegfield-key-1";
