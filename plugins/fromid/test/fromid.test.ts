// Ids given, chosen, refused; and what comes back to them.
import { deepStrictEqual, match, rejects, strictEqual } from 'node:assert'
import {
  type DsnMatchVerdict,
  definePlugin,
  hooks,
  type ParsedReport,
  quarantine,
  type ReportedRecipient,
  reportParser,
} from '@mox/plugin-sdk'
import { parseHeader } from '@mox/plugin-sdk/mail'
import { afterEach, test } from 'vitest'
import { type Mailflow, mailflow, type SendOptions } from '../../../test/kit/mailflow.ts'
import { split, withId } from '../src/address.ts'
import { fromid } from '../src/index.ts'
import { ADDRESSES, options } from '../src/options.ts'

const LOGIN = 'alice+fromid@example.org'
const ID = /^[a-z2-7]{26}$/
const REPORT = 'Content-Type: multipart/report; report-type=delivery-status; boundary=x'

let flow: Mailflow | undefined
afterEach(async () => {
  await flow?.close()
  flow = undefined
})

/** What the parser says of any report. */
let parsed: ParsedReport | undefined
const parser = definePlugin({
  name: 'parser',
  provides: { reportParser },
  setup: () => ({
    services: {
      reportParser: {
        parse: async content => {
          for await (const _ of content);
          if (parsed === undefined) throw new Error('not set')
          return parsed
        },
      },
    },
  }),
})
/** Files everything as junk unless somebody says otherwise. */
const filter = definePlugin({
  name: 'filter',
  setup: () => ({ 'onReceive.data': { category: 'content', handler: () => quarantine('looks bad') } }),
})

async function open(plugins = [parser()]): Promise<Mailflow> {
  flow = await mailflow([fromid({ loginAddresses: { alice: [LOGIN, 'alice@example.net'] } }), filter(), ...plugins], {
    paused: true,
  })
  return flow
}

/** "alice+ID@example.org ID" for each queued recipient. */
async function senders(f: Mailflow): Promise<string[]> {
  return (await f.jobs()).map(({ reversePath, fromId }) => {
    const text = reversePath === null ? '<>' : `${reversePath.localpart}@${reversePath.domain}`
    const id = fromId ?? '-'
    return ID.test(id) ? `${text.replace(id, 'ID')} ID` : `${text} ${id}`
  })
}

test('who gets an id', async () => {
  const f = await open()
  const check = async (options: Partial<SendOptions>, ...expected: string[]) => {
    await f.submit({ to: ['a@one.example'], ...options })
    deepStrictEqual(await senders(f), expected, JSON.stringify(options))
    await f.mox('queue drop', { all: true })
  }
  const unique = 'alice+ID@example.org ID'
  await check({ loginAddress: LOGIN }, unique)
  await check({ loginAddress: LOGIN, to: ['a@one.example', 'b@one.example'] }, unique, unique)
  await check({ loginAddress: 'alice+fromid@EXAMPLE.org' }, unique)
  await check({ loginAddress: 'Alice+fromid@example.org' }, 'alice@example.org -')
  await check({ loginAddress: 'alice@example.org' }, 'alice@example.org -')
  await check({ loginAddress: 'alice+fromid+x@example.org' }, 'alice@example.org -')
  await check({}, 'alice@example.org -')
  await check(
    { account: 'bob', author: 'bob@example.org', from: 'bob@example.org', loginAddress: LOGIN },
    'bob@example.org -',
  )
  await check({ loginAddress: LOGIN, from: null }, '<> -')
  // A plugin's sender with a suffix has it replaced.
  await check({ loginAddress: LOGIN, from: 'alice+news@example.org' }, unique)
  // No separator at this domain, no room in this localpart: sent as it is.
  await check({ loginAddress: LOGIN, from: 'x@example.net' }, 'x@example.net -')
  await check({ loginAddress: LOGIN, from: 'y@example.net' }, 'y@example.net -')
  const texts = f.log.texts('warn')
  strictEqual(texts.filter(text => text.includes('the domain has no separator')).length, 1, 'told once')
  strictEqual(texts.filter(text => text.includes('does nothing')).length, 1, 'alice@example.net')
})

test('ids are different, kept, and grouped apart', async () => {
  const f = await open()
  await f.submit({ loginAddress: LOGIN, to: ['a@one.example', 'b@one.example', 'c@one.example'] })
  const ids = (await f.jobs()).map(job => job.fromId)
  strictEqual(new Set(ids).size, 3)
  await f.mox('queue resume')
  await f.until(async () => (await f.jobs()).length === 0, 'sent')
  deepStrictEqual(
    f.sent.map(batch => batch.jobs.length),
    [1, 1, 1],
  )
})

