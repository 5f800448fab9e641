// message/delivery-status and message/global-delivery-status: RFC 3464, RFC 6533, and what servers make of them: missing fields,
// empty lines in the wrong places, other diagnostic types, codes without a type, odd dates.
import type { DsnAction } from '@mox/plugin-sdk'
import { decodeWords, type Head, parseDate, parseHeader } from '@mox/plugin-sdk/mail'
import { categoryOf } from './category.ts'
import { type ParsedRecipient, type ParsedReport, RECIPIENTS } from './types.ts'
import { addressOf, codeOf, diagnosticText, hostOf, oneLine, statusOf, typedValue } from './values.ts'

type Fields = Map<string, string>

/** Blocks of fields read from one part. */
const BLOCKS = 2 * RECIPIENTS

const ACTIONS: ReadonlyMap<string, DsnAction> = new Map([
  ['failed', 'failed'],
  ['failure', 'failed'],
  ['fail', 'failed'],
  ['delayed', 'delayed'],
  ['delay', 'delayed'],
  ['delivered', 'delivered'],
  ['deliverable', 'delivered'],
  ['relayed', 'relayed'],
  ['relay', 'relayed'],
  ['expanded', 'expanded'],
])
const BY_CLASS: ReadonlyMap<string, DsnAction> = new Map([
  ['2', 'delivered'],
  ['4', 'delayed'],
  ['5', 'failed'],
])

export type StatusPart = Pick<ParsedReport, 'reportingMta' | 'arrivalDate' | 'envelopeId' | 'recipients'>

export function parseDeliveryStatus(bytes: Buffer): StatusPart {
  let about: Fields = new Map()
  const recipients: Fields[] = []
  for (const fields of blocksOf(bytes)) {
    const last = recipients.at(-1)
    const named = fields.has('final-recipient') || fields.has('original-recipient')
    const hasOwn = named || fields.has('action') || fields.has('status') || fields.has('diagnostic-code')
    if (fields.has('reporting-mta') && about.size === 0) about = fields
    if (!hasOwn) {
      if (about.size === 0) about = fields
    } else if (!named && last !== undefined) merge(last, fields)
    else if (last !== undefined && !complete(last) && !last.has('final-recipient')) merge(last, fields)
    else if (recipients.length < RECIPIENTS) recipients.push(new Map(fields))
  }
  return {
    reportingMta: hostOf(about.get('reporting-mta') ?? about.get('dsn-gateway')),
    arrivalDate: parseDate(about.get('arrival-date') ?? ''),
    envelopeId: oneLine(about.get('original-envelope-id') ?? '').slice(0, 200),
    recipients: recipients.map(recipientOf),
  }
}

/** Fields of blocks that stand between empty lines, several of which count as one; the first of equal fields counts. */
function* blocksOf(bytes: Buffer): Iterable<Fields> {
  let rest = bytes
  for (let count = 0; rest.length > 0 && count < BLOCKS; ) {
    const head = parseHeader(rest)
    if (head.length === 0) return
    rest = rest.subarray(head.length)
    if (head.fields.length === 0) continue
    count++
    yield fieldsOf(head)
  }
}

function fieldsOf(head: Head): Fields {
  const fields: Fields = new Map()
  for (const { lower, value } of head.fields) if (!fields.has(lower)) fields.set(lower, decodeWords(value))
  return fields
}

function complete(fields: Fields): boolean {
  return fields.has('action') || fields.has('status')
}

/** An empty line stood inside a block. */
function merge(into: Fields, more: Fields): void {
  for (const [name, value] of more) if (!into.has(name)) into.set(name, value)
}

function recipientOf(fields: Fields): ParsedRecipient {
  const { text } = typedValue(fields.get('diagnostic-code') ?? '')
  const diagnostic = diagnosticText(text === '' ? comment(fields.get('status') ?? '') : text)
  const said = statusOf(text)
  const given = statusOf(fields.get('status') ?? '')
  // The server's own detail says more than the class alone.
  const status = given === '' || (/^\d\.0\.0$/.test(given) && said[0] === given[0]) ? said || given : given
  const word = /^[a-z]+/.exec(oneLine(fields.get('action') ?? '').toLowerCase())?.[0] ?? ''
  const finalRecipient = addressOf(fields.get('final-recipient') ?? fields.get('x-actual-recipient'))
  const originalRecipient = addressOf(fields.get('original-recipient'))
  return {
    finalRecipient: finalRecipient === '' ? originalRecipient : finalRecipient,
    originalRecipient,
    action: ACTIONS.get(word) ?? BY_CLASS.get(status.slice(0, 1)) ?? 'unrecognized',
    status,
    code: codeOf(diagnostic),
    diagnostic,
    remoteMta: hostOf(fields.get('remote-mta')),
    category: categoryOf(status, diagnostic),
  }
}

/** "5.0.0 (mailbox full)" */
function comment(status: string): string {
  const open = status.indexOf('(')
  const close = status.lastIndexOf(')')
  return open < 0 || close < open ? '' : status.slice(open + 1, close)
}
