// The real program in this process: SQLite in a directory of its own, accounts, mailboxes, core's stages with the queue
// paused, a virtual clock. close() removes the directory.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Application, createApplication, resolveConfig } from '@mox/core'
import { accounts } from '@mox/plugin-accounts'
import { mailboxes as mailboxesPlugin } from '@mox/plugin-mailboxes'
import {
  type CommandResult,
  clock,
  directory,
  log,
  mailboxes,
  optional,
  type Plugin,
  random,
  storage,
  submission,
  suppressions,
  system,
  UsageError,
} from '@mox/plugin-sdk'
import { collectingLog, seededRandom, VirtualClock } from '@mox/plugin-sdk/testkit'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { Quota } from '../../src/quota.ts'
import { Records } from '../../src/records.ts'
import { migrations } from '../../src/schema.ts'
import type { SendServices } from '../../src/send/sender.ts'
import { Unsubscribe } from '../../src/unsubscribe.ts'

export const PASSWORD = 'correct horse battery'

/** A virtual clock that can also jump: later, with no timer run in between. */
export class JumpingClock extends VirtualClock {
  #ahead = 0

  override now(): number {
    return super.now() + this.#ahead
  }

  jump(ms: number): void {
    this.#ahead += ms
  }
}

export interface WorldOptions {
  readonly plugins?: readonly Plugin[]
  readonly maxOutgoingPerDay?: number
  readonly maxFirstTimeRecipientsPerDay?: number
  readonly maxQueued?: number
  readonly quota?: number
  readonly paused?: boolean
  readonly loginLimits?: { readonly perMinute: number; readonly perDay: number } | false
}

export interface World {
  readonly app: Application
  readonly clock: JumpingClock
  readonly log: ReturnType<typeof collectingLog>
  /** `mox` with these words; a UsageError is thrown. */
  mox(line: string, flags?: Readonly<Record<string, string | number | boolean>>): Promise<CommandResult>
  /** Prefix and content of the message of a queued recipient. */
  source(queueId: number): Promise<string>
  /** Recipients in the queue. */
  queued(): Promise<number>
  /** Stops and starts with the same data. */
  restart(): Promise<void>
  close(): Promise<void>
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'mox-webapi-'))
  const virtual = new JumpingClock()
  const lines = collectingLog()
  const { maxOutgoingPerDay, maxFirstTimeRecipientsPerDay, maxQueued, quota } = options
  const limits = {
    ...(maxOutgoingPerDay === undefined ? {} : { maxOutgoingPerDay }),
    ...(maxFirstTimeRecipientsPerDay === undefined ? {} : { maxFirstTimeRecipientsPerDay }),
    ...(maxQueued === undefined ? {} : { maxQueued }),
    ...(quota === undefined ? {} : { quota }),
  }
  const config = {
    hostname: 'mail.example.org',
    dataDir: dir,
    queue: { paused: options.paused ?? true },
    plugins: [
      storageSqlite(),
      accounts({
        domains: {
          'example.org': { aliases: { team: { members: ['alice@example.org'], allowMsgFrom: true } } },
          'off.example': { disabled: true },
        },
        accounts: {
          alice: {
            addresses: ['alice@example.org', 'alice@off.example', 'jösé@example.org'],
            fullName: 'Alice A.',
            password: PASSWORD,
            ...limits,
          },
          bob: { addresses: ['bob@example.org'], password: PASSWORD },
          gone: { addresses: ['gone@example.org'], password: PASSWORD, loginDisabled: 'moved away' },
        },
        postmaster: 'alice',
        loginLimits: options.loginLimits ?? false,
      }),
      mailboxesPlugin(),
      ...(options.plugins ?? []),
    ],
  }
  let app: Application
  const open = async (): Promise<void> => {
    app = createApplication(resolveConfig(config, join(dir, 'mox.config.ts')), {
      clock: virtual,
      random: seededRandom(),
      log: lines,
    })
    try {
      await app.open()
      await app.serve()
    } catch (error) {
      await app.close().catch(() => undefined)
      await rm(dir, { recursive: true })
      throw error
    }
  }
  const stop = async (): Promise<void> => {
    await app.drain(AbortSignal.abort())
    await app.close()
  }
  await open()
  return {
    get app() {
      return app
    },
    clock: virtual,
    log: lines,
    mox: async (line, flags = {}) => {
      const words = line.split(' ')
      const command = app.commands.find(c => c.path.every((word, i) => words[i] === word))
      if (command === undefined) throw new UsageError(`no command: ${line}`)
      const given = words.slice(command.path.length)
      return await command.run({ arguments: given, flags: new Map(Object.entries(flags)), limit: 100 })
    },
    source: async queueId => {
      const { queue, content } = app.host.service(storage)
      const job = await queue.get(queueId)
      const found = job === undefined ? undefined : await queue.source(job.messageId)
      if (found === undefined) throw new Error(`nothing queued with id ${queueId}`)
      return Buffer.concat([found.prefix, await content.read(found.contentId)]).toString()
    },
    queued: async () => await app.host.service(storage).queue.count({}),
    restart: async () => {
      await stop()
      await open()
    },
    close: async () => {
      await stop()
      await rm(dir, { recursive: true })
    },
  }
}

/** What a Sender needs, from a world without the plugin itself. */
export async function sendServices(
  world: World,
  streams: ReadonlyMap<string, number> = new Map(),
): Promise<SendServices> {
  const { host } = world.app
  const services = { storage: host.service(storage), clock: host.service(clock), log: host.service(log) }
  await services.storage.migrate('webapi', migrations)
  const records = new Records(services, 86_400_000)
  const lists = host.service(optional(suppressions))
  const unsubscribe = new Unsubscribe({ ...services, suppressions: lists, events: undefined }, 'https://x.example/')
  return {
    ...{ ...services, unsubscribe },
    ...{ records, quota: new Quota(records, services.clock, streams) },
    submission: host.service(submission),
    directory: host.service(directory),
    mailboxes: host.service(optional(mailboxes)),
    suppressions: lists,
    random: host.service(random),
    system: host.service(system),
  }
}