test('ids of the client', async () => {
  const f = await open()
  const send = async (from: string, to: readonly string[] = ['a@one.example']) => {
    const { code, enhanced } = await f.smtp({ account: 'alice', loginAddress: LOGIN, from, to })
    return `${code} ${enhanced}`
  }
  strictEqual(await send('alice+Order-7+x@example.org'), '250 2.6.0')
  strictEqual(await send('alice+@example.org'), '250 2.6.0')
  strictEqual(await send('alice@example.org'), '250 2.6.0')
  deepStrictEqual(await senders(f), [
    'alice+Order-7+x@example.org order-7+x',
    'alice+@example.org -',
    'alice+ID@example.org ID',
  ])
  strictEqual(await send('alice+two@example.org', ['a@one.example', 'b@one.example']), '554 5.5.3')
  strictEqual(await send('alice+order-7+X@example.org'), '554 5.1.7')
  await f.mox('queue drop', { all: true })
  strictEqual(await send('alice+ORDER-7+x@example.org'), '554 5.1.7', 'the history counts')
  strictEqual((await f.jobs()).length, 0)
})

test('an id that another plugin chose', async () => {
  const chooser = definePlugin({
    name: 'chooser',
    setup: () => ({
      onQueue: {
        before: ['fromid'],
        band: 'early',
        handler: ({ draft }) => ({ kind: 'patch', changes: { fromId: draft.recipient.localpart } }),
      },
    }),
  })
  const f = await open([chooser()])
  await f.submit({ to: ['Seven@one.example'] })
  deepStrictEqual(await senders(f), ['alice+Seven@example.org seven'])
  await rejects(f.submit({ to: ['seven@two.example'] }), /554 5\.1\.7/)
})

const NONE: ParsedReport = {
  ...{ kind: 'none', reportingMta: '', arrivalDate: null, envelopeId: '', messageId: '', recipients: [] },
}
const DELIVERY = { ...NONE, kind: 'bounce' } as const
const ENTRY: ReportedRecipient = {
  ...{ action: 'failed', code: 550, status: '5.1.1', diagnostic: 'no such user', remoteMta: 'mx.one.example' },
  ...{ finalRecipient: 'a@one.example', originalRecipient: '', category: 'recipient' },
}

/** Takes a message in and asks whose report it is. */
async function incoming(f: Mailflow, options: SendOptions, account = 'alice'): Promise<DsnMatchVerdict> {
  const reply = await f.smtp({ from: null, ...options })
  strictEqual(reply.code, 250)
  const [message] = await f.storage.messages.list({ limit: 1 })
  if (message === undefined) throw new Error('no message')
  const content = Buffer.from(`From: <alice@example.org>\r\n${(options.headers ?? []).join('\r\n')}\r\n\r\ntext\r\n`)
  const { verdict } = await f.service(hooks).decide(
    'onDSN.match',
    {
      ...{ messageId: message.id, recipient: options.to[0] ?? '', account, head: parseHeader(content) },
      content: async function* () {
        yield content
      },
    },
    { signal: new AbortController().signal },
  )
  return verdict
}

test('what comes back', async () => {
  const f = await open()
  const [queued = 0] = await f.submit({ loginAddress: LOGIN, to: ['a@one.example'] })
  const address = `alice+${(await f.jobs())[0]?.fromId?.toUpperCase()}@example.org`
  const check = async (report: ParsedReport, options: Partial<SendOptions>, expected: string, account?: string) => {
    parsed = report
    const verdict = await incoming(f, { to: [address], headers: [REPORT], ...options }, account)
    const said =
      verdict?.kind === 'match'
        ? `${verdict.queueId === queued} ${verdict.event.action} ${verdict.event.code} ${verdict.event.enhanced}`
        : verdict?.kind
    strictEqual(said, expected, JSON.stringify([report, options]))
  }
  const failed = 'true failed 550 5.1.1'
  const everything = async () => {
    await check({ ...DELIVERY, recipients: [ENTRY] }, {}, failed)
    await check({ ...DELIVERY, recipients: [{ ...ENTRY, finalRecipient: 'elsewhere@two.example' }] }, {}, failed)
    const other = { ...ENTRY, finalRecipient: 'x@two.example', code: 451 }
    await check({ ...DELIVERY, recipients: [other, { ...ENTRY, finalRecipient: 'A@one.example' }] }, {}, failed)
    await check(
      { ...DELIVERY, recipients: [{ ...other, originalRecipient: 'a@one.example' }, ENTRY] },
      {},
      'true failed 451 5.1.1',
    )
    await check({ ...DELIVERY, recipients: [other, other] }, {}, 'true unrecognized 0 ')
    await check({ ...DELIVERY, recipients: [] }, {}, 'true unrecognized 0 ')
    await check(NONE, {}, 'true unrecognized 0 ')
    await check({ ...NONE, kind: 'complaint' }, {}, 'true complained 0 ')
    await check({ ...NONE, kind: 'auto-reply' }, {}, 'true unrecognized 0 ')
    // No report: a machine's own words, or a person's reply.
    await check(NONE, { headers: [] }, 'true unrecognized 0 ')
    await check(NONE, { headers: [], from: 'a@one.example' }, 'pass')
    await check(
      NONE,
      { headers: ['Content-Type: multipart/report; report-type=disposition-notification'], from: 'a@one.example' },
      'pass',
    )
    // A report that has a sender is a report nevertheless.
    await check({ ...DELIVERY, recipients: [ENTRY] }, { from: 'mailer@one.example' }, failed)
  }
  await everything()
  // Another account's, another id, no id.
  await check({ ...DELIVERY, recipients: [ENTRY] }, {}, 'pass', 'bob')
  await check({ ...DELIVERY, recipients: [ENTRY] }, { to: ['alice+aaaa@example.org'] }, 'pass')
  await check({ ...DELIVERY, recipients: [ENTRY] }, { to: ['alice@example.org'] }, 'pass')
  await check({ ...DELIVERY, recipients: [ENTRY] }, { to: ['alice+@example.org'] }, 'pass')
  await f.mox('queue drop', { all: true })
  await everything()
  await f.restart()
  await everything()
})

