// Randomness from the operating system; for what is made often, in larger pieces.
import { randomBytes, randomFillSync } from 'node:crypto'
import type { Random } from '@mox/plugin-sdk'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** Bytes fetched at once. */
const PIECE = 4096

export function createRandom(): Random {
  const piece = Buffer.alloc(PIECE)
  let used = PIECE
  /** Valid until the next call. */
  const few = (n: number): Buffer => {
    if (used + n > PIECE) {
      randomFillSync(piece)
      used = 0
    }
    used += n
    return piece.subarray(used - n, used)
  }
  return {
    bytes: n => randomBytes(n),
    // 48 bits, so that every value is exact.
    number: () => few(6).readUIntBE(0, 6) / 2 ** 48,
    id: () => base32(few(16)),
  }
}

/** RFC 4648 §6 without padding, lower case: 16 bytes give 26 characters. */
export function base32(bytes: Buffer): string {
  let out = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      out += ALPHABET[(value >> bits) & 31]
    }
  }
  return bits === 0 ? out : out + ALPHABET[(value << (5 - bits)) & 31]
}
