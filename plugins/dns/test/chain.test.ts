// CNAMEs: followed in the answer and by further questions, bounded, and never to records that were not asked for.
import assert from 'node:assert/strict'
import type { DnsType } from '@mox/plugin-sdk'
import type { Resource } from 'dns-packet'
import { test } from 'vitest'
import { CNAME_LIMIT, NEGATIVE_TTL_LIMIT } from '../src/chain.ts'
import { failure, withRig } from './support/rig.ts'
import { type AnswerParts, a, answer, cname, mx, soa } from './support/server.ts'

/** By the name that is asked for, what the server says; `asked` are the names it was asked for. */
async function check(
  zone: Readonly<Record<string, AnswerParts>>,
  type: DnsType,
  expected: string,
  asked: readonly string[] = ['a.test'],
): Promise<void> {
  await withRig(
    question => answer(question, zone[question.name] ?? { rcode: 3, authorities: [soa('test')] }),
    async ({ resolve, server }) => {
      const text = await resolve('a.test', type).then(
        ({ status, canonical, records, ttl, authentic }) =>
          `${status} ${canonical} ${JSON.stringify(records)} ${ttl}${authentic ? ' authentic' : ''}`,
        ({ code, message }) => `${code} ${message}`,
      )
      assert.equal(text, expected)
      assert.deepEqual(
        server.asked.map(({ name }) => name),
        asked,
      )
    },
  )
}

/** n0 → n1 → … */
const links = (count: number, from = 0): Resource[] =>
  Array.from({ length: count }, (_, i) =>
    cname(i + from === 0 ? 'a.test' : `n${i + from}.test`, `n${i + from + 1}.test`),
  )

test('in one answer, in any order', async () => {
  const one = cname('a.test', 'B.Test', 200)
  const two = cname('b.test', 'c.test', 100)
  await check({ 'a.test': { answers: [one, two, a('c.test')] } }, 'A', 'found c.test ["192.0.2.1"] 100')
  await check({ 'a.test': { answers: [a('c.test'), two, one] } }, 'A', 'found c.test ["192.0.2.1"] 100')
  await check(
    { 'a.test': { answers: [one, two, a('c.test', '192.0.2.9', 50)], ad: true } },
    'A',
    'found c.test ["192.0.2.9"] 50 authentic',
  )
})

test('with further questions, when the server leaves the rest to us', async () => {
  const ad = true
  await check(
    { 'a.test': { answers: [cname('a.test', 'b.test', 70)], ad }, 'b.test': { answers: [a('b.test')], ad } },
    ...(['A', 'found b.test ["192.0.2.1"] 70 authentic', ['a.test', 'b.test']] as const),
  )
  // Authentic only when all of it is.
  await check(
    { 'a.test': { answers: [cname('a.test', 'b.test')], ad }, 'b.test': { answers: [a('b.test')] } },
    ...(['A', 'found b.test ["192.0.2.1"] 300', ['a.test', 'b.test']] as const),
  )
  await check(
    { 'a.test': { answers: [cname('a.test', 'b.test')] }, 'b.test': { answers: [a('b.test')], ad } },
    ...(['A', 'found b.test ["192.0.2.1"] 300', ['a.test', 'b.test']] as const),
  )
  await check({ 'a.test': { answers: [cname('a.test', 'b.test')] } }, 'A', 'nxdomain b.test [] 60', [
    'a.test',
    'b.test',
  ])
})

test('"no" at the end of a chain', async () => {
  const answers = [cname('a.test', 'b.test', 40)]
  await check({ 'a.test': { answers, rcode: 3, authorities: [soa('test')] } }, 'A', 'nxdomain b.test [] 40')
  await check({ 'a.test': { answers, authorities: [soa('test')] } }, 'MX', 'nodata b.test [] 40')
  // A SOA of elsewhere proves nothing.
  await check({ 'a.test': { answers, authorities: [soa('other')] } }, 'A', 'nxdomain b.test [] 40', [
    'a.test',
    'b.test',
  ])
})

test('negative answers and their TTL', async () => {
  const no = (rcode: number, minimum: number, ttl: number, zone = 'test') => ({
    'a.test': { rcode, authorities: [soa(zone, minimum, ttl)], ad: true },
  })
  await check(no(3, 60, 3600), 'A', 'nxdomain a.test [] 60 authentic')
  await check(no(0, 3600, 30), 'A', 'nodata a.test [] 30 authentic')
  await check(no(0, NEGATIVE_TTL_LIMIT, 86_400), 'A', `nodata a.test [] ${NEGATIVE_TTL_LIMIT} authentic`)
  await check(no(0, NEGATIVE_TTL_LIMIT + 1, 86_400), 'A', `nodata a.test [] ${NEGATIVE_TTL_LIMIT} authentic`)
  await check(no(3, 60, 60, 'est'), 'A', 'nxdomain a.test [] 0 authentic')
  await check(no(3, 60, 60, 'a.test'), 'A', 'nxdomain a.test [] 60 authentic')
  await check(no(3, 60, 60, 'x.a.test'), 'A', 'nxdomain a.test [] 0 authentic')
  await check({ 'a.test': { rcode: 3 } }, 'A', 'nxdomain a.test [] 0')
  await check({ 'a.test': {} }, 'A', 'nodata a.test [] 0')
  // Contradictory: what does not exist has no records.
  await check({ 'a.test': { rcode: 3, answers: [a('a.test')] } }, 'A', 'nxdomain a.test [] 0')
})

