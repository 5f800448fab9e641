// localserve: delivery simulated on this machine, and a page that shows every message. It is a transport, a `route`
// verdict and a few receive handlers: core does not know it.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import Router from '@koa/router'
import {
  clock,
  clockControl,
  commands,
  definePlugin,
  directory,
  events,
  type HttpRoutes,
  log,
  mailboxes,
  optional,
  type PluginFactory,
  queueControl,
  random,
  receiver,
  route,
  routes,
  storage,
  submission,
  suppressions,
  system,
  transports,
  UsageError,
  webmailExtensions,
  workers,
} from '@mox/plugin-sdk'
import { adminRoutes, PAGE_POLICY, pageRoutes } from './api.ts'
import { benchAdminRoutes, benchRoutes, SEND_BYTES, sendRoute } from './bench-api.ts'
import { Changes } from './changes.ts'
import { BenchClock } from './clock.ts'
import { Greylist } from './greylist.ts'
import { onData, onMail, onRcpt } from './hooks.ts'
import { LaterReports, migrations } from './later.ts'
import { options } from './options.ts'
import { JSON_BYTES } from './requests.ts'
import { makeReset } from './reset.ts'
import { Scenarios } from './scenario/scenarios.ts'
import { makeTransport, TRANSPORT } from './transport.ts'
import type { Stores } from './view.ts'
import { messagesCommand } from './webmail-command.ts'

export type { Scenario, ScenarioInput } from './scenario/schema.ts'

const needs = {
  ...{ clock, clockControl, commands, directory, log, mailboxes, queueControl, random, receiver, storage, submission },
  ...{ system, events: optional(events), suppressions: optional(suppressions) },
}

export const localserve: PluginFactory<typeof options> = definePlugin({
  name: 'localserve',
  options,
  needs,
  provides: { transports, routes, commands, workers, webmailExtensions },
  setup: ({ options, services }) => {
    const { clock, clockControl: control, log, mailboxes, queueControl, receiver, storage, system } = services
    const greylist = new Greylist(clock)
    const later = new LaterReports(services)
    const dir = resolve(system.dataDir, options.scenarioDir)
    const scenarios = new Scenarios({ clock, log, dir, configured: options.scenarios })
    const benchClock = new BenchClock(clock, control, system, () => storage.notify('messages'))
    const reset = makeReset({ ...services, greylist, scenarios, later })
    const changes = new Changes(services)
    const streams = new Set<PassThrough>()
    const { messages, queue, history, content } = storage
    const stores: Stores = { messages, queue, history, content, mailboxes }
    const bench = { ...services, clock: benchClock, scenarios, reset }

    const page = pageRoutes({
      ...{ stores, queue: queueControl, clock, streams },
      ...{ pageFile: fileURLToPath(pageUrl()), home: options.home },
      onChange: listener => changes.listen(listener),
    })
    benchRoutes(page, bench)
    const admin = adminRoutes(queueControl, queue, clock)
    benchAdminRoutes(admin, bench)
    const sending = new Router({ prefix: '/admin/messages' })
    sendRoute(sending, bench)
    const receiving = { clock, greylist }
    return {
      migrations,
      services: {
        transports: makeTransport({ receiver, clock, control, greylist, scenarios, later }),
        commands: benchClock.commands(),
        workers: later,
        webmailExtensions: messagesCommand,
        routes: [
          { prefix: '/', audience: 'internal', title: 'Messages', ...served(page), contentSecurityPolicy: PAGE_POLICY },
          { prefix: '/admin/', audience: 'admin', title: 'Queue control', ...served(admin), maxBody: JSON_BYTES },
          { prefix: '/admin/messages/', audience: 'admin', title: 'Sending', ...served(sending), maxBody: SEND_BYTES },
        ],
      },
      'onReceive.mail': input => onMail(input, receiving),
      'onReceive.rcpt': input => onRcpt(input, receiving),
      'onReceive.data': input => onData(input, receiving),
      beforeDeliver: ({ job }) =>
        job.transport === undefined ? route(TRANSPORT, 'everything stays on this machine') : undefined,
      start: async () => {
        if (!existsSync(pageUrl())) throw new UsageError('localserve: the page is not built; run npm run build:web')
        await benchClock.start()
        await scenarios.start()
      },
      listen: async () => {
        await changes.start()
        later.start()
      },
      drain: () => {
        for (const stream of streams) stream.end()
      },
      stop: async () => {
        changes.stop()
        for (const stream of streams) stream.destroy()
        await later.stop()
        await scenarios.stop()
      },
    }
  },
})

function served(router: Router): Pick<HttpRoutes, 'middleware'> {
  return { middleware: router.routes() as unknown as HttpRoutes['middleware'] }
}

/** Beside the compiled code in a package, in dist/web in a clone. */
function pageUrl(): URL {
  const beside = new URL('./web/index.html', import.meta.url)
  return existsSync(beside) ? beside : new URL('../dist/web/index.html', import.meta.url)
}