test('without a parser', async () => {
  const f = await open([])
  await f.submit({ loginAddress: LOGIN, to: ['a@one.example'] })
  const address = `alice+${(await f.jobs())[0]?.fromId}@example.org`
  const verdict = await incoming(f, { to: [address], headers: [REPORT] })
  strictEqual(verdict?.kind === 'match' && verdict.event.action, 'unrecognized')
})

test('reports about our messages are not filed as junk', async () => {
  const f = await open()
  await f.submit({ loginAddress: LOGIN, to: ['a@one.example'] })
  const address = `alice+${(await f.jobs())[0]?.fromId}@example.org`
  const check = async (options: Partial<SendOptions>, exempted: boolean) => {
    strictEqual((await f.smtp({ from: null, to: [address], headers: [REPORT], ...options })).code, 250)
    const [message] = await f.storage.messages.list({ limit: 1 })
    const verdicts = message?.trace
      .filter(one => one.hook === 'onReceive.data')
      .map(one => `${one.plugin} ${one.verdict}`)
    deepStrictEqual(verdicts?.includes('fromid exempt'), exempted, JSON.stringify(options))
    deepStrictEqual(verdicts.includes('filter quarantine'), !exempted)
  }
  await check({}, true)
  await check({ headers: [REPORT.toUpperCase().replace('CONTENT', 'Content')] }, true)
  await check({ headers: [] }, false)
  await check({ from: 'spam@one.example' }, false)
  await check({ to: ['alice+guess@example.org'] }, false)
  // Bob's address with alice's id.
  await check({ to: [address.replace('alice', 'bob')] }, false)
})

test('addresses with ids', () => {
  const check = (localpart: string, separator: string, base: string, rest: string | undefined) =>
    deepStrictEqual(split(localpart, separator), { base, rest })
  check('a', '+', 'a', undefined)
  check('a+b+c', '+', 'a', 'b+c')
  check('a+', '+', 'a', '')
  check('+a', '+', '+a', undefined)
  check('a--b', '--', 'a', 'b')
  const room = (length: number) =>
    withId({ localpart: 'x'.repeat(length), domain: 'd' }, '+', 'i'.repeat(26))?.localpart.length
  deepStrictEqual([room(37), room(38)], [64, undefined])
})

test('options', () => {
  const check = (input: unknown, expected: RegExp | undefined) => {
    const result = options.safeParse(input)
    if (expected === undefined) strictEqual(result.success, true)
    else match(result.success ? '' : result.error.issues.map(i => `${i.path.join('.')} ${i.message}`).join(), expected)
  }
  check({ loginAddresses: { alice: ['a+b@example.org'] } }, undefined)
  check({ loginAddresses: { alice: ['a'] } }, /^loginAddresses\.alice\.0 must be an address/)
  check({ loginAddresses: { alice: [] } }, /^loginAddresses\.alice/)
  check({ loginAddresses: { alice: new Array(ADDRESSES).fill('a@b.example') } }, undefined)
  check({ loginAddresses: { alice: new Array(ADDRESSES + 1).fill('a@b.example') } }, /^loginAddresses\.alice/)
  check({}, /^loginAddresses/)
})
