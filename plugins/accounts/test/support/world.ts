// The plugin in a real host on a real database: virtual clock, seeded randomness, a directory of its own that close()
// removes. Commands run as the command line would run them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Command,
  type CommandResult,
  commands,
  type Directory,
  directory,
  type LoginContext,
  type Metrics,
  metrics,
  type SaslExchange,
  type SaslStep,
  type Secrets,
  type Storage,
  secrets,
  storage,
  system,
  UsageError,
} from '@mox/plugin-sdk'
import { type TestHost, testHost } from '@mox/plugin-sdk/testkit'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { accounts } from '../../src/index.ts'
import type { OptionsInput } from '../../src/options.ts'

export const HOSTNAME = 'mail.example.net'
export const PASSWORD = 'correct horse'

export interface World {
  readonly host: TestHost
  readonly directory: Directory
  readonly storage: Storage
  /** Values by "name{labels}". */
  readonly counted: ReadonlyMap<string, number>
  /** `mox` with these words; throws what the command throws. */
  mox(line: string, flags?: Readonly<Record<string, string | number | boolean>>): Promise<CommandResult>
  rows(line: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** The message of the UsageError that the command throws. */
  refusal(line: string, flags?: Readonly<Record<string, string | number | boolean>>): Promise<string>
  /** Stops and starts with the same data; `options` replace the former ones. */
  restart(options?: OptionsInput): Promise<void>
  close(): Promise<void>
}

export const OPTIONS: OptionsInput = {
  domains: { 'example.org': {} },
  accounts: { alice: { addresses: ['alice@example.org'], password: PASSWORD } },
}

export async function openWorld(
  first: OptionsInput = OPTIONS,
  known: ReadonlyMap<string, string> = new Map(),
): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mox-accounts-'))
  const counted = new Map<string, number>()
  const generated = new Map(known)
  let options = first
  let host: TestHost

  const fakeSecrets: Secrets = {
    get: async name => {
      const value = generated.get(name)
      if (value === undefined) throw new UsageError(`the secret "${name}" is missing`)
      return value
    },
    generate: async (name, bytes) => {
      if (!generated.has(name)) generated.set(name, host?.random.bytes(bytes).toString('hex') ?? 'ab'.repeat(bytes))
      return generated.get(name) ?? ''
    },
  }
  const open = async (): Promise<void> => {
    host = await testHost({
      plugins: [storageSqlite(), accounts(options)],
      services: [
        [system, { hostname: HOSTNAME, dataDir, version: '0.0.0' }],
        [secrets, fakeSecrets],
        [metrics, countingMetrics(counted)],
      ],
    })
  }
  const run = async (line: string, flags: Readonly<Record<string, string | number | boolean>> = {}) => {
    const words = line.split(' ').filter(w => w !== '')
    const all: readonly Command[] = host.service(commands)
    const command = all.find(c => c.path.every((word, i) => words[i] === word))
    if (command === undefined) throw new Error(`no command: ${line}`)
    const given = words.slice(command.path.length).map(word => word.replaceAll('_', ' '))
    return await command.run({ arguments: given, flags: new Map(Object.entries(flags)), limit: 100 })
  }
  try {
    await open()
  } catch (error) {
    await rm(dataDir, { recursive: true })
    throw error
  }
  return {
    counted,
    get host() {
      return host
    },
    get directory() {
      return host.service(directory)
    },
    get storage() {
      return host.service(storage)
    },
    mox: run,
    rows: async line => {
      const result = await run(line)
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
    restart: async next => {
      await host.close()
      options = next ?? options
      await open()
    },
    close: async () => {
      await host.close()
      await rm(dataDir, { recursive: true })
    },
  }
}

function countingMetrics(counted: Map<string, number>): Metrics {
  return {
    counter: name => ({
      inc: (labels = {}, by = 1) => {
        const key = `${name}{${Object.values(labels).join(' ')}}`
        counted.set(key, (counted.get(key) ?? 0) + by)
      },
    }),
    gauge: () => ({ set: () => {} }),
    histogram: () => ({ observe: () => {} }),
    collect: () => {},
    render: async () => '',
  }
}

export function context(fields: Partial<LoginContext> = {}): LoginContext {
  return { protocol: 'submission', remoteIp: '192.0.2.1', localIp: '192.0.2.25', ...fields }
}

/** "ok alice@example.org", "535 badpassword": how a login ended. */
export function ending(step: SaslStep | Awaited<ReturnType<Directory['login']>>): string {
  if ('kind' in step && step.kind === 'challenge') return `challenge ${step.data.toString()}`
  const result = 'kind' in step ? step.result : step
  return result.ok ? `ok ${result.account} ${result.loginAddress}` : `${result.reply.code} ${result.result}`
}

/** Feeds responses one by one; null: none yet. */
export async function converse(
  exchange: SaslExchange | undefined,
  responses: readonly (string | Buffer | null)[],
): Promise<string[]> {
  const said: string[] = []
  for (const response of responses) {
    const bytes = typeof response === 'string' ? Buffer.from(response) : response
    said.push(exchange === undefined ? 'no such mechanism' : ending(await exchange.step(bytes)))
  }
  return said
}
