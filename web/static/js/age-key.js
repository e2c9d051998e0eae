// An age key pair (X25519), made in the browser: https://age-encryption.org/v1, in Bech32 (BIP 173).
// Nothing here sends or keeps anything.

const LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const PKCS8_PREFIX = 16;
const KEY_BYTES = 32;

/** Whether this browser, on this page, can make one. */
export async function able() {
  try {
    await crypto.subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]);
    return true;
  } catch {
    return false;
  }
}

/**
 * A new key pair.
 * @returns {Promise<{identity: string, recipient: string}>} The private half (AGE-SECRET-KEY-1…) and the public one (age1…).
 */
export async function makeKey() {
  const pair = await crypto.subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]);
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const secret = pkcs8.slice(PKCS8_PREFIX);
  const open = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  if (secret.length !== KEY_BYTES || open.length !== KEY_BYTES) throw new Error("not an X25519 key");
  const made = { identity: bech32("age-secret-key-", secret).toUpperCase(), recipient: bech32("age", open) };
  pkcs8.fill(0);
  secret.fill(0);
  return made;
}

/** The file that `age -i` takes, as `age-keygen` writes it. */
export function identityFile({ identity, recipient }, at = new Date()) {
  return `# created: ${at.toISOString()}\n# public key: ${recipient}\n${identity}\n`;
}

/** Bech32 of some bytes, under a prefix in small letters. */
export function bech32(prefix, bytes) {
  const data = fives(bytes);
  const expanded = [...prefix].map((letter) => letter.charCodeAt(0));
  const values = [...expanded.map((code) => code >> 5), 0, ...expanded.map((code) => code & 31), ...data];
  const sum = polymod([...values, 0, 0, 0, 0, 0, 0]) ^ 1;
  const check = [5, 4, 3, 2, 1, 0].map((place) => (sum >>> (5 * place)) & 31);
  return `${prefix}1${[...data, ...check].map((value) => LETTERS[value]).join("")}`;
}

function polymod(values) {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    GENERATORS.forEach((generator, place) => {
      if ((top >>> place) & 1) sum ^= generator;
    });
  }
  return sum;
}

/** Bytes as groups of five bits, the last filled up with zeros. */
function fives(bytes) {
  const found = [];
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      found.push((held >>> bits) & 31);
    }
  }
  if (bits) found.push((held << (5 - bits)) & 31);
  return found;
}
