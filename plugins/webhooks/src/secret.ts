// Signatures as Standard Webhooks defines them (standardwebhooks.com, version 1): HMAC-SHA256 over id, time and body. Two
// secrets may be good at a time, so that one can be replaced without a gap.
import { createHmac } from 'node:crypto'
import type { Random } from '@mox/plugin-sdk'

const PREFIX = 'whsec_'
/** Octets of a secret. */
export const SECRET_LEAST = 24
export const SECRET_MOST = 64
/** Good at a time. */
export const SECRETS = 2

export function newSecret(random: Random): string {
  return PREFIX + random.bytes(32).toString('base64')
}

/** The octets of "whsec_" and base64; undefined when it is no such text, or too short or too long. */
export function parseSecret(text: string): Buffer | undefined {
  if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length > 200) return undefined
  const key = Buffer.from(text.slice(PREFIX.length), 'base64')
  return key.length >= SECRET_LEAST && key.length <= SECRET_MOST ? key : undefined
}

/** The value of webhook-signature. `seconds` since the epoch. */
export function signature(keys: readonly Buffer[], id: string, seconds: number, body: string): string {
  const signed = `${id}.${seconds}.${body}`
  return keys.map(key => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`).join(' ')
}
