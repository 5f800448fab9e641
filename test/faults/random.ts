// Randomness that a seed repeats: xorshift128+ with 32-bit words, good enough to choose moments and sizes.

export interface Seeded {
  /** A number in [0, 1). */
  next(): number
  /** A whole number from 0 to `below` − 1. */
  below(below: number): number
}

export function seeded(seed: number): Seeded {
  let a = seed >>> 0 || 1
  let b = 0x9e3779b9
  const next = (): number => {
    let t = a
    const s = b
    a = s
    t ^= t << 23
    t ^= t >>> 17
    t ^= s ^ (s >>> 26)
    b = t >>> 0
    return ((a + b) >>> 0) / 0x1_0000_0000
  }
  for (let i = 0; i < 20; i++) next()
  return { next, below: limit => Math.floor(next() * limit) }
}
