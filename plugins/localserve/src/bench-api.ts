// What tests ask and change over HTTP beside messages and queue: the clock, scenarios, events, suppressions, sending, and
// forgetting everything. Reading needs no login; changes are the admin's. What a plugin would have to provide is answered with
// 404 and its name when it is not there.
import type Router from '@koa/router'
import type { Command, Directory, Events, Submission, Suppressions } from '@mox/plugin-sdk'
import { parseAddress } from '@mox/plugin-sdk/mail'
import type { Context } from 'koa'
import { z } from 'zod'
import type { BenchStatus, EventList, SubmitResult, Table } from './api-types.ts'
import type { BenchClock } from './clock.ts'
import { checkOwnPage, parse, RequestError, readBody, readJson, usable } from './requests.ts'
import type { Reset } from './reset.ts'
import type { Scenarios } from './scenario/scenarios.ts'
import { domainOf, scenario } from './scenario/schema.ts'

/** Rows of events and suppressions in one answer. */
export const BENCH_ROWS = 1_000
/** Bytes of a message that is sent over HTTP. */
export const SEND_BYTES: number = 32 * 1024 * 1024
/** Recipients of it: they stand in the address of the request. */
export const SEND_RECIPIENTS = 50
const WEBHOOKS = 'queue webhook list'
const RETRY_WEBHOOKS = 'queue webhook schedule'

export interface BenchDeps {
  readonly clock: BenchClock
  readonly scenarios: Scenarios
  readonly directory: Directory
  readonly submission: Submission
  readonly events: Events | undefined
  readonly suppressions: Suppressions | undefined
  readonly commands: readonly Command[]
  readonly reset: Reset
}

const count = z.coerce.number().int().min(1).max(BENCH_ROWS).default(100)
const id = z.coerce.number().int().min(0).default(0)
const eventQuery = z.object({
  after: id,
  limit: count,
  kinds: z.string().max(200).optional(),
  latest: z.literal('1').optional(),
})
const suppressionQuery = z.object({ after: id, limit: count, address: z.string().max(320).optional() })
const advance = z.strictObject({ by: z.string().max(64) })
const suppress = z.strictObject({
  address: z.string().min(1).max(320),
  reason: z.string().max(200).default('added by a test'),
})
const unsuppress = z.object({ address: z.string().min(1).max(320) })
const send = z.object({
  from: z.string().max(320),
  to: z.preprocess(
    value => (typeof value === 'string' ? [value] : value),
    z.array(z.string().max(320)).min(1).max(SEND_RECIPIENTS),
  ),
})

/** Adds to the routes of the page. */
export function benchRoutes(router: Router, deps: BenchDeps): void {
  const webhooks = commandOf(deps, WEBHOOKS)
  router.get('/api/bench', ctx => {
    ctx.body = {
      clock: deps.clock.status(),
      services: {
        events: deps.events !== undefined,
        suppressions: deps.suppressions !== undefined,
        webhooks: webhooks !== undefined,
      },
    } satisfies BenchStatus
  })
  router.get('/api/clock', ctx => {
    ctx.body = deps.clock.status()
  })
  router.get('/api/scenarios', ctx => {
    ctx.body = deps.scenarios.status()
  })
  router.get('/api/mail-events', async ctx => {
    const { after, limit, kinds, latest } = parse(eventQuery, ctx.query)
    const wanted = kinds?.split(',')
    // Filtered here, so that a kind that does not exist is an empty list and the cursor goes on.
    const all = (
      await provided(deps.events, 'events@1').list({}, latest ? { limit, descending: true } : { limit, after })
    ).sort((a, b) => a.id - b.id)
    const events = all.filter(({ kind }) => wanted === undefined || wanted.includes(kind))
    ctx.body = { events, last: all.at(-1)?.id ?? after } satisfies EventList
  })
  router.get('/api/suppressions', async ctx => {
    const { after, limit, address } = parse(suppressionQuery, ctx.query)
    const filter = address === undefined ? {} : { address }
    ctx.body = await provided(deps.suppressions, 'suppression@1').list(filter, { limit, after })
  })
  router.get('/api/webhooks', async ctx => {
    const result = await provided(webhooks, `the command ${WEBHOOKS}`).run({
      arguments: [],
      flags: new Map(),
      limit: 100,
    })
    const { columns, rows } = result.kind === 'rows' ? result : { columns: [], rows: [] }
    ctx.body = { columns, rows } satisfies Table
  })
}

