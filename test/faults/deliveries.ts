// Kills the server while it delivers: a full queue goes to a server that writes down what it takes, in another process, and the
// one that sends is killed with SIGKILL at random moments until the queue is empty. Then the log of the one and the history of
// the other must agree: everything arrived, and what arrived more than once did so for a reason that the history has.
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConfigOptions, configText, LOGIN } from '../kit/config.ts'
import { Outside, type Taken } from '../kit/outside.ts'
import type { ProbeRecipient } from '../kit/probe.ts'
import { type Server, spawnServer, startServer } from '../kit/server.ts'
import { eventually, removeDir, tempDir } from '../kit/temp.ts'
import { type Expected, judgeDeliveries } from './judge-deliveries.ts'
import type { Seeded } from './random.ts'

/** Sessions that fill the queue. */
const SESSIONS = 6
const DOMAINS = 50
/** Recipients of one message at one domain, at most. */
const RECIPIENTS = 3
/** Milliseconds until the server is killed, at most: counted from when it is ready, or from its start. */
const LONGEST = 500
/** One kill in so many comes while the server starts. */
const DURING_START = 6
/** Milliseconds that the other server thinks about a message: a kill then leaves it taken and not recorded. */
const REPLY_AFTER_MS = 3
/** Kills before the queue must be empty: then the server is left alone, as all its time would go into starting. */
const KILLS = 100
/** Seconds between attempts; there is one attempt more than kills that can hit it. */
const RETRY: readonly number[] = Array<number>(KILLS).fill(1)

export async function killedDeliveries(
  deliveries: number,
  random: Seeded,
): Promise<{ readonly problems: readonly string[]; readonly summary: string }> {
  const dir = await tempDir('mox-faults')
  await using outside = await Outside.start({ record: true, replyAfterMs: REPLY_AFTER_MS })
  const options: ConfigOptions = { ...outside.config(), retrySchedule: RETRY }
  const filling = await startServer({ dir, config: { ...options, paused: true } })
  const expected = await fill(filling, deliveries, random)
  await filling.stop()
  let config: string | undefined = configText(options)
  const kills: number[] = []
  const started = performance.now()
  while (kills.length < KILLS) {
    const duringStart = random.below(DURING_START) === 0
    const delay = random.below(LONGEST)
    const server = await spawnServer({ dir, ...(config === undefined ? {} : { config }) })
    config = undefined
    if (!duringStart) await server.whenReady(30_000)
    await sleep(delay)
    const empty = !duringStart && (await queued(server)) === 0
    await server.kill()
    // The time after it: nothing that the process began is later.
    kills.push(Date.now())
    if (empty) break
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${kills.length} kills`)
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  const server = await startServer({ dir, within: 60_000 })
  await eventually(
    async () => {
      const left = await queued(server)
      if (left > 0) throw new Error(`${left} recipients are still queued`)
    },
    { within: 300_000 },
  )
  const history = await recipientsOf(server)
  await server.stop()
  const log: readonly Taken[] = await outside.log()
  const { problems, interrupted, repeated } = judgeDeliveries({ expected, log, history, kills })
  if (problems.length === 0) await removeDir(dir)
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  const kept = problems.length === 0 ? '' : `; the directory is kept: ${dir}`
  return {
    problems,
    summary:
      `killed ${kills.length} times in ${seconds} s: ${history.length} recipients, ${interrupted} attempts interrupted, ` +
      `${repeated} deliveries repeated; ${problems.length} problems${kept}`,
  }
}

async function queued(server: Server): Promise<number> {
  return (await server.get<{ queued: number }>('/probe/queued')).queued
}

/** Submits messages until there are so many recipients; one message has up to three at its domain. */
async function fill(server: Server, deliveries: number, random: Seeded): Promise<Expected[]> {
  const expected: Expected[] = []
  let left = deliveries
  let number = 0
  const next = (): Expected | undefined => {
    if (left <= 0) return undefined
    const count = Math.min(left, 1 + random.below(RECIPIENTS))
    left -= count
    const subject = `delivery-${++number}`
    const domain = `d${random.below(DOMAINS)}.example.net`
    const recipients = Array.from({ length: count }, (_, i) => `r${i}@${domain}`)
    const content = makeContent(subject, random.below(6000))
    const one = { subject, recipients, content, hash: createHash('sha256').update(content).digest('hex') }
    expected.push(one)
    return one
  }
  await Promise.all(
    Array.from({ length: SESSIONS }, async () => {
      const session = await server.smtp()
      await session.ehlo()
      await session.login(LOGIN.serve)
      for (let one = next(); one !== undefined; one = next()) {
        const { recipients: to, content, subject } = one
        const reply = (await session.sendPipelined({ from: 'alice@example.org', to, content })).at(-1)
        if (reply?.code !== 250) throw new Error(`${subject} was refused: ${reply?.code} ${reply?.lines.join(' / ')}`)
      }
      await session.quit()
    }),
  )
  return expected
}

/** With lines that begin with a dot. */
function makeContent(subject: string, size: number): Buffer {
  const head = `From: alice@example.org\r\nTo: undisclosed\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <${subject}@fault.test>\r\nSubject: ${subject}\r\n\r\n`
  const lines = `.${subject} ${'abcdefghij'.repeat(6)}\r\n..\r\n`
  return Buffer.from(head + lines.repeat(1 + Math.floor(size / lines.length)))
}

/** The history, page by page. */
async function recipientsOf(server: Server): Promise<ProbeRecipient[]> {
  const all: ProbeRecipient[] = []
  for (;;) {
    const page = await server.get<ProbeRecipient[]>(`/probe/recipients?after=${all.at(-1)?.id ?? 0}`)
    if (page.length === 0) return all
    all.push(...page)
  }
}
