// What `mox message explain` says about the sender: which DSN, when, about whom; and why there was none.
import assert from 'node:assert/strict'
import { messageNotes, withhold } from '@mox/plugin-sdk'
import { afterEach, test } from 'vitest'
import { REMEMBER_MS } from '../src/pending.ts'
import { DELIVERED, openWorld, PERMANENT, TEMPORARY, type World, type WorldOptions } from './support/world.ts'

const MINUTE = 60_000
const ID = /DSN <[^<>@ ]+@mail\.example\.org>/

let world: World
afterEach(() => world.close())

async function open(options: WorldOptions = {}): Promise<World> {
  world = await openWorld(options)
  return world
}

async function notes(about: { messageId: number; queueId?: number } = { messageId: 1 }): Promise<string[]> {
  const [source] = world.app.host.service(messageNotes)
  const found = (await source?.list(about, 100)) ?? []
  return found.map(({ recipient, text }) => `${recipient} ${text.replace(ID, 'DSN')}`)
}

async function explain(id: string): Promise<string> {
  const command = world.app.commands.find(({ path }) => path.join(' ') === 'message explain')
  const result = await command?.run({ arguments: [id], flags: new Map(), limit: 100 })
  return result?.kind === 'text' ? result.text : ''
}

test('delayed, then failed; each with its time and the Message-ID that the sender has', async () => {
  const { answers, submit, advance, inbox, clock } = await open({
    ...{ retrySchedule: [600, 600], options: { delayedAfterMinutes: 5 } },
  })
  answers.set('bob@example.net', TEMPORARY)
  answers.set('carol@example.net', PERMANENT)
  const [bob = 0, carol = 0] = await submit(['bob@example.net', 'carol@example.net'])
  await advance(MINUTE)
  assert.deepEqual(await notes(), ['carol@example.net failed: DSN to account alice'])
  assert.deepEqual(await notes({ messageId: 1, queueId: bob }), [])
  await advance(25 * MINUTE, MINUTE / 2)
  assert.deepEqual(await notes({ messageId: 1, queueId: bob }), [
    'bob@example.net delayed: DSN to account alice',
    'bob@example.net failed: DSN to account alice',
  ])
  assert.deepEqual(await notes({ messageId: 1, queueId: carol }), ['carol@example.net failed: DSN to account alice'])
  assert.deepEqual(await notes({ messageId: 2 }), [])
  const story = await explain('1')
  const lines = story.slice(story.indexOf('\nwhat the sender was told\n')).split('\n').slice(2, -1)
  assert.equal(lines.length, 3)
  for (const line of lines)
    assert.match(line, /^ {2}2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}\w+@example\.net {2}q\d+ {2}(?:delayed|failed): DSN </)
  for (const message of await inbox('alice')) {
    const id = /^Message-ID: (<.*>)\r$/im.exec(message)?.[1] ?? 'none'
    assert.ok(story.includes(`DSN ${id} to account alice`), id)
  }
  // Kept for a while, whatever becomes of the message.
  await world.storage.write(db => db('dsn_sent').update({ sent_at: clock.now() - REMEMBER_MS - 1 }))
  await submit(['carol@example.net'])
  await advance(MINUTE)
  assert.deepEqual(
    [await notes(), await notes({ messageId: 2 })],
    [[], ['carol@example.net failed: DSN to account alice']],
  )
})

test('asked for and delivered; withheld', async () => {
  const { answers, submit, advance } = await open({
    handlers: { 'onDSN.compose': ({ action }) => (action === 'failed' ? withhold('they know\nit') : undefined) },
  })
  answers.set('bob@example.net', DELIVERED)
  answers.set('carol@example.net', PERMANENT)
  await submit(['bob@example.net', 'carol@example.net'], { notify: ['success', 'failure'] })
  await advance(2 * MINUTE)
  assert.deepEqual((await notes()).sort(), [
    'bob@example.net relayed: DSN to account alice',
    'carol@example.net failed: a plugin kept the DSN back: they know it',
  ])
})

test('mail from outside: the DSN is queued for its sender', async () => {
  const { receive, advance, sent } = await open()
  const message = 'From: x@example.com\r\nTo: bob@example.org\r\nSubject: hi\r\n\r\nhi\r\n'
  await receive('zoe@example.com', ['bob@example.org'], message, ['success'])
  await advance(2 * MINUTE)
  assert.deepEqual(await notes(), ['bob@example.org delivered: DSN queued for zoe@example.com'])
  assert.match(sent[0]?.bytes ?? '', /^Message-ID: <.*@mail\.example\.org>\r$/m)
})
