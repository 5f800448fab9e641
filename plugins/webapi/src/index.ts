// @mox/plugin-webapi: sending mail over HTTP and reading what became of it: v0, and v1 with API keys. Contributes routes to
// the http plugin. Suppression lists, events and mailboxes are used where a plugin provides them; without, the methods that
// need them say so.
import {
  clock,
  commands,
  definePlugin,
  directory,
  log,
  mailboxes,
  metrics,
  optional,
  type PluginFactory,
  random,
  routes,
  storage,
  submission,
  suppressions,
  system,
} from '@mox/plugin-sdk'
import type { Context } from 'koa'
import { keyCommands } from './commands.ts'
import { Keys } from './keys.ts'
import { DAY_MS, MAX_SMALL_BODY } from './limits.ts'
import { apiMetrics } from './metrics.ts'
import { options } from './options.ts'
import { Quota } from './quota.ts'
import { Records } from './records.ts'
import { migrations } from './schema.ts'
import { Sender } from './send/sender.ts'
import { plain, serveV0 } from './v0/routes.ts'
import { BodyBudget } from './web/body.ts'

export const webapi: PluginFactory<typeof options> = definePlugin({
  name: 'webapi',
  options,
  needs: {
    ...{ storage, directory, submission, clock, random, log, metrics, system },
    ...{ mailboxes: optional(mailboxes), suppressions: optional(suppressions) },
  },
  provides: { routes, commands },
  setup: ({ options, services }) => {
    const { path, maxMessageSize } = options
    const streams = new Map(Object.entries(options.streams).map(([name, s]) => [name, s.messagesPerDay]))
    const records = new Records(services, options.keepDays * DAY_MS)
    const quota = new Quota(records, services.clock, streams)
    const sender = new Sender({ ...services, records, quota }, maxMessageSize)
    const keys = new Keys(services)
    // Files are base64 in JSON.
    const maxBody = Math.ceil(maxMessageSize * 1.4) + MAX_SMALL_BODY
    const shared = {
      ...{ directory: services.directory, log: services.log, metrics: apiMetrics(services.metrics) },
      ...{ bodies: new BodyBudget(), maxBody },
    }
    const v0 = { ...shared, services: { ...services, sender } }
    const serve = async (ctx: Context): Promise<void> => {
      const rest = ctx.path.slice(path.length)
      if (rest === '') {
        if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return plain(ctx, 405, 'the methods are below v0/')
        ctx.redirect(`${path}v0/`)
        ctx.status = 303
      } else if (rest.startsWith('v0/')) await serveV0(ctx, rest.slice('v0/'.length), v0)
      else plain(ctx, 404, 'not found')
    }
    return {
      services: {
        routes: [{ prefix: path, audience: options.audience, title: 'Web API', maxBody, middleware: serve }],
        commands: keyCommands(keys, services),
      },
      migrations,
      start: () => records.start(),
      stop: () => records.stop(),
    }
  },
})
