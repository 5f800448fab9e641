// What a password is checked against: a verifier text of the database or the config file, or, on test servers, the password
// of the config file itself. A verifier is an argon2id string and SCRAM secrets, joined by spaces.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Random } from '@mox/plugin-sdk'
import { type Argon2, type Argon2Hash, formatHash, isOutdated, parseHash, SALT_BYTES } from './argon2.ts'
import { deriveKeys, formatKeys, parseKeys, SCRAM_SALT_BYTES, type ScramHash, type ScramKeys } from './scram.ts'

export interface Credential {
  /** Differs for every password of every account; part of cache keys. */
  readonly id: string
  /** Differs after the password was set anew, but not after its verifier was renewed. Secret, as it may be a plain hash. */
  readonly version: string
  /** The password is known to be right or wrong at once, without argon2; undefined for stored verifiers. */
  readonly quick?: (password: string) => boolean
  readonly argon2?: Argon2Hash
  scram(hash: ScramHash): Promise<ScramKeys | undefined>
  /** A verifier text to store when this password was right: parameters have changed. */
  readonly outdated: boolean
}

/** Undefined when the text is no verifier. `version`: see there; without one the text itself. */
export function parseCredential(account: string, text: string, version: string = text): Credential | undefined {
  const [first = '', ...rest] = text.split(' ')
  const argon2 = parseHash(first)
  const keys = rest.map(parseKeys)
  if (argon2 === undefined || keys.includes(undefined)) return undefined
  const byHash = new Map(keys.map(k => [k!.hash, k!]))
  if (byHash.size !== keys.length) return undefined
  return {
    id: `${account} ${text}`,
    version,
    argon2,
    scram: async hash => byHash.get(hash),
    outdated: isOutdated(argon2) || byHash.size < 2,
  }
}

export function isVerifier(text: string): boolean {
  return parseCredential('', text) !== undefined
}

/** All of what is stored for a prepared password. */
export async function makeVerifier(password: string, argon2: Argon2, random: Random): Promise<string> {
  const hash = await argon2.hash(password, random.bytes(SALT_BYTES))
  const sha256 = await deriveKeys('SHA-256', password, random.bytes(SCRAM_SALT_BYTES))
  const sha1 = await deriveKeys('SHA-1', password, random.bytes(SCRAM_SALT_BYTES))
  return [formatHash(hash), formatKeys(sha256), formatKeys(sha1)].join(' ')
}

/**
 * A password that is in memory anyway: no argon2 is worth its time, and SCRAM secrets are derived when first asked for, with
 * the salts that `salt` gives.
 */
export function plainCredential(account: string, password: string, salt: (hash: ScramHash) => Buffer): Credential {
  const sha = (text: string): Buffer => createHash('sha256').update(text).digest()
  const right = sha(password)
  const derived = new Map<ScramHash, Promise<ScramKeys>>()
  return {
    id: `${account} ${right.toString('base64')}`,
    version: right.toString('base64'),
    quick: given => timingSafeEqual(sha(given), right),
    scram: hash => {
      let keys = derived.get(hash)
      if (keys === undefined) {
        keys = deriveKeys(hash, password, salt(hash))
        derived.set(hash, keys)
      }
      return keys
    },
    outdated: false,
  }
}
