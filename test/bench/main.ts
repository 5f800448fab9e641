// `npm run bench [-- --quick] [-- --only WORD]`: how fast the real program takes and delivers mail, and how much memory it
// needs. Prints tables with the target of each figure; slow figures are shown, only errors make it fail.
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import type { TableFigures } from './jobs.ts'
import { largeHistory, largeMailbox, largeQueue, webmail } from './load-client.ts'
import {
  drain,
  drainOutside,
  firstBanner,
  idle,
  type Throughput,
  type ThroughputOptions,
  throughput,
} from './scenarios.ts'
import { formatTable, number } from './table.ts'
import { type WebhookRate, webhookRate } from './webhooks.ts'
import { webmailPage } from './webmail-page.ts'

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
})
const scale = values.quick ? 0.1 : 1
const many = (n: number): number => Math.max(20, Math.round(n * scale))

interface Row {
  readonly name: string
  readonly options: ThroughputOptions
  /** Messages per second. */
  readonly target?: number
  /** Bytes of PSS. */
  readonly maxPss?: number
  /** Milliseconds of event-loop delay, 99th percentile. */
  readonly maxLoop?: number
}

const MB = 1e6
const ROWS: readonly Row[] = [
  { name: 'into the queue', options: { messages: many(40_000) }, target: 3000, maxLoop: 10 },
  { name: 'into the queue, pipelined', options: { messages: many(40_000), pipelining: true } },
  {
    name: 'into the queue, a connection per message',
    options: { messages: many(15_000), reuse: false },
    target: 1500,
  },
  {
    name: 'incoming, a connection per message',
    options: { messages: many(15_000), reuse: false, incoming: true },
  },
  { name: 'into the queue, webapi', options: { messages: many(15_000), webapi: true }, target: 1500 },
  { name: 'through to the mailbox', options: { messages: many(15_000), deliver: true }, target: 1200, maxLoop: 10 },
  {
    name: 'into the queue, 1 MB each',
    options: { messages: many(1500), size: 1_000_000 },
    maxPss: 200 * MB,
  },
]

interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly most: number
}