test(`${CNAME_LIMIT} aliases, not one more`, async () => {
  const many = `malformed a.test: more than ${CNAME_LIMIT} aliases (CNAME)`
  const end = `n${CNAME_LIMIT}.test`
  await check({ 'a.test': { answers: [...links(CNAME_LIMIT), a(end)] } }, 'A', `found ${end} ["192.0.2.1"] 300`)
  await check({ 'a.test': { answers: [...links(CNAME_LIMIT + 1), a(`n${CNAME_LIMIT + 1}.test`)] } }, 'A', many)
  // Over two answers.
  const half = CNAME_LIMIT / 2
  const split = (rest: number) => ({
    'a.test': { answers: links(half) },
    [`n${half}.test`]: { answers: [...links(rest, half), a(`n${half + rest}.test`)] },
  })
  const both = ['a.test', `n${half}.test`]
  await check(split(half), 'A', `found ${end} ["192.0.2.1"] 300`, both)
  await check(split(half + 1), 'A', many, both)
})

test('loops', async () => {
  const loop = 'malformed a.test: its aliases (CNAME) are a loop'
  await check({ 'a.test': { answers: [cname('a.test', 'a.test')] } }, 'A', loop)
  await check({ 'a.test': { answers: [cname('a.test', 'b.test'), cname('b.test', 'A.TEST')] } }, 'A', loop)
  await check(
    { 'a.test': { answers: [cname('a.test', 'b.test')] }, 'b.test': { answers: [cname('b.test', 'a.test')] } },
    ...(['A', loop, ['a.test', 'b.test']] as const),
  )
})

test('asked for CNAME: one step', async () => {
  const answers = [cname('a.test', 'B.test', 70), cname('b.test', 'c.test', 60), a('c.test')]
  await check({ 'a.test': { answers } }, 'CNAME', 'found a.test ["b.test"] 70')
  await check(
    { 'a.test': { answers: [cname('a.test', 'b.test'), cname('a.test', 'c.test')] } },
    'CNAME',
    'found a.test ["b.test"] 300',
  )
  await check({ 'a.test': { answers: [cname('a.test', 'a.test')] } }, 'CNAME', 'found a.test ["a.test"] 300')
  await check({ 'a.test': { answers: [a('a.test')], authorities: [soa('test')] } }, 'CNAME', 'nodata a.test [] 60')
  await check({}, 'CNAME', 'nxdomain a.test [] 60')
})

test('records that are not on the chain, of another type or class, are ignored', async () => {
  const stray = [a('other.test', '203.0.113.66'), cname('www.test', 'c.test'), mx('a.test', 10, 'm.test')]
  await check({ 'a.test': { answers: [...stray, a('a.test')] } }, 'A', 'found a.test ["192.0.2.1"] 300')
  await check({ 'a.test': { answers: stray } }, 'A', 'nodata a.test [] 0')
  await check({ 'a.test': { answers: [{ ...a('a.test'), class: 'CH' }] } }, 'A', 'nodata a.test [] 0')
  await check({ 'a.test': { answers: [{ ...cname('a.test', 'b.test'), class: 'CH' }] } }, 'A', 'nodata a.test [] 0')
})

test('invalid names', async () => {
  await check(
    { 'a.test': { answers: [cname('a.test', 'b ü.test')] } },
    'A',
    'malformed a.test is an alias for an invalid name',
  )
  await check(
    { 'a.test': { answers: [cname('a.test', 'ü.test')] } },
    'CNAME',
    'malformed CNAME a.test: no record is valid',
  )
  const good = mx('a.test', 20, 'Mail_1.Test')
  await check(
    { 'a.test': { answers: [mx('a.test', 10, 'ü.test'), good] } },
    'MX',
    'found a.test [{"preference":20,"exchange":"mail_1.test"}] 300',
  )
  await check(
    { 'a.test': { answers: [mx('a.test', 10, 'a b.test')] } },
    'MX',
    'malformed MX a.test: no record is valid',
  )
  // RFC 2317 aliases have slashes; hosts do not.
  await check(
    { 'a.test': { answers: [cname('a.test', '0/25.test'), a('0/25.test')] } },
    'A',
    'found 0/25.test ["192.0.2.1"] 300',
  )
  await check(
    { 'a.test': { answers: [mx('a.test', 10, '0/25.test')] } },
    'MX',
    'malformed MX a.test: no record is valid',
  )
})

test('names that callers give', async () => {
  const label = 'x'.repeat(63)
  const longest = `${label}.${label}.${label}.${'y'.repeat(61)}`
  await withRig(
    question => answer(question, { answers: [a(question.name)] }),
    async ({ resolve, server }) => {
      const good = async (name: string, expected: string): Promise<void> => {
        assert.equal((await resolve(name, 'A')).canonical, expected)
      }
      await good('_DMARC.Example.Org.', '_dmarc.example.org')
      await good('.', '.')
      await good(longest, longest)
      await good('user+tag=x._spf.example.org', 'user+tag=x._spf.example.org')
      const { length } = server.asked
      const bad = async (name: string, expected: RegExp): Promise<void> => {
        const { code, message } = await failure(resolve(name, 'A'))
        assert.match(`${code} ${message}`, expected)
      }
      await bad('', /^malformed "" cannot be looked up: a label is empty$/)
      await bad('..', /a label is empty/)
      await bad('.example.org', /a label is empty/)
      await bad(`${longest}z`, /more than 253 characters/)
      await bad(`${label}x.example.org`, /a label has more than 63 characters/)
      await bad('bücher.example', /only ASCII .* A-labels/)
      await bad('a b.example', /only ASCII/)
      await bad('a\\.b.example', /only ASCII/)
      await bad('a\r\n.example', /^malformed "a\\r\\n.example" cannot be looked up: only ASCII/)
      assert.equal(server.asked.length, length)
    },
  )
})
