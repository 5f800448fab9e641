// Whose AD bit is believed: that of servers on this machine, or as resolv.conf or the option says.
import assert from 'node:assert/strict'
import type { Random } from '@mox/plugin-sdk'
import { seededRandom, VirtualClock } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { Asker } from '../src/ask.ts'
import { parseServer } from '../src/server.ts'
import { DEFAULTS } from '../src/settings.ts'
import { withRig } from './support/rig.ts'
import { a, answer, type Script, scriptedServer } from './support/server.ts'

const says =
  (ad: boolean): Script =>
  asked =>
    answer(asked, { ad, answers: [a(asked.name)] })

test('a server on this machine, and the option', async () => {
  const check = async (ad: boolean, trustAd: boolean | undefined, expected: boolean): Promise<void> => {
    await withRig(
      says(ad),
      async ({ resolve }) => assert.equal((await resolve('example.org', 'A')).authentic, expected),
      trustAd === undefined ? {} : { trustAd },
    )
  }
  await check(true, undefined, true)
  await check(false, undefined, false)
  await check(true, false, false)
  await check(true, true, true)
  await check(false, true, false)
})

test('a server elsewhere', async () => {
  const server = await scriptedServer(says(true))
  const { port } = parseServer(server.address)!
  // This machine by a name that does not look like it: 0.0.0.0 connects to loopback.
  const elsewhere = parseServer(`0.0.0.0:${port}`)!
  const random: Random = seededRandom()
  const check = async (trustAd: boolean | undefined, expected: boolean): Promise<void> => {
    const settings = async () => ({ ...DEFAULTS, servers: [elsewhere] as const, trustAd })
    const asker = new Asker({ clock: new VirtualClock(), random, settings })
    const { authentic } = await asker.ask('example.org', 'A', new AbortController().signal)
    assert.equal(authentic, expected)
  }
  try {
    await check(undefined, false)
    await check(false, false)
    await check(true, true)
  } finally {
    await server.close()
  }
})
