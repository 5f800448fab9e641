import { beforeEach, expect, test } from 'vitest'
import type { FlagSet } from '../src/api/model.ts'
import { NOT_JUNK_AFTER, SEEN_AFTER, Viewed } from '../web/list/viewed.ts'
import { makeItem } from './list-items.ts'

let now = 0
let timers: { at: number; run: () => void }[] = []
let set: string[] = []
let flags: FlagSet | undefined
let undecided = false

const viewed = () =>
  new Viewed({
    state: () => (flags === undefined ? undefined : { flags, undecided }),
    setFlag: (id, flag) => {
      set.push(`${id} ${flag}`)
      if (flags !== undefined) flags = { ...flags, [flag]: true }
      return Promise.resolve()
    },
    after: (ms, run) => {
      const timer = { at: now + ms, run }
      timers.push(timer)
      return () => {
        timers = timers.filter(t => t !== timer)
      }
    },
  })

function advance(ms: number): void {
  now += ms
  const due = timers.filter(t => t.at <= now).toSorted((a, b) => a.at - b.at)
  timers = timers.filter(t => t.at > now)
  for (const t of due) t.run()
}

beforeEach(() => {
  now = 0
  timers = []
  set = []
  undecided = false
  flags = makeItem(1, { flags: { seen: false, notjunk: false } }).flags
})

test('seen after half a second, not junk after five', () => {
  viewed().show(1)
  advance(SEEN_AFTER - 1)
  expect(set).toEqual([])
  advance(1)
  expect(set).toEqual(['1 seen'])
  advance(NOT_JUNK_AFTER - SEEN_AFTER)
  expect(set).toEqual(['1 seen', '1 notjunk'])
  expect(timers).toEqual([])
})

test('another message in between: nothing happens to the first', () => {
  const v = viewed()
  v.show(1)
  advance(SEEN_AFTER - 1)
  v.show(2)
  advance(1)
  expect(set).toEqual([])
  advance(SEEN_AFTER - 1)
  expect(set).toEqual(['2 seen'])
})

test('showing the same again starts nothing anew', () => {
  const v = viewed()
  v.show(1)
  advance(SEEN_AFTER - 1)
  v.show(1)
  advance(1)
  expect(set).toEqual(['1 seen'])
})

test('left or deleted', () => {
  const v = viewed()
  v.show(1)
  v.leave()
  advance(NOT_JUNK_AFTER)
  v.show(1)
  flags = undefined
  advance(NOT_JUNK_AFTER)
  expect(set).toEqual([])
})

test.each<[string, Partial<FlagSet>, boolean]>([
  ['junk', { seen: true, junk: true }, false],
  ['not junk already', { seen: true, notjunk: true }, false],
  ['of Rejects', { seen: true }, true],
])('%s stays as it is', (_, change, inRejects) => {
  flags = { ...flags!, ...change }
  undecided = inRejects
  viewed().show(1)
  advance(NOT_JUNK_AFTER)
  expect(set).toEqual([])
})

test('marked unread meanwhile: it is not called not junk', () => {
  viewed().show(1)
  advance(SEEN_AFTER)
  flags = { ...flags!, seen: false }
  advance(NOT_JUNK_AFTER)
  expect(set).toEqual(['1 seen'])
})
