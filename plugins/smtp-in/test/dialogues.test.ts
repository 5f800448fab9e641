// Plays every dialogue of test/dialogues: whole, octet by octet and in odd pieces. The replies must be the same.
import { readdirSync, readFileSync } from 'node:fs'
import { playDialogue } from '@mox/plugin-sdk/testkit'
import { describe, expect, test } from 'vitest'
import { settle } from './support/clock.ts'
import { Harness, type Setup } from './support/harness.ts'

/** What stands in brackets after a dialogue's title. */
const SETUPS = new Map<string, Setup>([
  ['delivery', {}],
  ['delivery-tls', { listener: { tls: 'starttls' } }],
  ['delivery-required', { listener: { tls: 'required-starttls' } }],
  ['delivery-small', { listener: { maxMessageSize: 1000 } }],
  ['submission', { listener: { kind: 'submission', tls: 'starttls' } }],
  ['submissions', { listener: { kind: 'submission', tls: 'implicit' } }],
  [
    'local',
    { listener: { kind: 'submission', tls: 'starttls' }, options: { allowPlainAuth: 'loopback', limits: false } },
  ],
  ['local-slow', { listener: { kind: 'submission', tls: 'none' }, options: { allowPlainAuth: 'loopback' } }],
  [
    'local-required',
    { listener: { kind: 'submission', tls: 'required-starttls' }, options: { allowPlainAuth: 'loopback' } },
  ],
  ['early', { options: { earlyTalkerMs: 1000 } }],
])

interface Dialogue {
  readonly title: string
  readonly setup: string
  readonly text: string
}

const folder = new URL('dialogues/', import.meta.url)
const dialogues: Dialogue[] = readdirSync(folder).flatMap(file =>
  readFileSync(new URL(file, folder), 'utf8')
    .split(/^== /m)
    .slice(1)
    .map(part => {
      const [, title = '', setup = ''] = /^(.*) \[(.*)\]\n/.exec(part) ?? []
      return { title: `${file}: ${title}`, setup, text: part.slice(part.indexOf('\n') + 1) }
    }),
)

async function play({ setup, text }: Dialogue, chunk?: number): Promise<void> {
  using harness = await Harness.start(SETUPS.get(setup)!)
  await playDialogue(text, {
    port: harness.port,
    implicitTls: harness.server.context.tls === 'implicit',
    ...(chunk === undefined ? {} : { chunk }),
    step: async line => {
      const [, word, value] = /^(\w+) ?(.*)$/.exec(line) ?? []
      if (word === 'advance') await harness.clock.advance(Number(value) * 1000)
      else if (word === 'drain') {
        void harness.server.drain(new AbortController().signal)
        await settle()
      } else if (word === 'message')
        expect(harness.receiver.messages.at(-1)?.content.toString()).toBe(JSON.parse(value!))
      else if (word === 'envelope') {
        const last = harness.receiver.messages.at(-1)!
        expect({ from: last.from, to: last.to, ...last.parameters }).toEqual(JSON.parse(value!))
      } else if (word === 'settle') await settle()
      else throw new Error(`no such step: ${line}`)
    },
  })
}

test('there are at least 60 dialogues, each with a known setup', () => {
  expect(dialogues.length).toBeGreaterThanOrEqual(60)
  expect(dialogues.filter(d => !SETUPS.has(d.setup))).toEqual([])
})

describe.each([
  ['whole', undefined],
  ['octet by octet', 1],
  ['in sevens', 7],
] as const)('%s', (_name, chunk) => {
  test.each(dialogues)('$title', async dialogue => await play(dialogue, chunk))
})
