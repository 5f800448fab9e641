// When the page gives a connection up, and when it tries again. Time is what the test says.
import { deepStrictEqual, ok } from 'node:assert'
import { signal } from '@preact/signals'
import { test } from 'vitest'
import { GOOD_AFTER, RETRY, SILENT_AFTER, StreamClient, type StreamState } from '../web/lib/stream-client.ts'

interface Timer {
  readonly at: number
  readonly work: () => void
}

class World {
  now = 0
  timers: Timer[] = []
  /** How each connection is answered, in turn; the last one again and again. */
  readonly opened: number[] = []
  answer: () => Response = () => {
    throw new Error('unreachable')
  }
  readonly state: StreamState = {
    ...{ hello: signal(undefined), connected: signal(false), mailboxes: signal(new Map()) },
    ...{ settings: signal(undefined), view: signal(undefined) },
  }
  readonly client: StreamClient = new StreamClient(this.state, {
    open: async (_, abort) => {
      this.opened.push(this.now)
      const response = this.answer()
      abort.addEventListener('abort', () => this.cut?.error(abort.reason))
      return response
    },
    call: async () => undefined,
    login: async () => false,
    selected: () => undefined,
    onOutgoing: () => undefined,
    after: (ms, work) => {
      const timer = { at: this.now + ms, work }
      this.timers.push(timer)
      return () => {
        this.timers = this.timers.filter(t => t !== timer)
      }
    },
  })
  cut: ReadableStreamDefaultController<Uint8Array> | undefined

  stream(): Response {
    return new Response(
      new ReadableStream({
        start: controller => {
          this.cut = controller
        },
      }),
    )
  }

  async turn(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
  }

  async pass(ms: number): Promise<void> {
    const end = this.now + ms
    for (;;) {
      await this.turn()
      const next = this.timers.filter(t => t.at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.timers = this.timers.filter(t => t !== next)
      this.now = next.at
      next.work()
    }
    this.now = end
    await this.turn()
  }
}

test('a server that cannot be reached is tried again, less and less often', async () => {
  const world = new World()
  world.client.start()
  await world.pass(600_000)
  const gaps = world.opened.slice(1).map((at, i) => at - (world.opened[i] ?? 0))
  // The first break may be an accident.
  deepStrictEqual(gaps[0], 0)
  gaps.slice(1).forEach((gap, i) => {
    const most = Math.min(RETRY.most, RETRY.from * 2 ** i)
    ok(gap >= most / 2 && gap <= most, `gap ${i}: ${gap}`)
  })
  ok(gaps.length > 12 && gaps.length < 30, `${gaps.length} tries`)
  world.client.stop()
  await world.pass(600_000)
  deepStrictEqual(world.opened.length, gaps.length + 1)
})

test('a connection on which nothing comes any more is given up; whatever comes keeps it', async () => {
  const world = new World()
  world.answer = () => world.stream()
  world.client.start()
  for (let i = 0; i < 10; i++) {
    await world.pass(30_000)
    world.cut?.enqueue(new TextEncoder().encode(':\n\n'))
  }
  deepStrictEqual(world.opened, [0])
  await world.pass(SILENT_AFTER - 1)
  deepStrictEqual(world.opened, [0])
  await world.pass(2)
  deepStrictEqual(world.opened, [0, 300_000 + SILENT_AFTER])
  world.client.stop()
})

test('what the machine knows to be broken is made anew at once', async () => {
  const world = new World()
  world.answer = () => world.stream()
  world.client.start()
  await world.pass(GOOD_AFTER)
  world.client.broken()
  await world.pass(0)
  deepStrictEqual(world.opened, [0, GOOD_AFTER])
  world.client.stop()
})
