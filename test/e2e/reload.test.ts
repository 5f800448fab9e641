// SIGHUP reads the config again: a good one takes effect while sessions go on, a bad one is reported and the old one stays.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'vitest'
import { configText } from '../kit/config.ts'
import { type Server, startServer } from '../kit/server.ts'
import { eventually } from '../kit/temp.ts'

const CAROL = "carol: { addresses: ['carol@example.org'] },"
const withCarol = (): string => configText().replace('accounts: {\n', `accounts: {\n        ${CAROL}\n`)

/** The code of the last reply to a message from outside. */
async function sendTo(server: Server, address: string): Promise<number> {
  const session = await server.smtp('smtp')
  await session.ehlo('mx.example.net')
  const content = Buffer.from('From: someone@example.net\r\nSubject: hello\r\n\r\ntext\r\n')
  const { code } = await session.send({ from: 'someone@example.net', to: [address], content })
  await session.quit()
  return code
}

test('SIGHUP reads the config again', async () => {
  await using server = await startServer()
  const standing = await server.login()
  assert.equal(await sendTo(server, 'carol@example.org'), 550)

  await writeFile(server.configFile, configText().replace("hostname: 'localhost'", 'hostname: 7'))
  server.signal('SIGHUP')
  await eventually(() => assert.match(JSON.stringify(server.log), /hostname: 7.*the new config is wrong/))
  const reply = await standing.send({
    from: 'alice@example.org',
    to: ['bob@example.org'],
    content: Buffer.from('From: alice@example.org\r\nSubject: standing\r\n\r\ntext\r\n'),
  })
  assert.equal(reply.code, 250, 'the old config goes on, and so does a session')

  await writeFile(server.configFile, withCarol())
  server.signal('SIGHUP')
  assert.equal((await standing.reply()).code, 421, 'an idle session is told')
  await eventually(() => assert.equal(server.starts, 2))
  assert.equal(await sendTo(server, 'carol@example.org'), 250)

  // A plugin that cannot start with the new config: back to the old one.
  await writeFile(
    server.configFile,
    configText({
      imports: ["import { definePlugin } from '@mox/plugin-sdk'"],
      plugins: ["definePlugin({ name: 'thrower', setup: () => ({ start: () => { throw new Error('cannot') } }) })()"],
    }),
  )
  server.signal('SIGHUP')
  await eventually(() => assert.equal(server.starts, 3))
  assert.equal(await sendTo(server, 'carol@example.org'), 250)
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
})