const figures: Figure[] = []
const results: [Pick<Row, 'name' | 'target'>, Throughput][] = []
// What else runs on the machine takes its part: figures count when the load is near zero.
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, load ${number(loadavg()[0] ?? 0, 1)}`,
)
console.log(
  'Messages of 10 kB over 20 connections unless said otherwise; every message is on stable storage before its 250.\n',
)

for (const row of ROWS) {
  if (!row.name.includes(values.only)) continue
  progress(row.name)
  const result = await throughput(row.options)
  results.push([row, result])
  if (row.maxLoop !== undefined)
    figures.push({ name: `event-loop delay p99, ${row.name}`, value: result.loop.p99, unit: 'ms', most: row.maxLoop })
  if (row.maxPss !== undefined)
    figures.push({ name: `peak PSS, ${row.name}`, value: result.pss / MB, unit: 'MB', most: row.maxPss / MB })
}
/** Connections at the same time: 100 domains, five each. More would mean that they are not used again. */
const OPEN = 500
const OUT: readonly (readonly [name: string, target: number, run: () => Promise<Throughput>])[] = [
  ['out of the queue, 100 domains', 3000, () => drain(many(30_000))],
  ['out over SMTP, 100 domains', 2000, () => drainOutside(many(10_000), false)],
  ['out over SMTP with STARTTLS, 100 domains', 1500, () => drainOutside(many(10_000), true)],
]
for (const [name, target, run] of OUT) {
  if (!name.includes(values.only)) continue
  progress(name)
  const result = await run()
  results.push([{ name, target }, result])
  figures.push({ name: `event-loop delay p99, ${name}`, value: result.loop.p99, unit: 'ms', most: 10 })
  if (result.connections !== undefined)
    figures.push({ name: `connections, ${name}`, value: result.connections, unit: '', most: OPEN })
}
if ('start'.includes(values.only)) {
  progress('start')
  const start = await firstBanner(values.quick ? 3 : 9)
  figures.push({ name: 'first banner, new directory', value: start.fresh, unit: 'ms', most: 500 })
  figures.push({ name: 'first banner, later starts', value: start.again, unit: 'ms', most: 500 })
}
if ('idle'.includes(values.only)) {
  progress('idle')
  const sessions = values.quick ? 500 : 2000
  const { pss, perSession } = await idle(sessions)
  figures.push({ name: 'PSS of an idle server', value: pss / MB, unit: 'MB', most: 90 })
  figures.push({ name: `one of ${number(sessions)} idle sessions`, value: perSession / 1000, unit: 'kB', most: 15 })
}
let queue: Awaited<ReturnType<typeof largeQueue>> | undefined
const queued = values.quick ? 100_000 : 1_000_000
if ('queue of a million'.includes(values.only)) {
  progress('queue of a million')
  queue = await largeQueue(queued)
  figures.push({ name: 'event-loop delay p99, large queue listed', value: queue.loopP99, unit: 'ms', most: 10 })
  figures.push({ name: 'RSS, large queue', value: queue.rss / MB, unit: 'MB', most: 250 })
}
let history: Awaited<ReturnType<typeof largeHistory>> | undefined
if ('history of a million'.includes(values.only)) {
  progress('history of a million')
  history = await largeHistory(queued)
  figures.push({ name: 'event-loop delay p99, large history listed', value: history.loopP99, unit: 'ms', most: 10 })
  figures.push({ name: 'RSS, large history', value: history.rss / MB, unit: 'MB', most: 250 })
}
/** Name, calls per second that are expected, events, endpoints. */
const HOOKS = [
  ['webhooks, one endpoint', undefined, many(10_000), 1],
  ['webhooks, eight endpoints', 2000, many(4_000), 8],
] as const
const hooks: [(typeof HOOKS)[number], WebhookRate][] = []
for (const row of HOOKS) {
  if (!row[0].includes(values.only)) continue
  progress(row[0])
  hooks.push([row, await webhookRate(row[2], row[3])])
}
let mailbox: Awaited<ReturnType<typeof largeMailbox>> | undefined
const stored = values.quick ? 100_000 : 1_000_000
if ('mailbox pages'.includes(values.only)) {
  progress('mailbox pages')
  mailbox = await largeMailbox(stored)
  figures.push({ name: 'event-loop delay p99, mailbox pages', value: mailbox.loopP99, unit: 'ms', most: 10 })
  figures.push({ name: 'RSS, mailbox pages', value: mailbox.rss / MB, unit: 'MB', most: 250 })
}
let views: Awaited<ReturnType<typeof webmail>> | undefined
const viewed = values.quick ? 10_000 : 100_000
if ('webmail'.includes(values.only)) {
  progress('webmail')
  views = await webmail(viewed)
  figures.push({ name: 'event-loop delay p99, webmail', value: views.loopP99, unit: 'ms', most: 10 })
  figures.push({ name: 'one of 500 open streams', value: views.perStream / 1000, unit: 'kB', most: 50 })
}
const scrolled = values.quick ? 5_000 : 100_000
if ('webmail page'.includes(values.only)) {
  progress('webmail page')
  const page = await webmailPage(scrolled)
  if (page === undefined) console.log('the page of the webmail: skipped, Chromium is not installed')
  else {
    figures.push({ name: 'webmail usable, first visit', value: page.cold, unit: 'ms', most: 1_000 })
    figures.push({ name: 'webmail usable, later visits', value: page.warm, unit: 'ms', most: 1_000 })
    figures.push({
      name: `between frames, scrolling ${number(page.rows)} rows, median`,
      value: page.p50,
      unit: 'ms',
      most: 17,
    })
    figures.push({ name: 'the same, 99th percentile', value: page.p99, unit: 'ms', most: 17 })
    figures.push({ name: 'work of the page for a frame', value: page.work, unit: 'ms', most: 16 })
    figures.push({
      name: `from a key to its frame, ${number(page.rows)} rows loaded`,
      value: page.key,
      unit: 'ms',
      most: 50,
    })
  }
}
progress('')

if (results.length > 0)
  console.log(
    formatTable(
      ['submission', 'messages/s', 'target', '', 'CPU s/1000', 'p50 ms', 'p99 ms', 'RSS MB', 'PSS MB', 'loop p99 ms'],
      results.map(([row, r]) => {
        const rate = r.messages / r.seconds
        return [
          row.name,
          number(rate),
          row.target === undefined ? '' : `≥ ${number(row.target)}`,
          row.target === undefined ? '' : rate >= row.target ? 'ok' : 'below',
          number((r.cpuSeconds / r.messages) * 1000, 2),
          r.p50 === undefined ? '' : number(r.p50, 1),
          r.p99 === undefined ? '' : number(r.p99, 1),
          number(r.rss / MB),
          number(r.pss / MB),
          number(r.loop.p99, 1),
        ]
      }),
    ),
  )
if (queue !== undefined)
  printTimings(
    `queue of ${number(queued)}, filled in ${number(queue.seconds)} s, ${number(queue.changedPerSecond)} held/s`,
    queue,
  )
if (mailbox !== undefined)
  printTimings(
    `pages of 50 of ${number(stored)} messages, searches in 100,000; filled in ${number(mailbox.seconds)} s`,
    mailbox,
  )
if (views !== undefined)
  printTimings(`webmail, ${number(viewed)} messages, filled in ${number(views.seconds)} s`, views)
if (history !== undefined) printTimings(`history of ${number(queued)}, filled in ${number(history.seconds)} s`, history)
if (hooks.length > 0)
  console.log(
    formatTable(
      ['webhook calls to a receiver on this machine', 'calls/s', 'target', ''],
      hooks.map(([[name, target], { calls, seconds }]) => [
        name,
        number(calls / seconds),
        target === undefined ? '' : `≥ ${number(target)}`,
        target === undefined ? '' : calls / seconds >= target ? 'ok' : 'below',
      ]),
    ),
  )
if (figures.length > 0)
  console.log(
    formatTable(
      ['figure', 'value', 'target', ''],
      figures.map(f => [
        f.name,
        `${number(f.value, 1)} ${f.unit}`.trimEnd(),
        `≤ ${number(f.most)} ${f.unit}`.trimEnd(),
        f.value <= f.most ? 'ok' : 'above',
      ]),
    ),
  )

function printTimings(title: string, { timings }: TableFigures): void {
  console.log(
    formatTable(
      [title, ...['median ms', 'worst ms', 'target', '']],
      timings.map(([name, { median, worst }, most]) => [
        ...[name, number(median, 1), number(worst, 1), most === null ? '' : `≤ ${most}`],
        most === null ? '' : median <= most ? 'ok' : 'above',
      ]),
    ),
  )
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}
