// Randomness from the operating system.
import { randomBytes } from 'node:crypto'
import type { Random } from '@mox/plugin-sdk'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

export function createRandom(): Random {
  return {
    bytes: n => randomBytes(n),
    // 48 bits, so that every value is exact.
    number: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
    id: () => base32(randomBytes(16)),
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
