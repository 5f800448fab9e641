// Hostile input in a process of its own: whatever it does, the next request is answered.
import { deepStrictEqual, ok, rejects, throws } from 'node:assert'
import { afterAll, test, vi } from 'vitest'
import { Confined } from '../../src/io/index.ts'

const LIMITS = { ms: 5_000, mib: 64 }
let impatient = false
const clock = {
  now: () => 0,
  sleep: async () => {},
  after: (ms: number, work: () => void) => {
    if (impatient && ms === LIMITS.ms) setImmediate(work)
    return () => {}
  },
}
interface Request {
  readonly what: string
  readonly bytes?: Uint8Array
}
const made = (): Confined<Request, unknown> =>
  new Confined(new URL('./support/confined-module.ts', import.meta.url), LIMITS, clock)
const confined = made()
afterAll(() => confined.close())

const pidOf = async (of: Confined<Request, unknown>): Promise<number> =>
  ((await of.ask({ what: 'process' })) as { readonly pid: number }).pid
const gone = (pid: number): Promise<void> => vi.waitFor(() => throws(() => process.kill(pid, 0)), 10_000)

test('requests are answered by one process, which knows nothing of ours', async () => {
  const { pid, env } = (await confined.ask({ what: 'process' })) as { readonly pid: number; readonly env: string[] }
  ok(pid !== process.pid)
  deepStrictEqual(
    env.filter(name => name !== 'NODE_COMPILE_CACHE'),
    [],
  )
  const bytes = new Uint8Array(1_000_000).fill(7)
  bytes[0] = 1
  const answer = (await confined.ask({ what: 'bytes', bytes })) as Uint8Array
  deepStrictEqual([answer.length, answer.at(-1)], [bytes.length, 1])
  deepStrictEqual(await pidOf(confined), pid)
})

test.each(['strings', 'map', 'split', 'exit', 'throw'])('%s: it fails, and the next one is answered', async what => {
  await rejects(confined.ask({ what }), /it failed, or needs more than 64 MiB/)
  ok((await pidOf(confined)) > 0)
})

test('what takes too long is ended', async () => {
  const pid = await pidOf(confined)
  impatient = true
  try {
    await rejects(confined.ask({ what: 'loop' }), /takes longer than 5000 ms/)
  } finally {
    impatient = false
  }
  await gone(pid)
  ok((await pidOf(confined)) !== pid)
})

test('one that was killed meanwhile, one that is closed, and one that cannot start', async () => {
  const other = made()
  const pid = await pidOf(other)
  process.kill(pid, 'SIGKILL')
  await gone(pid)
  const next = await pidOf(other)
  const asked = other.ask({ what: 'loop' })
  other.close()
  await rejects(asked, /it failed/)
  await gone(next)
  await rejects(other.ask({ what: 'process' }), /the server is stopping/)
  const missing = new Confined(new URL('./support/missing.ts', import.meta.url), LIMITS, clock)
  await rejects(missing.ask({}), /it could not be started/)
})

test('a process that is not used ends', async () => {
  let idle = (): void => {}
  const of = new Confined<Request, unknown>(new URL('./support/confined-module.ts', import.meta.url), LIMITS, {
    ...clock,
    after: (ms, work) => {
      if (ms !== LIMITS.ms) idle = work
      return () => {}
    },
  })
  const pid = await pidOf(of)
  idle()
  await gone(pid)
  ok((await pidOf(of)) > 0)
  of.close()
})
