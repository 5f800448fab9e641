// `mox dns lookup`: what the resolvers say now, with all that mail delivery sees of it. The cache is not asked.
import { domainToASCII } from 'node:url'
import { type Command, type CommandResult, type DnsAnswer, DnsError, type DnsType, UsageError } from '@mox/plugin-sdk'
import { TYPES } from './records.ts'

const COLUMNS = ['name', 'type', 'status', 'authentic', 'ttl', 'record']

/** `lookup` throws DnsErrors. */
export function lookupCommand(lookup: (name: string, type: DnsType) => Promise<DnsAnswer>): Command {
  return {
    path: ['dns', 'lookup'],
    summary: 'ask the DNS servers, not the cache',
    arguments: [
      { name: 'name', help: 'an absolute name, such as example.org' },
      { name: 'type', help: `one of ${Object.keys(TYPES).join(', ')}; default A`, required: false },
    ],
    offline: true,
    run: async ({ arguments: [given = '', wanted = 'A'], limit }) => {
      const type = typeOf(wanted)
      const name = /^[\x00-\x7f]*$/.test(given) ? given : domainToASCII(given)
      if (name === '') throw new UsageError(`${JSON.stringify(given)} is no domain name`)
      try {
        return rowsOf(await lookup(name, type), type, limit)
      } catch (error) {
        if (!(error instanceof DnsError)) throw error
        const { code, extended, message } = error
        const why = extended === undefined ? '' : `\nextended error ${extended.code} ${extended.text}`
        return { kind: 'text', text: `${code}: ${message}${why.trimEnd()}`, failed: true }
      }
    },
  }
}

function typeOf(text: string): DnsType {
  const type = text.toUpperCase()
  if (!Object.hasOwn(TYPES, type))
    throw new UsageError(`${JSON.stringify(text)} is no record type; use one of ${Object.keys(TYPES).join(', ')}`)
  return type as DnsType
}

function rowsOf(
  { canonical, status, authentic, ttl, records }: DnsAnswer,
  type: DnsType,
  limit: number,
): CommandResult {
  // Of "no", one row without a record.
  const texts = records.length === 0 ? [''] : records.slice(0, limit).map(recordText)
  const rows = texts.map(record => ({ name: canonical, type, status, authentic, ttl, record }))
  return { kind: 'rows', columns: COLUMNS, rows, more: records.length > limit }
}

/** As in zone files: fields with spaces between them. */
function recordText(record: unknown): string {
  if (typeof record !== 'object' || record === null) return String(record)
  return Object.values(record)
    .map(value => (Buffer.isBuffer(value) ? value.toString('hex') : String(value)))
    .join(' ')
}
