// How many webhook calls a server makes to a fast receiver on the same machine: the time from the first event to the last call.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startServer } from '../kit/server.ts'
import { eventually } from '../kit/temp.ts'
import type { ReceiverCounts } from './receiver.ts'

export interface WebhookRate {
  readonly calls: number
  readonly seconds: number
}

/** Events are shared out to all endpoints: each gets every one. */
export async function webhookRate(events: number, endpoints: number): Promise<WebhookRate> {
  const receiver = fork(fileURLToPath(new URL('./receiver.ts', import.meta.url)), { stdio: ['ignore', 2, 2, 'ipc'] })
  try {
    const { port } = await message<{ port: number }>(receiver)
    const plugin = fileURLToPath(new URL('./events-plugin.ts', import.meta.url))
    const list = Array.from({ length: endpoints }, (_, i) => `{ name: 'e${i}', url: 'http://127.0.0.1:${port}/e${i}' }`)
    await using server = await startServer({
      config: {
        imports: [
          `import { events } from '@mox/plugin-events'`,
          `import { webhooks } from '@mox/plugin-webhooks'`,
          `import { benchEvents } from ${JSON.stringify(plugin)}`,
        ],
        plugins: [
          'events()',
          `webhooks({ allowNetworks: ['127.0.0.0/8'], accounts: { alice: { endpoints: [${list.join(', ')}] } } })`,
          'benchEvents()',
        ],
      },
    })
    // A short run first, as for the other figures.
    const warm = Math.min(events, 200)
    await server.post(`/bench/events/${warm}`)
    await arrived(receiver, warm * endpoints)
    const started = performance.now()
    await server.post(`/bench/events/${events}`)
    await arrived(receiver, (warm + events) * endpoints)
    const seconds = (performance.now() - started) / 1000
    await server.stop()
    return { calls: events * endpoints, seconds }
  } finally {
    receiver.kill('SIGKILL')
  }
}

/** Waits until the receiver has them all; calls that came twice or out of order are an error. */
async function arrived(receiver: ChildProcess, count: number): Promise<void> {
  await eventually(
    async () => {
      receiver.send('count')
      const { calls, wrong } = await message<ReceiverCounts>(receiver)
      if (wrong > 0 || calls > count) throw new Error(`${wrong} calls came twice or out of order, ${calls} of ${count}`)
      if (calls < count) throw new Error(`${calls} of ${count} calls arrived`)
    },
    { within: 300_000, every: 10 },
  )
}

function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const take = (value: unknown): void => {
      child.off('exit', end)
      resolve(value as T)
    }
    const end = (code: number | null): void => {
      child.off('message', take)
      reject(new Error(`the receiver ended with ${code}`))
    }
    child.once('message', take)
    child.once('exit', end)
  })
}
