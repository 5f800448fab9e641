// Reports that come back later, on a real database: when they come, what they carry, and what happens when they are not taken.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  clock,
  type DeliveryBatch,
  definePlugin,
  log,
  type Receiver,
  random,
  type SmtpReply,
  storage,
  system,
} from '@mox/plugin-sdk'
import { formatPath, type Path } from '@mox/plugin-sdk/mail'
import { sampleJob, type TestHost, testHost } from '@mox/plugin-sdk/testkit'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { afterEach, beforeEach, test } from 'vitest'
import { LaterReports, migrations, REPORT_TRIES, REPORTS } from '../src/later.ts'

const OK: SmtpReply = { code: 250, text: 'ok' }
const NOW_NOT: SmtpReply = { code: 451, text: 'not now' }

let dir: string
let host: TestHost
let later: LaterReports
/** What the server answers to the next reports; 250 to all others. */
let answers: SmtpReply[]
/** Sessions that brought a report: to whom, and its bytes. */
let brought: { to: string; content: string; listener: string; helo: string }[]

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mox-later-'))
  answers = []
  brought = []
  await open()
})
afterEach(async () => {
  await host.close()
  await rm(dir, { recursive: true, force: true })
})

async function open(): Promise<void> {
  const receiver: Pick<Receiver, 'open'> = {
    open: async info => {
      let to: Path | undefined
      const chunks: Buffer[] = []
      const session = {
        ...{ info, mail: async () => OK, reset: () => {}, close: () => {} },
        rcpt: async ({ path }: { path: Path }) => {
          to = path
          return OK
        },
        data: () => ({
          ...{ refused: undefined, abort: async () => {} },
          write: async (chunk: Buffer) => void chunks.push(chunk),
          finish: async () => {
            const { listener, helo } = info
            brought.push({ to: formatPath(to ?? null), content: Buffer.concat(chunks).toString(), listener, helo })
            return answers.shift() ?? OK
          },
        }),
      }
      return { session }
    },
  }
  const plugin = definePlugin({
    name: 'localserve',
    needs: { clock, log, random, storage, system },
    setup: ({ services }) => {
      later = new LaterReports({ ...services, receiver: receiver as Receiver })
      return { migrations, listen: () => later.start(), stop: () => later.stop() }
    },
  })
  host = await testHost({
    plugins: [storageSqlite(), plugin()],
    services: [[system, { hostname: 'localhost', dataDir: dir, version: '0.0.0' }]],
  })
  await host.listen()
}

const job = (fields: Parameters<typeof sampleJob>[0] = {}) =>
  sampleJob({ reversePath: { localpart: 'ann', domain: 'here.test' }, recipientDomain: 'there.test', ...fields })

async function add(afterMs: number, fields: Parameters<typeof sampleJob>[0] = {}): Promise<void> {
  const open = async function* () {
    yield Buffer.from('Subject: hi\r\nMessage-ID: <m@here.test>\r\n\r\nbody\r\n')
  }
  const about = job(fields)
  await later.add({ kind: 'bounce', afterMs }, about, { jobs: [about], open } as unknown as DeliveryBatch)
}

async function quiet(): Promise<void> {
  while (later.busy()) await new Promise(resolve => setImmediate(resolve))
}

async function advance(ms: number): Promise<void> {
  await quiet()
  await host.advance(ms)
  await quiet()
}

test('comes at its time, once, with the header section and nothing of the body', async () => {
  await add(120_000)
  await add(60_000, { recipientDomain: 'first.test' })
  await advance(59_000)
  assert.equal(brought.length, 0)
  await advance(1_000)
  assert.deepEqual(
    brought.map(({ to, listener, helo }) => [to, listener, helo]),
    [['<ann@here.test>', REPORTS, 'mx.first.test']],
  )
  assert.match(brought[0]?.content ?? '', /^Message-ID: <m@here\.test>\r$/m)
  assert.doesNotMatch(brought[0]?.content ?? '', /body/)
  await advance(3_600_000)
  assert.equal(brought.length, 2)
})

test('a restart does not lose it', async () => {
  await add(60_000)
  await host.close()
  await open()
  await advance(61_000)
  assert.equal(brought.length, 1)
})

test('what is not taken now is tried again, and given up in the end', async () => {
  answers = [NOW_NOT]
  await add(1_000)
  await advance(1_000)
  assert.equal(brought.length, 1)
  await advance(60_000)
  assert.equal(brought.length, 2)
  answers = Array.from({ length: REPORT_TRIES }, () => NOW_NOT)
  await add(1_000)
  for (let n = 0; n < REPORT_TRIES + 2; n++) await advance(60_000)
  assert.equal(brought.length, 2 + REPORT_TRIES)
  answers = [{ code: 550, text: 'never' }]
  await add(1_000)
  await advance(600_000)
  assert.equal(brought.length, 3 + REPORT_TRIES)
})

test('none for the null reverse-path, and none after a reset', async () => {
  await add(1_000, { reversePath: null })
  await add(2_000)
  await quiet()
  await later.reset()
  await advance(60_000)
  assert.equal(brought.length, 0)
})

test('a message that cannot be read does not undo its delivery', async () => {
  const about = job()
  const open = async function* () {
    yield Buffer.alloc(0)
    throw new Error('gone')
  }
  await later.add({ kind: 'complaint', afterMs: 1 }, about, { jobs: [about], open } as unknown as DeliveryBatch)
  await advance(60_000)
  assert.equal(brought.length, 0)
})
