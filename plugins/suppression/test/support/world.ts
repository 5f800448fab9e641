// The plugin in a real host on a real database: virtual clock, a directory of its own that close() removes. Commands run as
// the command line would run them.
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Attempt,
  type Command,
  type CommandResult,
  commands,
  type Directory,
  directory,
  type Retired,
  type Storage,
  type Suppressions,
  storage,
  suppressions,
  system,
  UsageError,
} from '@mox/plugin-sdk'
import { sampleAttempt, sampleJob, samplePath, sampleRetired, type TestHost, testHost } from '@mox/plugin-sdk/testkit'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { suppression } from '../../src/index.ts'

type Input = Parameters<typeof suppression>[0]
type Flags = Readonly<Record<string, string | number | boolean>>

export interface World {
  readonly dir: string
  readonly host: TestHost
  readonly list: Suppressions
  readonly storage: Storage
  mox(line: string, flags?: Flags): Promise<CommandResult>
  rows(line: string, flags?: Flags): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** The message of the UsageError that the command throws. */
  refusal(line: string, flags?: Flags): Promise<string>
  /** A recipient that left the queue; `fields` are those of `Retired`, `attempt` those of its last attempt. */
  retire(address: string, attempt: Partial<Attempt>, fields?: Partial<Retired>): Promise<number>
  /** Whether the address may be sent mail: "pass", or the words of the refusal. */
  deliver(address: string, account?: string, stream?: string): Promise<string>
  /** Stops, and starts `laterMs` later. */
  restart(laterMs?: number): Promise<void>
  close(): Promise<void>
}

export async function openWorld(input: Input = {}): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'mox-suppression-'))
  const people: Partial<Directory> = {
    account: async name =>
      ['alice', 'carol'].includes(name)
        ? {
            ...{ name, fullName: '', quota: 0, addresses: [] },
            ...{ maxOutgoingPerDay: 0, maxFirstTimeRecipientsPerDay: 0, maxQueued: 0, maxQueuedBytes: 0 },
          }
        : undefined,
  }
  let host: TestHost
  let now: number | undefined
  let messageId: number | undefined
  const open = async (): Promise<void> => {
    host = await testHost({
      plugins: [storageSqlite(), suppression(input)],
      services: [
        [system, { hostname: 'mail.example.net', dataDir: dir, version: '0.0.0' }],
        [directory, people],
      ],
      ...(now === undefined ? {} : { now }),
    })
  }
  const run = async (line: string, flags: Flags = {}): Promise<CommandResult> => {
    const words = line.split(' ').filter(word => word !== '')
    const all: readonly Command[] = host.service(commands)
    const command = all.find(c => c.path.every((word, i) => words[i] === word))
    if (command === undefined) throw new Error(`no command: ${line}`)
    const given = words.slice(command.path.length)
    return await command.run({ arguments: given, flags: new Map(Object.entries(flags)), limit: 100 })
  }
  const message = async (): Promise<number> => {
    if (messageId !== undefined) return messageId
    const db = host.service(storage)
    return await db.write(async () => {
      const writer = db.content.writer()
      await writer.write(Buffer.from('text'))
      const contentId = await db.content.keep(await writer.finish(createHash('sha256').update('text').digest()))
      messageId = await db.messages.add({
        ...{ kind: 'submission', source: 'submission', prefix: Buffer.alloc(0), contentId, remoteIp: '', helo: '' },
        ...{ protocol: 'ESMTP', recipients: [], facts: {}, trace: [], account: 'alice' },
        ...{ receivedAt: 0, messageIdHeader: '', subject: '', size: 4, has8bit: false, smtputf8: false },
        reversePath: samplePath('alice@example.org'),
      })
      return messageId
    })
  }
  await open()
  return {
    dir,
    get host() {
      return host
    },
    get list() {
      return host.service(suppressions)
    },
    get storage() {
      return host.service(storage)
    },
    mox: run,
    rows: async (line, flags) => {
      const result = await run(line, flags)
      if (result.kind !== 'rows') throw new Error('no rows')
      return result.rows
    },
    refusal: async (line, flags) => {
      try {
        return `done: ${JSON.stringify(await run(line, flags))}`
      } catch (error) {
        if (error instanceof UsageError) return error.message
        throw error
      }
    },
    retire: async (address, attempt, fields = {}) => {
      const recipient = samplePath(address)
      const reversePath = samplePath('alice@example.org')
      const job = { recipient, recipientDomain: recipient.domain, reversePath, due: 0, hold: true, maxAttempts: 1 }
      const db = host.service(storage)
      const [id = 0] = await db.write(async () => await db.queue.add(await message(), [{ ...job, extra: {} }]))
      const results = [sampleAttempt({ outcome: 'permanent', ...attempt })]
      const retired = sampleRetired({ id, messageId: messageId ?? 0, recipient, results, status: 'failed', ...fields })
      const kept = { ...retired, keepUntil: host.clock.now() + 86_400_000 * 900 }
      await db.write(() => db.queue.retire([kept]))
      await host.write('onRetire.tx', { retired: kept })
      return id
    },
    deliver: async (address, account = 'alice', stream) => {
      const recipient = samplePath(address)
      const job = sampleJob({ recipient, account, ...(stream === undefined ? {} : { stream }) })
      const verdict = await host.decide('beforeDeliver', { job, attempt: 1 })
      host.newMessage()
      return verdict.kind === 'fail' ? `${verdict.status}: ${verdict.reply.text}` : verdict.kind
    },
    restart: async (laterMs = 0) => {
      now = host.clock.now() + laterMs
      await host.close()
      await open()
    },
    close: async () => {
      await host.close()
      await rm(dir, { recursive: true })
    },
  }
}
