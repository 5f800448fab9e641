// Codes of a second factor: TOTP (RFC 6238) as all apps have it, with SHA-1, six digits and 30 seconds; recovery codes; and base32
// (RFC 4648 §6) without padding.
import { createHash, createHmac } from 'node:crypto'
import type { Random } from '@mox/plugin-sdk'

/** Bytes of a secret: those of SHA-1, as RFC 4226 §4 wants. */
export const SECRET_BYTES = 20
export const STEP_MS = 30_000
const DIGITS = 6
/** Steps that a clock may be wrong, either way. */
const SKEW = 1
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export function base32(bytes: Buffer): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map(five => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

/** Undefined for what is no secret of ours. */
export function parseSecret(text: string): Buffer | undefined {
  if (!/^[A-Z2-7]{32}$/.test(text)) return undefined
  const bits = [...text].map(c => ALPHABET.indexOf(c).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map(eight => Number.parseInt(eight, 2)))
}

export function codeAt(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const offset = (mac[19] ?? 0) & 0xf
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** DIGITS).padStart(DIGITS, '0')
}

/** The step that a code belongs to, after `last`; undefined for a wrong one. */
export function stepOf(secret: Buffer, code: string, now: number, last: number): number | undefined {
  const current = Math.floor(now / STEP_MS)
  for (let step = current - SKEW; step <= current + SKEW; step++)
    if (step > last && codeAt(secret, step) === code) return step
  return undefined
}

/** As it is typed: "123 456" is a code. */
export function cleanCode(text: string): string {
  return text.replace(/[\s-]/g, '').toLowerCase()
}

/** "abcde-fghij": 50 bits, in letters and digits that look different. */
export function recoveryCode(random: Random): string {
  const text = base32(random.bytes(7)).slice(0, 10).toLowerCase()
  return `${text.slice(0, 5)}-${text.slice(5)}`
}

/** "abcd-efgh-…": 100 bits in five groups. */
export function appPassword(random: Random): string {
  const text = base32(random.bytes(13)).slice(0, 20).toLowerCase()
  return (text.match(/.{4}/g) ?? []).join('-')
}
export const APP_PASSWORD: RegExp = /^[a-z2-7]{4}(?:-[a-z2-7]{4}){4}$/

/** Random texts of so many bits need no slow hash. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
