// What EHLO announced: RFC 5321 §4.1.1.1 keywords, of which we know a few. What cannot be read was not announced.
import type { Extensions } from './types.ts'

/** After HELO. */
export const NO_EXTENSIONS: Extensions = {
  starttls: false,
  enhancedStatusCodes: false,
  eightBitMime: false,
  pipelining: false,
  requireTls: false,
  smtputf8: false,
  dsn: false,
  auth: [],
  limits: {},
}

/** `text` is the reply's: the greeting, then a keyword a line. Of repeated keywords the first counts. */
export function parseExtensions(text: string): Extensions {
  const announced = new Map<string, string>()
  const auth = new Set<string>()
  let limits: string | undefined
  for (const line of text.split('\n').slice(1)) {
    const match = /^([a-z0-9][a-z0-9-]*)(?:[ =](.*))?$/i.exec(line.trim())
    if (match === null) continue
    const keyword = match[1]!.toUpperCase()
    const parameters = (match[2] ?? '').trim()
    // Some servers say "AUTH=LOGIN" for clients of another century, mostly beside the line of RFC 4954.
    if (keyword === 'AUTH') for (const name of parameters.toUpperCase().split(/[\s=]+/)) if (name !== '') auth.add(name)
    if (keyword === 'LIMITS') limits = limits === undefined ? parameters : ''
    if (!announced.has(keyword)) announced.set(keyword, parameters)
  }
  const size = sizeOf(announced.get('SIZE'))
  return {
    starttls: announced.has('STARTTLS'),
    enhancedStatusCodes: announced.has('ENHANCEDSTATUSCODES'),
    eightBitMime: announced.has('8BITMIME'),
    pipelining: announced.has('PIPELINING'),
    requireTls: announced.has('REQUIRETLS'),
    smtputf8: announced.has('SMTPUTF8'),
    dsn: announced.has('DSN'),
    ...(size === undefined ? {} : { size }),
    auth: [...auth],
    limits: parseLimits(limits ?? ''),
  }
}

/** RFC 1870 §4: at most 20 digits; without any there is no fixed limit. */
function sizeOf(parameter: string | undefined): number | undefined {
  if (parameter === undefined || !/^\d{0,20}$/.test(parameter)) return undefined
  return Number(parameter)
}

/** RFC 9422 §3: a syntax error or a name given twice discards the whole line; unknown limits are skipped. */
function parseLimits(text: string): Extensions['limits'] {
  const values = new Map<string, string>()
  for (const word of text.split(' ')) {
    const match = /^([a-z0-9_-]+)(?:=([\x21-\x3a\x3c-\x7e]+))?$/i.exec(word)
    const name = match?.[1]?.toUpperCase()
    if (name === undefined || values.has(name)) return {}
    values.set(name, match?.[2] ?? '')
  }
  const limits: { rcptMax?: number; mailMax?: number; rcptDomainMax?: number } = {}
  for (const [name, field] of [
    ['RCPTMAX', 'rcptMax'],
    ['MAILMAX', 'mailMax'],
    ['RCPTDOMAINMAX', 'rcptDomainMax'],
  ] as const) {
    const value = values.get(name)
    if (value === undefined) continue
    if (!/^[1-9]\d{0,5}$/.test(value)) return {}
    limits[field] = Number(value)
  }
  return limits
}
