// A plugin for the benchmark: adds events of an account on demand, many in one unit of work, as a busy server does.
import Router from '@koa/router'
import { definePlugin, events, type HttpRoutes, type PluginFactory, routes, storage } from '@mox/plugin-sdk'

/** Events in one unit of work. */
const TOGETHER = 50

export const benchEvents: PluginFactory<undefined> = definePlugin({
  name: 'bench-events',
  needs: { events, storage },
  provides: { routes },
  setup: ({ services: { events, storage } }) => {
    const router = new Router()
    router.post('/bench/events/:count', async ctx => {
      const count = Number(ctx.params['count'])
      for (let at = 0; at < count; at += TOGETHER)
        await storage.write(async () => {
          for (let i = at; i < Math.min(at + TOGETHER, count); i++)
            await events.add({
              ...{ account: 'alice', kind: 'delivered', queueId: i + 1, messageId: i + 1, subject: 'Order 7' },
              ...{ messageIdHeader: `<${i}@example.org>`, recipient: 'ann@example.net', fromId: '', stream: '' },
              ...{ extra: { order: '7' }, dsn: false, suppressing: false, code: 250, enhanced: '2.0.0', error: '' },
              ...{ attempt: 1, remoteMta: 'mx.example.net' },
            })
        })
      ctx.body = {}
    })
    return {
      services: {
        routes: {
          prefix: '/bench/',
          audience: 'internal',
          title: 'Benchmark',
          middleware: router.routes() as unknown as HttpRoutes['middleware'],
        },
      },
    }
  },
})
