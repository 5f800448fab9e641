// When drafts are saved, with a clock that is moved by hand.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Autosave, LONGEST_MS, QUIET_MS, RETRY_MS, type SaveState } from '../web/compose/autosave.ts'

let save: { resolve(): void; reject(error: Error): void }[]
let states: SaveState[]
let autosave: Autosave

beforeEach(() => {
  vi.useFakeTimers()
  save = []
  states = []
  autosave = new Autosave(
    {
      after: (ms, work) => {
        const timer = setTimeout(work, ms)
        return () => clearTimeout(timer)
      },
      now: () => Date.now(),
    },
    () =>
      new Promise((resolve, reject) => {
        save.push({ resolve, reject })
      }),
    state => states.push(state),
  )
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

it('saves a while after the last change', async () => {
  autosave.changed()
  await pass(QUIET_MS - 1)
  autosave.changed()
  await pass(QUIET_MS - 1)
  expect(save).toHaveLength(0)
  expect(autosave.unsaved).toBe(true)
  await pass(1)
  expect(save).toHaveLength(1)
  save[0]!.resolve()
  await pass(0)
  expect(autosave.unsaved).toBe(false)
  expect(states).toEqual(['changed', 'changed', 'saving', 'saved'])
})

it('saves now and then while one types on', async () => {
  for (let ms = 0; ms < LONGEST_MS; ms += 1_000) {
    autosave.changed()
    await pass(1_000)
  }
  expect(save).toHaveLength(1)
  save[0]!.resolve()
  await pass(0)
})

it('saves what changed while it was saving, one at a time', async () => {
  autosave.changed()
  await pass(QUIET_MS)
  autosave.changed()
  await pass(QUIET_MS * 3)
  expect(save).toHaveLength(1)
  save[0]!.resolve()
  await pass(QUIET_MS)
  expect(save).toHaveLength(2)
  save[1]!.resolve()
  await pass(0)
  expect(states.at(-1)).toBe('saved')
})

it('tries again after a failure, and still has it unsaved', async () => {
  autosave.changed()
  await pass(QUIET_MS)
  save[0]!.reject(new Error('no'))
  await pass(0)
  expect(states.at(-1)).toBe('failed')
  expect(autosave.unsaved).toBe(true)
  await pass(RETRY_MS)
  expect(save).toHaveLength(2)
  save[1]!.resolve()
  await pass(0)
  expect(autosave.unsaved).toBe(false)
})

it('saves at once when asked, after one in progress, and says why it failed', async () => {
  autosave.changed()
  await pass(QUIET_MS)
  autosave.changed()
  const flushed = autosave.flush()
  const failed = expect(flushed).rejects.toThrow('full')
  expect(save).toHaveLength(1)
  save[0]!.resolve()
  await pass(0)
  expect(save).toHaveLength(2)
  save[1]!.reject(new Error('full'))
  await failed
  await autosave.end()
})

it('saves nothing when nothing changed', async () => {
  await autosave.flush()
  expect(save).toHaveLength(0)
})

it('saves nothing after the end, not even what changed during the last save', async () => {
  autosave.changed()
  await pass(QUIET_MS)
  autosave.changed()
  const ended = autosave.end()
  save[0]!.resolve()
  await ended
  autosave.changed()
  await pass(LONGEST_MS)
  expect(save).toHaveLength(1)
})

it('goes on after a send that failed, with what changed meanwhile', async () => {
  await autosave.end()
  autosave.changed()
  await pass(LONGEST_MS)
  expect(save).toHaveLength(0)
  autosave.resume()
  await pass(QUIET_MS)
  expect(save).toHaveLength(1)
  save[0]!.resolve()
  await pass(0)
})
