// How safely mail gets to a recipient: five small signs, each of a shape of its own beside its colour, and words for them.
import { type Signal, signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { RecipientSecurity } from '../../src/api/model.ts'
import { call } from '../lib/api.ts'

const PARTS = [
  ['starttls', 'STARTTLS', 'mail was sent there over TLS before'],
  ['mtaSts', 'MTA-STS', 'the domain demands verified TLS (MTA-STS)'],
  ['dnssec', 'DNSSEC', 'the domain’s mail servers are authenticated by DNSSEC'],
  ['dane', 'DANE', 'the first mail server’s certificate is published (DANE)'],
  ['requireTls', 'RequireTLS', 'mail that must travel over TLS got there before'],
] as const
/** On a grid of 10. */
const SIGNS = {
  yes: 'M1.500 5.500l2.500 2.500 4.500-6',
  no: 'M2 2l6 6M8 2l-6 6',
  unknown: 'M5 5h.01',
  error: 'M5 1.500v4M5 8.200v.1',
} as const
const WORDS = { yes: 'yes', no: 'no', unknown: 'not known', error: 'could not be found out' } as const

const known: Signal<ReadonlyMap<string, RecipientSecurity>> = signal(new Map())
const asked = new Set<string>()
/** Questions that are asked at a time. */
const AT_ONCE = 4
const waiting: string[] = []
let asking = 0

/** What is known about an address; asked for when it is not. */
export function securityOf(address: string): RecipientSecurity | undefined {
  return known.value.get(address.toLowerCase())
}

function ask(address: string): void {
  const key = address.toLowerCase()
  if (asked.has(key)) return
  asked.add(key)
  waiting.push(key)
  askNext()
}

function askNext(): void {
  if (asking >= AT_ONCE) return
  const key = waiting.shift()
  if (key === undefined) return
  asking++
  const error = 'error' as const
  call('recipientSecurity', { address: key })
    .then(
      found => {
        known.value = new Map(known.value).set(key, found)
      },
      () => {
        asked.delete(key)
        const failed = { starttls: error, mtaSts: error, dnssec: error, dane: error, requireTls: error }
        known.value = new Map(known.value).set(key, failed)
      },
    )
    .finally(() => {
      asking--
      askNext()
    })
}

/** Whether a message to all of them may demand TLS. */
export function safeForAll(addresses: readonly string[]): boolean {
  return (
    addresses.length > 0 &&
    addresses.every(address => {
      const found = securityOf(address)
      return found !== undefined && found.requireTls === 'yes' && (found.mtaSts === 'yes' || found.dane === 'yes')
    })
  )
}

export function SecurityBar({ address }: { readonly address: string }): JSX.Element {
  useEffect(() => ask(address), [address])
  const found = securityOf(address)
  const text = PARTS.map(
    ([key, name, meaning]) => `${name}: ${found === undefined ? '…' : WORDS[found[key]]} (${meaning})`,
  )
  return (
    <span class="security" role="img" aria-label={`Security: ${text.join('; ')}`} title={text.join('\n')}>
      {PARTS.map(([key]) => (
        <svg key={key} class={found?.[key] ?? 'unknown'} viewBox="0 0 10 10" aria-hidden="true">
          <path d={SIGNS[found?.[key] ?? 'unknown']} />
        </svg>
      ))}
    </span>
  )
}
