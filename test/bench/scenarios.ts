// What is measured: each scenario starts a fresh server on an empty directory, loads it, and gives back its figures.
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { mox } from '../kit/cli.ts'
import { type ConfigOptions, LOGIN } from '../kit/config.ts'
import { Outside } from '../kit/outside.ts'
import type { ProbeLoop } from '../kit/probe.ts'
import { cpuOf, memoryOf, openFiles } from '../kit/proc.ts'
import { type Server, spawnServer, startServer } from '../kit/server.ts'
import { smtpSession } from '../kit/smtp.ts'
import { eventually, removeDir, tempDir } from '../kit/temp.ts'
import type { HttpJob, IdleJob, LoadJob, LoadResult } from './jobs.ts'
import { load, withIdleSessions } from './load-client.ts'

export interface Throughput {
  readonly messages: number
  readonly seconds: number
  readonly cpuSeconds: number
  /** That the world outside saw. */
  readonly connections?: number
  /** Milliseconds of a submission. */
  readonly p50?: number
  readonly p99?: number
  /** Bytes, the highest seen. */
  readonly rss: number
  readonly pss: number
  /** Event loop of the server. */
  readonly loop: ProbeLoop
}

export interface ThroughputOptions {
  readonly messages: number
  readonly size?: number
  readonly connections?: number
  readonly reuse?: boolean
  readonly pipelining?: boolean
  /** Delivery runs, and the time counts until everything is in the mailbox. */
  readonly deliver?: boolean
  /** Over the listener for other servers, without a login. */
  readonly incoming?: boolean
  /** Through the web API instead of SMTP. */
  readonly webapi?: boolean
}

export async function throughput(options: ThroughputOptions): Promise<Throughput> {
  const deliver = options.deliver ?? false
  const webapi = { plugins: ['webapi()'], imports: ["import { webapi } from '@mox/plugin-webapi'"] }
  await using server = await startServer({ config: { paused: !deliver, ...(options.webapi ? webapi : {}) } })
  const job = options.webapi ? await httpJob(server, options) : smtpJob(server, options)
  // A short run first: compiled code and a warm page cache are what a server has that runs for days.
  await load({ ...job, messages: Math.min(job.connections * 10, job.messages) })
  await empty(server, deliver)
  const watch = watchMemory(server.pid)
  await server.post('/probe/loop/start')
  const cpu = await cpuOf(server.pid)
  const started = performance.now()
  const result: LoadResult = await load(job)
  if (deliver) await empty(server, deliver)
  const seconds = deliver ? (performance.now() - started) / 1000 : result.seconds
  const cpuSeconds = (await cpuOf(server.pid)) - cpu
  const loop = await server.post<ProbeLoop>('/probe/loop/stop')
  const { rss, pss } = await watch()
  await server.stop()
  return { messages: result.messages, seconds, cpuSeconds, p50: result.p50, p99: result.p99, rss, pss, loop }
}

/** A transport that takes no time: what is left is the way out of the queue. */
export async function drain(messages: number): Promise<Throughput> {
  const transport = JSON.stringify(fileURLToPath(new URL('./null-transport.ts', import.meta.url)))
  const config = { imports: [`import { nullTransport } from ${transport}`], plugins: ['nullTransport()'] }
  return await empties(config, messages)
}

/** Over SMTP, to the world outside: every domain has an MX host of its own, all of them one process on this machine. */
export async function drainOutside(messages: number, tls: boolean): Promise<Throughput> {
  await using outside = await Outside.start({ tls })
  const result = await empties(outside.config(), messages)
  const { messages: taken, connections, secured } = await outside.counts()
  if (taken < messages) throw new Error(`${messages} messages were delivered and ${taken} arrived`)
  if (tls && secured < connections) throw new Error(`${connections - secured} of ${connections} connections had no TLS`)
  return { ...result, connections }
}

/** Into a paused queue, to 100 domains; what is measured is the way out of it. */
async function empties(config: Pick<ConfigOptions, 'imports' | 'plugins'>, messages: number): Promise<Throughput> {
  await using server = await startServer({ config: { ...config, paused: true } })
  const job: LoadJob = {
    ...{ kind: 'submit', port: server.port('submission'), connections: 20, messages, size: 10_000 },
    ...{ reuse: true, pipelining: true, from: 'alice@example.org', to: 'bob@d#.example.net', domains: 100 },
    ...LOGIN.serve,
  }
  // A short run first, as above.
  await load({ ...job, messages: Math.min(1000, messages) })
  await server.post('/probe/queue/resume')
  await empty(server, true)
  await server.post('/probe/queue/pause')
  await load(job)
  const watch = watchMemory(server.pid)
  await server.post('/probe/loop/start')
  const cpu = await cpuOf(server.pid)
  const started = performance.now()
  await server.post('/probe/queue/resume')
  await empty(server, true)
  const seconds = (performance.now() - started) / 1000
  const cpuSeconds = (await cpuOf(server.pid)) - cpu
  const loop = await server.post<ProbeLoop>('/probe/loop/stop')
  const { rss, pss } = await watch()
  await server.stop()
  return { messages, seconds, cpuSeconds, rss, pss, loop }
}

