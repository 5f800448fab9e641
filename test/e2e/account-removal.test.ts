// A removed account leaves nothing: an account that is added later under its name has an empty mailbox, its own password, and none of
// the keys, endpoints, settings and records of the first. Every table of the real program's database is looked at.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { MoxClient } from '@mox/plugin-webapi/client'
import Database from 'better-sqlite3'
import { test } from 'vitest'
import { DEFAULT_SETTINGS } from '../../plugins/webmail/src/server/settings.ts'
import { WebmailClient } from '../../plugins/webmail/test/webmail-host.ts'
import { mox } from '../kit/cli.ts'
import { startLocalserve } from '../kit/localserve.ts'
import { eventually } from '../kit/temp.ts'

/** What operators keep: who was put on the list of suppressed recipients, and why; and messages until their content is collected. */
const KEPT = new Set(['suppression_audit', 'mox_message', 'mox_sent', 'mox_met'])

/** Tables with rows of the account. */
function tablesOf(file: string, account: string): string[] {
  const db = new Database(file, { readonly: true })
  try {
    const columns = db
      .prepare(
        `select m.name as "table", c.name as "column" from sqlite_master m join pragma_table_info(m.name) c
         where m.type = 'table' and c.name in ('account', 'name', 'lane')`,
      )
      .all() as { table: string; column: string }[]
    return columns
      .filter(({ table, column }) => {
        const like = column === 'lane' ? `${account}/%` : account
        return db.prepare(`select 1 from "${table}" where "${column}" like ? limit 1`).get(like) !== undefined
      })
      .map(({ table }) => table)
      .filter(table => !KEPT.has(table))
      .sort()
  } finally {
    db.close()
  }
}

test('an account of the same name finds nothing of a removed one', async () => {
  await using server = await startLocalserve({ probe: true })
  const done = async (line: string, input = ''): Promise<string> => {
    const { code, stdout, stderr } = await mox([...line.split(' '), '--config', server.configFile], { input })
    assert.equal(code, 0, `${line}: ${stderr}${stdout}`)
    return stdout
  }
  const file = join(server.dir, 'data', 'mox.db')
  const added = async (): Promise<void> => {
    await done('account add eve eve@localhost')
    await done('account password eve', 'correct horse battery\n')
  }
  await added()
  const key = /^mox_\S+$/m.exec(await done('webapi key add eve shop --permissions all'))?.[0] ?? ''
  await done('webhook endpoint add eve hook http://127.0.0.1:9/hook')
  await done('queue suppress add eve nobody@example.org')
  const client = new MoxClient({ url: server.url('/webapi/'), key })
  await client.send({ to: ['eve@localhost'], subject: 'secret', text: 'x' }, { idempotencyKey: 'one' })
  await eventually(async () => {
    const count = await server.get<{ stored: number; queued: number }>('/probe/count/eve')
    assert.deepEqual(count, { stored: 1, queued: 0 })
  })
  const browser = new WebmailClient(() => server.url('/webmail/'))
  await browser.login('eve@localhost', 'correct horse battery')
  await browser.call('settingsSave', { settings: { ...DEFAULT_SETTINGS, signature: 'Eve' } })
  const nobody = { to: [], cc: [], bcc: [], replyTo: [], html: null, response: null, requireTls: null, sendAt: null }
  await browser.call('draftCreate', { draft: { ...nobody, from: 'eve@localhost', subject: 'draft', text: 'x' } })
  const before = tablesOf(file, 'eve')
  const wanted = ['accounts_credential', 'events_log', 'mailboxes_account', 'mox_history', 'suppression_entry']
  for (const table of [...wanted, 'webapi_key', 'webhooks_endpoint', 'webmail_draft', 'webmail_session'])
    assert.ok(before.includes(table), `${table} of ${before.join(' ')}`)

  assert.match(await done('account remove eve'), /^removed eve, and all that was kept for it$/m)
  assert.deepEqual(tablesOf(file, 'eve'), [])
  await assert.rejects(client.send({ to: ['eve@localhost'], text: 'x' }), /401|key/)
  await assert.rejects(browser.call('devices', {}), /session has ended/)

  await added()
  await assert.rejects(client.send({ to: ['eve@localhost'], text: 'x' }), /401|key/)
  await assert.rejects(browser.call('devices', {}), /session has ended/)
  assert.deepEqual(await server.get('/probe/count/eve'), { stored: 0, queued: 0 })
  const again = new WebmailClient(() => server.url('/webmail/'))
  await again.login('eve@localhost', 'correct horse battery')
  assert.equal((await again.call('devices', {})).devices.length, 1)
  assert.deepEqual(
    tablesOf(file, 'eve').filter(table => !/^(?:accounts|mailboxes)_|^webmail_session$/.test(table)),
    [],
  )
  assert.equal(await done('queue suppress list --account eve --json'), '[]\n')
  await eventually(() => {
    const db = new Database(file, { readonly: true })
    assert.equal(db.prepare("select count(*) from mailboxes_account where name like ' removed %'").pluck().get(), 0)
    db.close()
  })
  assert.match(await done('verify'), /no problems|ok/i)
  await server.stop()
})
