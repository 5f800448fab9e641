// localserve: delivery simulated on this machine, and a page that shows every message. It is a transport, a `route`
// verdict and a few receive handlers: core does not know it.
import { existsSync } from 'node:fs'
import type { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import {
  clock,
  definePlugin,
  mailboxes,
  type PluginFactory,
  queueControl,
  receiver,
  route,
  routes,
  storage,
  transports,
  UsageError,
} from '@mox/plugin-sdk'
import { adminRoutes, PAGE_POLICY, pageRoutes } from './api.ts'
import { onData, onMail, onRcpt } from './hooks.ts'
import { CHANGE_BYTES } from './queue-api.ts'
import { makeTransport, TRANSPORT } from './transport.ts'
import type { Stores } from './view.ts'

/** The page tells of changes at most this often, in milliseconds. */
const CHANGE_INTERVAL = 100

export const localserve: PluginFactory<undefined> = definePlugin({
  name: 'localserve',
  needs: { clock, mailboxes, queueControl, receiver, storage },
  provides: { transports, routes },
  setup: ({ services }) => {
    const { clock, mailboxes, queueControl, receiver, storage } = services
    const streams = new Set<PassThrough>()
    const listeners = new Set<() => void>()
    let cancel: (() => void) | undefined
    let unsubscribe = (): void => {}
    const changed = (): void => {
      cancel ??= clock.after(CHANGE_INTERVAL, () => {
        cancel = undefined
        for (const listener of listeners) listener()
      })
    }
    const stores: Stores = {
      messages: storage.messages,
      queue: storage.queue,
      history: storage.history,
      content: storage.content,
      mailboxes,
    }
    const page = pageRoutes({
      stores,
      queue: queueControl,
      streams,
      pageFile: fileURLToPath(pageUrl()),
      onChange: listener => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    })
    return {
      services: {
        transports: makeTransport(receiver, clock),
        routes: [
          {
            prefix: '/',
            audience: 'internal',
            title: 'Messages',
            middleware: page,
            contentSecurityPolicy: PAGE_POLICY,
          },
          {
            prefix: '/admin/',
            audience: 'admin',
            title: 'Queue control',
            middleware: adminRoutes(queueControl, clock),
            maxBody: CHANGE_BYTES,
          },
        ],
      },
      'onReceive.mail': input => onMail(input, clock),
      'onReceive.rcpt': input => onRcpt(input, clock),
      'onReceive.data': input => onData(input, clock),
      beforeDeliver: ({ job }) =>
        job.transport === undefined ? route(TRANSPORT, 'everything stays on this machine') : undefined,
      start: () => {
        if (!existsSync(pageUrl())) throw new UsageError('localserve: the page is not built; run npm run build:web')
        unsubscribe = storage.subscribe('messages', changed)
      },
      drain: () => {
        for (const stream of streams) stream.end()
      },
      stop: () => {
        unsubscribe()
        cancel?.()
        for (const stream of streams) stream.destroy()
      },
    }
  },
})

/** Beside the compiled code in a package, in dist/web in a clone. */
function pageUrl(): URL {
  const beside = new URL('./web/index.html', import.meta.url)
  return existsSync(beside) ? beside : new URL('../dist/web/index.html', import.meta.url)
}
