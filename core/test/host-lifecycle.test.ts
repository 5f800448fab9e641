// Starting and stopping: who before whom, what happens when one fails or hangs, and that nothing stays open.
import { type Clock, defineService, type Needs, type Plugin, type Setup, storage, UsageError } from '@mox/plugin-sdk'
import { turns, type VirtualClock } from '@mox/plugin-sdk/testkit'
import { expect, test } from 'vitest'
import { SLOW_STEP_MS, STOP_LIMIT_MS } from '../src/host/lifecycle.ts'
import { type HostBench, hostOf, plugin } from './host-support.ts'

const base = defineService('base@1')
const STEPS = ['start', 'listen', 'drain', 'stop'] as const
const migrations = [{ version: 1, name: 'one', up: async () => {} }]

/** Every step of every plugin is noted; `more` replaces some. */
function noting(events: string[]) {
  return (name: string, more: Setup<Needs> = {}, needs: Needs = {}, provides: Needs = {}): Plugin => {
    const steps = STEPS.map(step => [step, () => void events.push(`${step} ${name}`)])
    const services = Object.fromEntries(Object.keys(provides).map(key => [key, {}]))
    return plugin(name, { ...Object.fromEntries(steps), services, ...more }, needs, provides)
  }
}

const rejects = async (work: Promise<unknown>, expected: readonly [string, string]): Promise<void> => {
  const error = (await work.catch((error: unknown) => error)) as Error
  expect([error.name, error.message]).toEqual(expected)
}

test('in dependency order, and back', async () => {
  const events: string[] = []
  const make = noting(events)
  const { host } = hostOf([make('user', {}, { base }), make('other'), make('base', {}, {}, { base })])
  await host.start()
  await host.listen()
  await host.drain(new AbortController().signal)
  await host.stop()
  await host.stop()
  const each = (step: string): string[] => ['base', 'user', 'other'].map(name => `${step} ${name}`)
  expect(events).toEqual([...each('start'), ...each('listen'), ...each('drain'), ...each('stop').reverse()])
})

test('storage first, then all migrations, then the rest; instances share tables', async () => {
  const events: string[] = []
  const make = noting(events)
  const backend = { migrate: async (name: string) => void events.push(`migrate ${name}`), inUnit: () => false }
  const store = make('store', { services: { storage: backend } as never, migrations }, { base }, { storage })
  const { host } = hostOf([
    make('early'),
    make('user', { migrations }, { storage }).as('x'),
    store,
    make('base', {}, {}, { base }),
  ])
  await host.start()
  expect(events).toEqual(['start base', 'start store', 'migrate store', 'migrate user', 'start early', 'start user'])
})

test('one that fails to start: the others are stopped, and the error names it', async () => {
  const failing = async (error: Error, expected: readonly [string, string]): Promise<void> => {
    const events: string[] = []
    const make = noting(events)
    const bad = make('bad', {
      start: () => {
        throw error
      },
    })
    const { host } = hostOf([make('one'), make('two'), bad, make('three')])
    await rejects(host.start(), expected)
    expect(events).toEqual(['start one', 'start two', 'stop two', 'stop one'])
  }
  await failing(new Error('no such file'), ['Error', 'bad failed to start: no such file'])
  await failing(new UsageError('set dir'), ['UsageError', 'bad: set dir'])
  await failing(new UsageError('bad: set dir'), ['UsageError', 'bad: set dir'])
})

test('one that fails to listen stops everything', async () => {
  const events: string[] = []
  const make = noting(events)
  const { host } = hostOf([
    make('one'),
    make('bad', {
      listen: async () => {
        throw new Error('port in use')
      },
    }),
    make('two'),
  ])
  await host.start()
  await rejects(host.listen(), ['Error', 'bad failed to listen: port in use'])
  expect(events).toEqual(['start one', 'start bad', 'start two', 'listen one', 'stop two', 'stop bad', 'stop one'])
})

test('tables without storage, a failing migration, a second start', async () => {
  await rejects(hostOf([plugin('user', { migrations })]).host.start(), [
    'UsageError',
    'user: it has tables, but nobody provides storage@1; add storageSqlite() from @mox/plugin-storage-sqlite to plugins',
  ])
  const backend = {
    migrate: async () => {
      throw new UsageError('made by a newer version')
    },
    inUnit: () => false,
  }
  await rejects(hostOf([plugin('user', { migrations })], {}, [[storage.id, backend]]).host.start(), [
    'UsageError',
    'user: made by a newer version',
  ])
  const { host } = hostOf([])
  await host.start()
  await rejects(host.start(), ['Error', 'the host was started before'])
})

test('drain: all at once, until done or aborted; errors are logged', async () => {
  const events: string[] = []
  const make = noting(events)
  const hangs = make('hangs', { drain: () => new Promise(() => {}) })
  const { host, log } = hostOf([
    make('bad', {
      drain: () => {
        throw new Error('x')
      },
    }),
    hangs,
    make('one'),
  ])
  await host.start()
  const end = new AbortController()
  let done = false
  const drained = host.drain(end.signal).then(() => {
    done = true
  })
  await turns()
  expect([done, events.at(-1)]).toEqual([false, 'drain one'])
  end.abort()
  await drained
  expect(log.texts()).toEqual(['error plugin failed to drain'])
})

test('stop: each within its bound, whatever the others do', async () => {
  const check = async (ms: number, expected: readonly string[]): Promise<void> => {
    const events: string[] = []
    const make = noting(events)
    let time: Clock | undefined
    const slow = make('slow', { stop: () => time?.sleep(ms) ?? Promise.resolve() })
    const bad = make('bad', {
      stop: () => {
        throw new Error('x')
      },
    })
    const made: HostBench = hostOf([make('one'), slow, bad, make('two')])
    time = made.clock
    await made.host.start()
    const stopped = made.host.stop()
    await (made.clock as VirtualClock).advance(STOP_LIMIT_MS * 2)
    await stopped
    expect(events.filter(event => event.startsWith('stop'))).toEqual(['stop two', 'stop one'])
    expect(
      made.log.lines.map(({ fields }) => `${String(fields['plugin'])}: ${(fields['err'] as Error).message}`),
    ).toEqual(expected)
    expect(made.clock.pending).toBe(0)
  }
  await check(STOP_LIMIT_MS - 1, ['bad: x'])
  await check(STOP_LIMIT_MS + 1, ['bad: x', `slow: took longer than ${STOP_LIMIT_MS} ms`])
})

test('a step that takes long is named in the log', async () => {
  const check = async (step: 'start' | 'listen', ms: number, expected: readonly string[]): Promise<void> => {
    let time: Clock | undefined
    const made: HostBench = hostOf([plugin('one'), plugin('slow', { [step]: () => time?.sleep(ms) })])
    time = made.clock
    const run = made.host.start().then(() => made.host.listen())
    await turns()
    await (made.clock as VirtualClock).advance(ms)
    await run
    expect(made.log.lines.map(({ fields, text }) => `${String(fields['plugin'])}: ${text}`)).toEqual(expected)
    expect(made.clock.pending).toBe(0)
  }
  await check('start', SLOW_STEP_MS - 1, [])
  await check('start', SLOW_STEP_MS + 1, ['slow: plugin takes long to start'])
  await check('listen', SLOW_STEP_MS + 1, ['slow: plugin takes long to listen'])
})
