// What tapable does when it is left alone. The guard exists because of these facts: when one of them changes, look at it again.
import { AsyncSeriesBailHook, SyncHook } from 'tapable'
import { expect, test, vi } from 'vitest'

/** "pending" after some turns of the event loop. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  let result: unknown = 'pending'
  promise.then(
    value => {
      result = { value }
    },
    error => {
      result = { error: (error as Error).message }
    },
  )
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
  return result
}

async function check(taps: readonly (() => unknown)[], expected: unknown): Promise<void> {
  const hook = new AsyncSeriesBailHook<[], unknown>([])
  for (const [i, tap] of taps.entries()) hook.tapPromise(`tap ${i}`, tap as () => Promise<unknown>)
  const escaped: unknown[] = []
  const catcher = (error: unknown): unknown => escaped.push((error as Error).message)
  process.on('unhandledRejection', catcher)
  const listeners = process.listeners('unhandledRejection').filter(listener => listener !== catcher)
  for (const listener of listeners) process.off('unhandledRejection', listener)
  try {
    expect([await outcome(hook.promise()), escaped]).toEqual(expected)
  } finally {
    process.off('unhandledRejection', catcher)
    for (const listener of listeners) process.on('unhandledRejection', listener)
  }
}

const later = async (): Promise<undefined> => undefined
const throws = (): never => {
  throw new Error('thrown')
}

test('a second handler that fails before it returns a promise leaves the hook pending', async () => {
  await check([later, throws], ['pending', ['thrown']])
  await check([later, () => 'no promise'], ['pending', [expect.stringContaining('Tap function')]])
  await check([later, () => undefined], ['pending', [expect.stringContaining('Tap function')]])
  // The first one is not special: it rejects, since nothing is under way yet.
  await check([throws], [{ error: 'thrown' }, []])
})

test('null is an answer and ends the hook', async () => {
  await check([async () => null, async () => 'second'], [{ value: null }, []])
  await check([later, async () => 'second'], [{ value: 'second' }, []])
})

test('there are no deadlines', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  await check([() => new Promise(() => {})], ['pending', []])
  expect(timers).not.toHaveBeenCalled()
  timers.mockRestore()
})

test('a name in `before` that nobody has moves the tap to the front', () => {
  const called: string[] = []
  const hook = new SyncHook<[]>([])
  hook.tap('a', () => void called.push('a'))
  hook.tap('b', () => void called.push('b'))
  hook.tap({ name: 'c', before: 'typo' }, () => void called.push('c'))
  hook.call()
  expect(called).toEqual(['c', 'a', 'b'])
})

test('handlers that call back at once are called without a turn in between', () => {
  const hook = new AsyncSeriesBailHook<[], string>([])
  const called: string[] = []
  for (const name of ['a', 'b', 'c'])
    hook.tapAsync(name, done => {
      called.push(name)
      done()
    })
  hook.callAsync(() => called.push('end'))
  expect(called).toEqual(['a', 'b', 'c', 'end'])
})
