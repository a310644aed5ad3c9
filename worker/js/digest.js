// Names made of texts by hashing them.

/** A text's hash (SHA-256), in hexadecimal digits. */
export async function digest(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The first 16 bytes of it, as 32 digits: enough for names that nobody takes for others. */
export const shortDigest = async (text) => (await digest(text)).slice(0, 32);
