// Randomness that is the same in every run: equal seeds give equal ids and equal jitter. Never for anything secret.
import type { Random } from '../services/base.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** A generator with 32 bits of state (a Weyl sequence, mixed). */
export function seededRandom(seed: number = 1): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let x = state
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
    return (x ^ (x >>> 16)) >>> 0
  }
  return {
    bytes: n => Buffer.from(Array.from({ length: n }, () => next() & 0xff)),
    number: () => next() / 2 ** 32,
    id: () => Array.from({ length: 26 }, () => ALPHABET[next() & 31]).join(''),
  }
}
