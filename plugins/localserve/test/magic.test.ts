import assert from 'node:assert/strict'
import { describe, expect, test } from 'vitest'
import { MAGIC_WORDS, type Magic, magicOf, stageOf } from '../src/magic.ts'

function shown(magic: Magic | undefined): string | undefined {
  if (magic === undefined) return undefined
  const { slowMs, tlsFailure, greylistMs, refusal, later } = magic
  return [
    ...(slowMs > 0 ? [`slow ${slowMs / 1_000}`] : []),
    ...(tlsFailure ? ['tls'] : []),
    ...(greylistMs > 0 ? [`grey ${greylistMs / 60_000}`] : []),
    ...(refusal === undefined ? [] : [`${refusal.code} ${refusal.enhanced}`]),
    ...later.map(({ kind, afterMs }) => `${kind} ${afterMs / 60_000}`),
  ].join(', ')
}

describe('what the end of a localpart asks for', () => {
  function check(localpart: string, expected: string | undefined): void {
    test(`${localpart} → ${expected ?? 'nothing'}`, () => assert.equal(shown(magicOf(localpart)), expected))
  }
  check('friend', undefined)
  check('temperror', '451 4.0.0')
  check('queuetemperror', '451 4.0.0')
  check('permerror', '550 5.0.0')
  check('rcpttopermerror', '550 5.0.0')
  check('timeout', 'slow 3600, 451 4.0.0')
  check('a400', '400 4.0.0')
  check('a452', '452 4.0.0')
  check('599', '599 5.0.0')
  check('a399', undefined)
  check('a600', undefined)
  check('a1452', undefined)
  check('Temperror', undefined)
  check('TEMPERROR', undefined)
  check('temperrorx', undefined)
  check('452a', undefined)
  check('greylist', 'grey 5')
  check('queuegreylist30', 'grey 30')
  check('greylist450', 'grey 450')
  check('greylist9999', 'grey 9999')
  check('greylist10000', undefined)
  check('slow', undefined)
  check('queue-slow-452', '452 4.0.0')
  check('slow9999', 'slow 9999')
  check('slow10000', undefined)
  check('slow20', 'slow 20')
  check('tlsfail', 'tls')
  check('bounce', 'bounce 1')
  check('joe-bounce120', 'bounce 120')
  check('bounces', undefined)
  check('complaint', 'complaint 1')
  check('queue-greylist-bounce10', 'grey 5, bounce 10')
  check('queue.slow3+greylist_452', 'slow 3, grey 5, 452 4.0.0')
  check('bounce-complaint5', 'bounce 1, complaint 5')
  check('temperror-550', '550 5.0.0')
  check('550-temperror', '451 4.0.0')
  check('slowgreylist', 'grey 5')
  check('slow--greylist', 'grey 5')
  check('452-friend', undefined)
})

test('so many words count', () => {
  const words = (n: number) => Array.from({ length: n }, () => 'bounce').join('-')
  assert.equal(magicOf(words(MAGIC_WORDS))?.later.length, MAGIC_WORDS)
  assert.equal(magicOf(words(MAGIC_WORDS + 1))?.later.length, MAGIC_WORDS)
})

describe('where it happens', () => {
  test.each([
    ['mailfromtemperror', 'mailfrom'],
    ['rcptto550', 'rcptto'],
    ['queue451', 'queue'],
    ['permerror', 'data'],
    ['xqueue451', 'data'],
  ])('%s → %s', (localpart, expected) => expect(stageOf(localpart)).toBe(expected))
})
