// The plugin as the host sees it: options, what it provides, starting and stopping.
import { deepStrictEqual, strictEqual } from 'node:assert'
import type { Command, Mailboxes, Metrics, Migration } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { mailboxes } from '../src/index.ts'
import { options } from '../src/options.ts'
import { openHarness } from './support/harness.ts'

test('options', () => {
  const check = (input: unknown, expected: unknown) => {
    const result = options.safeParse(input)
    deepStrictEqual(result.success ? result.data : result.error.issues.map(issue => issue.path.join('.')), expected)
  }
  const initialMailboxes = [
    { name: 'Sent', specialUse: 'sent' },
    { name: 'Archive', specialUse: 'archive' },
    { name: 'Trash', specialUse: 'trash' },
    { name: 'Drafts', specialUse: 'drafts' },
    { name: 'Junk', specialUse: 'junk' },
  ]
  const rejects = { rejectsMailbox: 'Rejects', rejectsDays: 14 }
  check(undefined, { initialMailboxes, historyDays: 30, ...rejects })
  check({}, { initialMailboxes, historyDays: 30, ...rejects })
  check(
    { initialMailboxes: [{ name: 'a/b' }], historyDays: 1, rejectsMailbox: 'No', rejectsDays: 0 },
    { initialMailboxes: [{ name: 'a/b' }], historyDays: 1, rejectsMailbox: 'No', rejectsDays: 0 },
  )
  check({ initialMailboxes: [{ name: 'Inbox' }] }, ['initialMailboxes.0.name'])
  check({ initialMailboxes: [{ name: 'inbox/a' }] }, ['initialMailboxes.0.name'])
  check({ initialMailboxes: [{ name: 'a//b' }] }, ['initialMailboxes.0.name'])
  check({ initialMailboxes: [{ name: 'a' }, { name: 'a' }] }, ['initialMailboxes'])
  check({ initialMailboxes: [{ name: 'a', specialUse: 'spam' }] }, ['initialMailboxes.0.specialUse'])
  check({ historyDays: 3650 }, { initialMailboxes, historyDays: 3650, ...rejects })
  check({ historyDays: 3651 }, ['historyDays'])
  check({ historyDays: 0 }, ['historyDays'])
  check({ rejectsMailbox: 'inbox' }, ['rejectsMailbox'])
  check({ rejectsDays: -1 }, ['rejectsDays'])
  check(
    { junkFlags: { junk: '^spam' } },
    { initialMailboxes, historyDays: 30, ...rejects, junkFlags: { junk: '^spam' } },
  )
  check({ junkFlags: { junk: '(' } }, ['junkFlags.junk'])
  check({ history: 1 }, [''])
})

test('set up, start, deliver, stop', async () => {
  const h = await openHarness()
  try {
    const counted: unknown[] = []
    const metrics = { counter: () => ({ inc: (labels: unknown) => counted.push(labels) }) } as unknown as Metrics
    const { storage, directory, clock, log } = h.context
    const plugin = mailboxes({ initialMailboxes: [{ name: 'Sent', specialUse: 'sent' }] })
    strictEqual(plugin.name, 'mailboxes')
    const setup = plugin.spec.setup({
      name: 'mailboxes',
      options: options.parse(plugin.input),
      services: { storage, directory, clock, log, metrics },
    } as never)
    deepStrictEqual(
      (setup.migrations as readonly Migration[]).map(m => m.version),
      [1, 2, 3, 4, 5, 6, 7],
    )
    const services = setup.services as unknown as { mailboxes: Mailboxes; commands: readonly Command[] }
    deepStrictEqual(
      services.commands.map(c => c.path.join(' ')),
      [
        'mailbox list',
        'mailbox introbox',
        'mailbox messages',
        'mailbox verify',
        'mailbox import',
        'mailbox export',
        'mailbox rule list',
        'mailbox rule add',
        'mailbox rule remove',
      ],
    )
    await setup.start?.()
    const delivery = await h.delivery('alice', 'Subject: x\n\n')
    const over = await h.delivery('nobody', 'Subject: x\n\n')
    await storage.write(async () => {
      for (const d of [delivery, delivery, over]) await services.mailboxes.deliver(d)
    })
    deepStrictEqual(counted, [{ result: 'delivered' }, { result: 'duplicate' }, { result: 'refused' }])
    const store = await services.mailboxes.store('alice')
    deepStrictEqual(
      (await store.mailboxes()).map(m => m.name),
      ['Inbox', 'Sent'],
    )
    await store.expunge((await services.mailboxes.recent({ limit: 1 })).map(m => m.id))
    await setup.stop?.()
    deepStrictEqual(await services.mailboxes.verify(), [])
  } finally {
    await h.close()
  }
})
