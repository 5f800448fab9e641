// The bounds of a full-text query: what is beyond them does not count, and nothing in a term is an operator of FTS5.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MAX_TERM_LENGTH, MAX_TERMS } from '../src/search.ts'
import { type Opened, openTemporary } from './support.ts'

let opened: Opened
beforeEach(async () => {
  opened = await openTemporary()
})
afterEach(() => opened.close())

test('bounds and hostile terms', async () => {
  const { search, write } = opened.storage
  if (search === undefined) throw new Error('there is no full text')
  const word = 'w'.repeat(MAX_TERM_LENGTH)
  await write.call(opened.storage, async () => {
    await search.create('mail', ['body'])
    await search.put('mail', 1, { body: `hello big world ${word}` })
  })
  const check = async (terms: readonly string[], expected: readonly number[]): Promise<void> =>
    expect(
      await search.query(
        'mail',
        terms.map(text => ({ text })),
        { limit: 10 },
      ),
      terms.join(' ').slice(0, 60),
    ).toEqual(expected)
  const hellos = (n: number): string[] => new Array<string>(n).fill('hello')
  await check([...hellos(MAX_TERMS - 1), 'absent'], [])
  await check([...hellos(MAX_TERMS), 'absent'], [1])
  await check([word.slice(1)], [])
  await check([word], [1])
  await check([`${word}x`], [1])
  await check(['big world'], [1])
  await check(['world big'], [])
  for (const term of ['hello OR absent', 'text: hello', 'hel*', 'NEAR(hello world)', 'hello" OR "absent', '^absent'])
    await check([term], [])
  for (const nothing of ['', '"', '*', '-']) await check([nothing], [])
})
