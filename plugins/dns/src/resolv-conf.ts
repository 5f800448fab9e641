// Reads resolv.conf(5): `nameserver` and of `options` timeout, attempts, rotate and trust-ad. `search` and `domain` are
// ignored on purpose: mail asks for absolute names only.
import { parseServer, SERVERS_LIMIT, type Server } from './server.ts'
import { DEFAULTS, type Settings } from './settings.ts'

/** As the C library caps them: seconds, times. */
export const TIMEOUT_LIMIT = 30
export const ATTEMPTS_LIMIT = 5

export interface ResolvConf {
  /** Undefined: the file is empty, or has no `nameserver` that can be read although it has some. */
  readonly settings: Settings | undefined
  /** Of `nameserver` lines, what could not be read. */
  readonly ignored: readonly string[]
}

export function parseResolvConf(text: string): ResolvConf {
  if (text.trim() === '') return { settings: undefined, ignored: [] }
  const servers: Server[] = []
  const ignored: string[] = []
  let { timeoutMs, attempts, rotate, trustAd } = DEFAULTS
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/s, '')
      .trim()
      .split(/\s+/)
    if (keyword === 'nameserver') {
      const server = parseServer(values[0] ?? '')
      if (server === undefined) ignored.push(values[0] ?? '')
      else if (servers.length < SERVERS_LIMIT) servers.push(server)
    }
    if (keyword !== 'options') continue
    for (const option of values) {
      const [, name, digits] = /^(timeout|attempts):(\d{1,9})$/.exec(option) ?? []
      if (name === 'timeout') timeoutMs = 1000 * clamp(Number(digits), TIMEOUT_LIMIT)
      if (name === 'attempts') attempts = clamp(Number(digits), ATTEMPTS_LIMIT)
      if (option === 'rotate') rotate = true
      if (option === 'trust-ad') trustAd = true
    }
  }
  const [first, ...more] = servers
  if (first === undefined && ignored.length > 0) return { settings: undefined, ignored }
  const found = first === undefined ? DEFAULTS.servers : ([first, ...more] as const)
  return { settings: { servers: found, timeoutMs, attempts, rotate, trustAd }, ignored }
}

const clamp = (value: number, limit: number): number => Math.min(Math.max(value, 1), limit)