/** Below /admin/. */
export function benchAdminRoutes(router: Router, deps: BenchDeps): void {
  const own = (work: (ctx: Context & { params: Record<string, string> }) => Promise<void> | void) => {
    return async (ctx: Context & { params: Record<string, string> }): Promise<void> => {
      checkOwnPage(ctx)
      await usable(() => work(ctx))
    }
  }
  router.post(
    '/clock/advance',
    own(async ctx => {
      const { by } = parse(advance, await readJson(ctx))
      ctx.body = await deps.clock.advance(by)
    }),
  )
  router.put(
    '/scenarios/:domain',
    own(async ctx => {
      deps.scenarios.set(domain(ctx.params['domain']), parse(scenario, await readJson(ctx)))
      ctx.status = 204
    }),
  )
  router.delete(
    '/scenarios/:domain',
    own(ctx => {
      if (!deps.scenarios.unset(domain(ctx.params['domain'])))
        throw new RequestError(404, 'no test has set a scenario for this domain')
      ctx.status = 204
    }),
  )
  router.post(
    '/suppressions',
    own(async ctx => {
      const { address, reason } = parse(suppress, await readJson(ctx))
      const entry = { account: '', stream: '', address, cause: 'manual' as const, reason }
      ctx.body = { added: (await provided(deps.suppressions, 'suppression@1').add(entry, 'localserve')) !== undefined }
    }),
  )
  router.delete(
    '/suppressions',
    own(async ctx => {
      const { address } = parse(unsuppress, ctx.query)
      const list = provided(deps.suppressions, 'suppression@1')
      let removed = 0
      for (const { account, stream } of await list.list({ address }, { limit: BENCH_ROWS }))
        if (await list.remove(account, stream, address, 'localserve')) removed++
      ctx.body = { removed }
    }),
  )
  router.post(
    '/webhooks/retry',
    own(async ctx => {
      const command = provided(commandOf(deps, RETRY_WEBHOOKS), `the command ${RETRY_WEBHOOKS}`)
      const flags = new Map(
        (command.flags ?? []).flatMap(({ name }) => (['now', 'all'].includes(name) ? [[name, true]] : [])),
      )
      await command.run({ arguments: ['0'], flags, limit: 100 })
      ctx.status = 204
    }),
  )
  router.post(
    '/reset',
    own(async ctx => {
      await deps.reset()
      ctx.status = 204
    }),
  )
}

/** Below /admin/messages/: POST ?from=…&to=…&to=… with a complete message sends it, as the owner of `from`. */
export function sendRoute(router: Router, deps: BenchDeps): void {
  router.post('/', async ctx => {
    checkOwnPage(ctx)
    if (!ctx.is('message/rfc822')) throw new RequestError(415, 'send a message, with Content-Type: message/rfc822')
    const { from, to } = parse(send, ctx.query)
    const reversePath = address(from)
    const found = await deps.directory.resolve(reversePath)
    if (found.kind !== 'account') throw new RequestError(400, `from: nobody here has the address ${from}`)
    const content = await readBody(ctx, SEND_BYTES)
    await usable(async () => {
      ctx.body = (await deps.submission.submit({
        ...{ account: found.account, source: 'localserve-http', content },
        envelope: { reversePath, recipients: to.map(one => ({ path: address(one) })), smtputf8: true },
      })) satisfies SubmitResult
    })
  })
}

/** Webhooks have no service of their own: what their commands say is shown. */
function commandOf({ commands }: BenchDeps, name: string): Command | undefined {
  return commands.find(({ path }) => path.join(' ') === name)
}

function provided<T>(service: T | undefined, name: string): T {
  if (service !== undefined) return service
  throw new RequestError(404, `nobody provides ${name}; add the plugin that does to mox.config.ts`)
}

function domain(text: string | undefined): string {
  const found = domainOf(text ?? '')
  if (found === undefined) throw new RequestError(400, `${JSON.stringify(text)} is not a domain`)
  return found
}

function address(text: string) {
  const parsed = parseAddress(text)
  if (!parsed.ok) throw new RequestError(400, `${JSON.stringify(text)} is not an address: ${parsed.error}`)
  return parsed.path
}
