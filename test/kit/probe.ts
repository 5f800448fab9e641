// A plugin for tests that looks into the running server over HTTP, below /probe/: what is in the mailboxes, how much is
// queued, how late the event loop is. It also makes the database full on demand.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Router from '@koa/router'
import {
  type Attempt,
  definePlugin,
  type FinalStatus,
  type HttpRoutes,
  mailboxes,
  type PluginFactory,
  queueControl,
  routes,
  storage,
} from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'

export interface ProbeMessage {
  readonly id: number
  readonly account: string
  readonly messageId: number
  readonly subject: string
  readonly size: number
  readonly mailFrom: string
  readonly rcptTo: string
}

export interface ProbeRecipient {
  readonly id: number
  readonly address: string
  readonly subject: string
  readonly status: FinalStatus | 'queued'
  readonly results: readonly Attempt[]
}

export interface ProbeLoop {
  /** Milliseconds beyond the timer's own interval. */
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Milliseconds between the samples of the event loop. */
const RESOLUTION = 1

/** As text: koa asks of an object whether it is a Response, and Node then loads its whole fetch(), which memory would show. */
function answer(ctx: { type: string; body: unknown }, value: object): void {
  ctx.type = 'json'
  ctx.body = JSON.stringify(value)
}

export const probe: PluginFactory<undefined> = definePlugin({
  name: 'probe',
  needs: { mailboxes, storage, queueControl },
  provides: { routes },
  setup: ({ services: { mailboxes, storage, queueControl } }) => {
    const router = new Router()
    let delay: ReturnType<typeof monitorEventLoopDelay> | undefined

    router.get('/probe/mail', async ctx => {
      const before = Number(ctx.query['before'] ?? 0)
      const all = await mailboxes.recent({ limit: 1000, ...(before === 0 ? {} : { before }) })
      ctx.body = all.map(
        ({ id, account, messageId, subject, size, mailFrom, rcptTo }): ProbeMessage => ({
          id,
          account,
          messageId,
          subject,
          size,
          mailFrom,
          rcptTo,
        }),
      )
    })
    router.get('/probe/mail/:id', async ctx => {
      ctx.type = 'application/octet-stream'
      ctx.body = Readable.from(await mailboxes.open(Number(ctx.params['id'])))
    })
    router.get('/probe/count/:account', async ctx => {
      const all = await (await mailboxes.store(ctx.params['account'] ?? '')).mailboxes()
      ctx.body = { stored: all.reduce((sum, m) => sum + m.total, 0), queued: await storage.queue.count({}) }
    })
    router.get('/probe/queued', async ctx => {
      answer(ctx, { queued: await storage.queue.count({}) })
    })
    // Recipients with their attempts: those that are queued, and a page of those that are done, by id.
    router.get('/probe/recipients', async ctx => {
      const page = { limit: 1000, ascending: true, byId: true }
      const after = { value: 0, id: Number(ctx.query['after'] ?? 0) }
      const retired = await storage.history.list({}, { ...page, after })
      ctx.body = [...(await storage.queue.list({}, page)), ...retired].map(
        ({ id, recipient, subject, results, ...one }): ProbeRecipient => ({
          ...{ id, address: formatAddress(recipient), subject, results },
          status: 'status' in one ? one.status : 'queued',
        }),
      )
    })
    router.post('/probe/queue/:verb', ctx => {
      if (ctx.params['verb'] === 'pause') queueControl.pause()
      else queueControl.resume()
      answer(ctx, queueControl.status())
    })
    router.post('/probe/loop/start', ctx => {
      delay?.disable()
      delay = monitorEventLoopDelay({ resolution: RESOLUTION })
      delay.enable()
      answer(ctx, {})
    })
    router.post('/probe/loop/stop', ctx => {
      const ms = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION)
      delay?.disable()
      const loop: ProbeLoop = {
        p50: ms(delay?.percentile(50) ?? 0),
        p99: ms(delay?.percentile(99) ?? 0),
        max: ms(delay?.max ?? 0),
      }
      answer(ctx, loop)
    })
    // Collects garbage: what is used afterwards is really in use.
    router.post('/probe/collect', ctx => {
      setFlagsFromString('--expose-gc')
      ;(runInNewContext('gc') as () => void)()
      answer(ctx, process.memoryUsage())
    })
    // `spare` pages more than now, or no limit: SQLite then answers as it does on a full disk.
    router.post('/probe/spare/:pages', async ctx => {
      const spare = Number(ctx.params['pages'])
      await storage.write(async db => {
        const rows = (await db.raw('PRAGMA page_count')) as { page_count: number }[]
        const limit = spare < 0 ? 4_294_967_294 : (rows[0]?.page_count ?? 0) + spare
        await db.raw(`PRAGMA max_page_count = ${limit}`)
      })
      answer(ctx, {})
    })
    return {
      services: {
        routes: {
          prefix: '/probe/',
          audience: 'internal',
          title: 'Probe',
          middleware: router.routes() as unknown as HttpRoutes['middleware'],
        },
      },
    }
  },
})
