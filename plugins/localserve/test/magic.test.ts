import { describe, expect, test } from 'vitest'
import { magicOf, stageOf } from '../src/magic.ts'

describe('what the end of a localpart asks for', () => {
  function check(localpart: string, expected: string | undefined): void {
    test(`${localpart} → ${expected ?? 'nothing'}`, () => {
      const magic = magicOf(localpart)
      expect(magic && `${magic.kind} ${magic.reply.code} ${magic.reply.enhanced}`).toBe(expected)
    })
  }
  check('friend', undefined)
  check('temperror', 'reply 451 4.0.0')
  check('queuetemperror', 'reply 451 4.0.0')
  check('permerror', 'reply 550 5.0.0')
  check('rcpttopermerror', 'reply 550 5.0.0')
  check('timeout', 'timeout 451 4.0.0')
  check('a400', 'reply 400 4.0.0')
  check('a452', 'reply 452 4.0.0')
  check('599', 'reply 599 5.0.0')
  check('a399', undefined)
  check('a600', undefined)
  check('a1452', undefined)
  check('Temperror', undefined)
  check('TEMPERROR', undefined)
  check('temperrorx', undefined)
  check('452a', undefined)
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
