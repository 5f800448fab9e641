// The events plugin in the real host, on a real database in a temporary directory, with mailboxes and accounts beside it.
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accounts } from '@mox/plugin-accounts'
import { mailboxes as mailboxesPlugin } from '@mox/plugin-mailboxes'
import {
  type Events,
  events as eventsToken,
  type Mailboxes,
  mailboxes,
  type Plugin,
  type Storage,
  storage,
  system,
} from '@mox/plugin-sdk'
import { type Path, parseHeader } from '@mox/plugin-sdk/mail'
import { samplePath, type TestHost, testHost } from '@mox/plugin-sdk/testkit'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { events } from '../src/index.ts'

export interface World {
  readonly dir: string
  readonly host: TestHost
  readonly events: Events
  readonly storage: Storage
  readonly mailboxes: Mailboxes
  /** Receives a message for `recipients` of example.org; ids of the message and of its copies. */
  receive(message: string, options?: Receive): Promise<{ messageId: number; copies: number[] }>
  close(): Promise<void>
}

export interface Receive {
  readonly from?: Path | null
  readonly recipients?: readonly string[]
  readonly source?: string
}

export interface WorldOptions {
  readonly dir?: string
  readonly now?: number
  readonly plugins?: readonly Plugin[]
  readonly services?: NonNullable<Parameters<typeof testHost>[0]['services']>
  readonly days?: number
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'mox-events-')))
  const host = await testHost({
    plugins: [
      storageSqlite(),
      accounts({
        domains: { 'example.org': { separators: ['+'] } },
        accounts: {
          alice: { addresses: ['alice@example.org'] },
          bob: { addresses: ['bob@example.org'] },
        },
        postmaster: 'alice',
      }),
      mailboxesPlugin(),
      events(options.days === undefined ? {} : { days: options.days }),
      ...(options.plugins ?? []),
    ],
    services: [[system, { hostname: 'mail.example.org', dataDir: dir, version: '0.0.0' }], ...(options.services ?? [])],
    ...(options.now === undefined ? {} : { now: options.now }),
  }).catch(async (error: unknown) => {
    await rm(dir, { recursive: true, force: true })
    throw error
  })
  const database = host.service(storage)
  const stores = host.service(mailboxes)

  const receive: World['receive'] = async (text, { from = samplePath('eve@example.net'), ...given } = {}) => {
    const content = Buffer.from(text.replaceAll('\n', '\r\n'))
    const head = parseHeader(content)
    const recipients = given.recipients ?? ['alice@example.org']
    const prefix = Buffer.from('Received: from elsewhere\r\n')
    const writer = database.content.writer()
    await writer.write(content)
    const staged = await writer.finish(createHash('sha256').update(content).digest())
    return await database.write(async () => {
      const contentId = await database.content.keep(staged)
      const messageId = await database.messages.add({
        ...{ kind: 'delivery', source: given.source ?? 'smtp', account: '', receivedAt: host.clock.now() },
        ...{ reversePath: from, recipients, prefix, contentId, size: prefix.length + content.length },
        ...{ has8bit: false, smtputf8: false, remoteIp: '198.51.100.7', helo: 'mx.example.net', protocol: 'ESMTP' },
        ...{ messageIdHeader: head.get('message-id') ?? '', subject: head.get('subject') ?? '', facts: {}, trace: [] },
      })
      const copies: number[] = []
      for (const address of recipients) {
        const recipient = samplePath(address)
        const outcome = await stores.deliver({
          ...{ account: recipient.localpart.replace(/\+.*/, ''), mailbox: 'Inbox', key: `m${messageId} ${address}` },
          ...{ messageId, contentId, prefix, size: prefix.length + content.length, head, recipient },
          ...{ receivedAt: host.clock.now(), reversePath: from, remoteIp: '198.51.100.7', helo: 'mx.example.net' },
          ...{ keywords: [], junk: false },
        })
        if (outcome.ok) copies.push(outcome.id)
      }
      return { messageId, copies }
    })
  }

  return {
    dir,
    host,
    events: host.service(eventsToken),
    storage: database,
    mailboxes: stores,
    receive,
    close: async () => {
      await host.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Lets what a timer started on the real database get on until `check` holds. */
export async function settled(check: () => Promise<boolean>): Promise<void> {
  for (let turns = 0; turns < 5_000; turns++) {
    if (await check()) return
    await new Promise(resolve => setImmediate(resolve))
  }
  throw new Error('it did not happen')
}
