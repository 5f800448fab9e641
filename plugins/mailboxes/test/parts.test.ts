// Parts of words: whatever is in a text is found by its parts, and what is too short to have any says so.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { test } from 'vitest'
import { PART_TERMS, partsOf, partTerms } from '../src/parts.ts'

test('every piece is found', () => {
  const check = (text: string, shortest: number) => {
    const words = new Set(partsOf(text).split(' '))
    for (let start = 0; start < text.length; start++)
      for (let end = start + 1; end <= text.length; end++) {
        const terms = partTerms(text.slice(start, end))
        deepStrictEqual([terms.every(term => words.has(term)), terms.length > 0], [true, end - start >= shortest])
        strictEqual(terms.length <= PART_TERMS, true)
      }
  }
  check('ann example\nann@a-b.example', 3)
  check('jahresberichte für ünal', 3)
  check('東京の港の会議', 2)
  check('aaaaaaaaaaaaaaaaaaaaaaaa', 3)
})

test('what is not there', () => {
  const words = new Set(partsOf('the quick brown fox').split(' '))
  for (const text of ['quickly', 'brow ', 'xof', '京の', 'fox.'])
    strictEqual(
      partTerms(text).every(term => words.has(term)),
      false,
    )
  deepStrictEqual([partTerms(''), partTerms('ab'), partsOf(''), partsOf('ab')], [[], [], '', ''])
})
