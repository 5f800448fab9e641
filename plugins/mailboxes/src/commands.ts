// `mox mailbox …`: looking into the message store from the command line.
import { type Command, type Mailboxes, UsageError } from '@mox/plugin-sdk'
import { told } from './rule-commands.ts'

const ACCOUNT = { name: 'account', help: 'name of the account' }

export function mailboxCommands(mailboxes: Mailboxes): readonly Command[] {
  return [
    {
      path: ['mailbox', 'list'],
      summary: 'Mailboxes of an account with their counts',
      arguments: [ACCOUNT],
      offline: true,
      run: async ({ arguments: [account = ''], limit }) => {
        const store = await mailboxes.store(account)
        const all = await store.mailboxes()
        const rows = all.slice(0, limit).map(m => ({
          id: m.id,
          name: m.name,
          use: [...m.specialUse, ...(m.introbox ? ['introbox'] : [])].join(' '),
          messages: m.total + m.deleted,
          unread: m.unread,
          size: m.size,
          subscribed: m.subscribed,
        }))
        const columns = ['id', 'name', 'use', 'messages', 'unread', 'size', 'subscribed']
        return { kind: 'rows', columns, rows, more: all.length > limit }
      },
    },
    {
      path: ['mailbox', 'introbox'],
      summary: 'Has mail of first-time senders put in a mailbox of its own instead of Inbox',
      arguments: [ACCOUNT, { name: 'mailbox', help: 'made when missing; without it, Inbox again', required: false }],
      offline: true,
      run: async ({ arguments: [account = '', name = ''] }) => {
        const store = await mailboxes.store(account)
        await told(() => store.setIntrobox(name))
        return {
          kind: 'text',
          text: name === '' ? 'first-time senders go to Inbox' : `first-time senders go to ${name}`,
        }
      },
    },
    {
      path: ['mailbox', 'messages'],
      summary: 'Messages of a mailbox by uid',
      arguments: [ACCOUNT, { name: 'mailbox', help: 'name of the mailbox, such as Inbox' }],
      flags: [{ name: 'after', type: 'number', help: 'only uids above this one' }],
      offline: true,
      run: async ({ arguments: [account = '', name = ''], flags, limit }) => {
        const store = await mailboxes.store(account)
        const mailbox = await store.mailbox(name)
        if (mailbox === undefined) throw new UsageError(`account ${account} has no mailbox ${JSON.stringify(name)}`)
        const after = Number(flags.get('after') ?? 0)
        const found = await store.messages(mailbox.id, { limit: limit + 1, after })
        const rows = found.slice(0, limit).map(m => ({
          uid: m.uid,
          id: m.id,
          received: new Date(m.receivedAt).toISOString(),
          size: m.size,
          flags: words(m.flags, m.keywords),
          from: m.mailFrom,
          subject: m.subject,
        }))
        const columns = ['uid', 'id', 'received', 'size', 'flags', 'from', 'subject']
        return { kind: 'rows', columns, rows, more: found.length > limit }
      },
    },
    {
      path: ['mailbox', 'verify'],
      summary: 'Checks counts, uids, modseqs, threads and contents of all message stores',
      offline: true,
      run: async () => {
        const problems = await mailboxes.verify()
        const text = problems.length === 0 ? 'message stores are consistent' : problems.join('\n')
        return { kind: 'text', text, failed: problems.length > 0 }
      },
    },
  ]
}

function words(flags: object, keywords: readonly string[]): string {
  const set = Object.entries(flags).filter(([, value]) => value === true)
  return [...set.map(([flag]) => flag), ...keywords].join(' ')
}
