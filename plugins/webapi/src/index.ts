// @mox/plugin-webapi: sending mail over HTTP and reading what became of it: v0, and v1 with API keys. Contributes routes to
// the http plugin. Suppression lists, events and mailboxes are used where a plugin provides them; without, the methods that
// need them say so.
import {
  clock,
  commands,
  definePlugin,
  directory,
  events,
  log,
  mailboxes,
  metrics,
  optional,
  type PluginFactory,
  queueControl,
  random,
  routes,
  secrets,
  storage,
  submission,
  suppressions,
  system,
} from '@mox/plugin-sdk'
import { deleteInPortions } from '@mox/plugin-sdk/io'
import type { Middleware } from 'koa'
import { keyCommands } from './commands.ts'
import { Keys } from './keys.ts'
import { DAY_MS, MAX_SMALL_BODY } from './limits.ts'
import { apiMetrics } from './metrics.ts'
import { options } from './options.ts'
import { Quota } from './quota.ts'
import { Records } from './records.ts'
import { IDEMPOTENCY, MESSAGE, migrations } from './schema.ts'
import { newMessageId, Sender } from './send/sender.ts'
import { MAX_FORM, SECRET_BYTES, Unsubscribe } from './unsubscribe.ts'
import { plain, serveV0 } from './v0/routes.ts'
import { Idempotency } from './v1/idempotency.ts'
import { v1Endpoints } from './v1/index.ts'
import { v1Routes } from './v1/routes.ts'
import { Waiting } from './v1/waiting.ts'
import { BodyBudget } from './web/body.ts'

export const webapi: PluginFactory<typeof options> = definePlugin({
  name: 'webapi',
  options,
  needs: {
    ...{ storage, directory, submission, queueControl, clock, random, log, metrics, secrets, system },
    ...{ mailboxes: optional(mailboxes), suppressions: optional(suppressions), events: optional(events) },
  },
  provides: { routes, commands },
  setup: ({ options, services }) => {
    const { path, maxMessageSize } = options
    const streams = new Map(Object.entries(options.streams).map(([name, s]) => [name, s.messagesPerDay]))
    const records = new Records(services, options.keepDays * DAY_MS)
    const quota = new Quota(records, services.clock, streams)
    const keys = new Keys(services)
    // Files are base64 in JSON.
    const maxBody = Math.ceil(maxMessageSize * 1.4) + MAX_SMALL_BODY
    const shared = {
      ...{ directory: services.directory, log: services.log, metrics: apiMetrics(services.metrics) },
      ...{ bodies: new BodyBudget(), maxBody },
    }
    const url = options.url ?? `https://${services.system.hostname}${path}`
    const unsubscribePath = `${path}unsubscribe/`
    const unsubscribe = new Unsubscribe(services, `${url}unsubscribe/`)
    const sender = new Sender({ ...services, records, quota, unsubscribe }, maxMessageSize)
    const idempotency = new Idempotency(services)
    const waiting = new Waiting()
    const v0 = { ...shared, services: { ...services, sender } }
    const endpoints = v1Endpoints({
      ...{ ...services, ...shared, sender, records, idempotency, waiting },
      newMessageId: () => newMessageId(services),
      failed: err => services.log.error({ err }, 'a message of a batch failed'),
    })
    const { version } = services.system
    const v1 = v1Routes({ ...shared, keys, endpoints, prefix: `${path}v1`, server: `${url}v1`, version })
    const serve: Middleware = async (ctx, next) => {
      const rest = ctx.path.slice(path.length)
      if (rest === '') {
        if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return plain(ctx, 405, 'the methods are below v0/ and v1/')
        ctx.redirect(`${path}v0/`)
        ctx.status = 303
      } else if (rest.startsWith('v0/')) await serveV0(ctx, rest.slice('v0/'.length), v0)
      else if (rest.startsWith('v1/')) await v1(ctx, next)
      else plain(ctx, 404, 'not found')
    }
    return {
      services: {
        routes: [
          { prefix: path, audience: options.audience, title: 'Web API', maxBody, middleware: serve },
          {
            prefix: unsubscribePath,
            audience: 'public',
            title: 'Unsubscribe links',
            maxBody: MAX_FORM,
            middleware: ctx => unsubscribe.serve(ctx, ctx.path.slice(unsubscribePath.length)),
          },
        ],
        commands: keyCommands(keys, services),
      },
      migrations,
      'onAccount.remove': async ({ account }) => {
        const { db } = services.storage
        await keys.removeOf(account)
        await deleteInPortions(db, MESSAGE, 'message_id', { account })
        await deleteInPortions(db, IDEMPOTENCY, 'key', { account })
      },
      start: async () => {
        unsubscribe.secret = await services.secrets.generate('webapi-unsubscribe', SECRET_BYTES)
        await idempotency.start()
        records.start()
        keys.start()
      },
      drain: () => waiting.close(),
      stop: async () => {
        waiting.close()
        keys.stop()
        await idempotency.stop()
        await records.stop()
      },
    }
  },
})