function smtpJob(server: Server, options: ThroughputOptions): LoadJob {
  return {
    kind: 'submit',
    port: server.port(options.incoming ? 'smtp' : 'submission'),
    connections: options.connections ?? 20,
    messages: options.messages,
    size: options.size ?? 10_000,
    reuse: options.reuse ?? true,
    pipelining: options.pipelining ?? false,
    from: options.incoming ? 'someone@example.net' : 'alice@example.org',
    to: 'bob@example.org',
    ...(options.incoming ? {} : LOGIN.serve),
  }
}

async function httpJob(server: Server, options: ThroughputOptions): Promise<HttpJob> {
  const { stdout, stderr } = await mox(['webapi', 'key', 'add', 'alice', 'bench', '--config', server.configFile])
  const key = /^mox_\S+$/m.exec(stdout)?.[0]
  if (key === undefined) throw new Error(`no API key: ${stdout}${stderr}`)
  return {
    ...{ kind: 'post', port: server.port('http'), path: '/webapi/v1/messages', authorization: `Bearer ${key}` },
    ...{ connections: options.connections ?? 20, messages: options.messages, size: options.size ?? 10_000 },
    to: 'bob@example.org',
  }
}

/** Waits until the queue is empty, when it is being delivered at all. */
async function empty(server: Server, deliver: boolean): Promise<void> {
  if (!deliver) return
  await eventually(
    async () => {
      const { queued } = await server.get<{ queued: number }>('/probe/queued')
      if (queued > 0) throw new Error(`${queued} still queued`)
    },
    { within: 300_000, every: 20 },
  )
}

/** Highest memory use until the returned function is called. */
function watchMemory(pid: number): () => Promise<{ rss: number; pss: number }> {
  let running = true
  const high = { rss: 0, pss: 0 }
  const loop = (async () => {
    while (running) {
      const { rss, pss } = await memoryOf(pid)
      high.rss = Math.max(high.rss, rss)
      high.pss = Math.max(high.pss, pss)
      await sleep(250)
    }
  })()
  return async () => {
    running = false
    await loop
    return high
  }
}

/** Milliseconds from the start of the process to the first greeting: the first start of a directory, and a later one. */
export async function firstBanner(rounds: number): Promise<{ fresh: number; again: number }> {
  const fresh: number[] = []
  const again: number[] = []
  for (let i = 0; i < rounds; i++) {
    const dir = await tempDir()
    try {
      fresh.push(await banner(dir, {}))
      again.push(await banner(dir, undefined))
    } finally {
      await removeDir(dir)
    }
  }
  return { fresh: median(fresh), again: median(again) }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

async function banner(dir: string, config: ConfigOptions | undefined): Promise<number> {
  const started = performance.now()
  await using server = await spawnServer(config === undefined ? { dir } : { dir, config })
  const port = await eventually(() => server.port('smtp'), { every: 1, within: 20_000 })
  const session = await smtpSession({ port })
  const ms = performance.now() - started
  session.close()
  await server.stop()
  return ms
}

/**
 * Bytes that an idle server uses, and one idle session after EHLO. The sessions are opened once before the measurement, so
 * that the room in which opening them makes its garbage is there already and is not counted as theirs.
 */
export async function idle(sessions: number): Promise<{ pss: number; perSession: number }> {
  await using server = await startServer()
  await sleep(3000)
  const { pss } = await memoryOf(server.pid)
  const inUse = async (): Promise<number> => {
    await server.post('/probe/collect')
    return (await memoryOf(server.pid)).pss
  }
  const job: IdleJob = { kind: 'idle', port: server.port('smtp'), connections: sessions }
  const files = await openFiles(server.pid)
  await withIdleSessions(job, inUse)
  await eventually(async () => {
    const open = (await openFiles(server.pid)) - files
    if (open > 10) throw new Error(`${open} sessions are still open`)
  })
  const before = await inUse()
  const after = await withIdleSessions(job, inUse)
  await server.stop()
  return { pss, perSession: (after - before) / sessions }
}
