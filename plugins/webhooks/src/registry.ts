// The endpoints that there are: those of the config and those of the database, in memory so that an event finds its endpoints
// without a query. Changes of the database are seen after their commit.
import { type EventKind, type Log, type Secrets, type Storage, UsageError } from '@mox/plugin-sdk'
import { ALL_KINDS, type Options, OUTGOING_KINDS } from './options.ts'
import { DISABLED, type DisabledRow, ENDPOINT, type EndpointRow, laneOf } from './schema.ts'
import { parseSecret } from './secret.ts'

export interface Endpoint {
  readonly lane: string
  readonly account: string
  readonly name: string
  readonly url: string
  readonly authorization: string
  readonly events: ReadonlySet<EventKind>
  readonly keys: readonly Buffer[]
  readonly concurrency: number
  readonly source: 'config' | 'database'
}

export interface RegistryServices {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly log: Log
}

const CHANNEL = 'webhooks.endpoints'

interface Given {
  readonly url: string
  readonly authorization?: string | undefined
  readonly secret?: string | readonly string[] | undefined
  readonly concurrency: number
}

export class Registry {
  readonly #services: RegistryServices
  readonly #options: Options
  #config: readonly Endpoint[] = []
  #lanes: ReadonlyMap<string, Endpoint> = new Map()
  #accounts: ReadonlyMap<string, readonly Endpoint[]> = new Map()
  #disabled: ReadonlyMap<string, DisabledRow> = new Map()
  #unsubscribe: (() => void) | undefined
  #loading: Promise<void> = Promise.resolve()

  constructor(services: RegistryServices, options: Options) {
    this.#services = services
    this.#options = options
  }

  /** Throws a UsageError for a secret that is missing or malformed. */
  async start(): Promise<void> {
    this.#config = await this.#fromConfig()
    await this.load()
    this.#unsubscribe = this.#services.storage.subscribe(CHANNEL, () => {
      this.#loading = this.load().catch(error =>
        this.#services.log.error({ err: error }, 'webhook endpoints could not be read'),
      )
    })
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.()
    await this.#loading
  }

  /** In the unit of work of a change: everybody reads anew after its commit. */
  changed(): void {
    this.#services.storage.notify(CHANNEL)
  }

  all(): readonly Endpoint[] {
    return [...this.#lanes.values()]
  }

  get(lane: string): Endpoint | undefined {
    return this.#lanes.get(lane)
  }

  disabled(lane: string): DisabledRow | undefined {
    return this.#disabled.get(lane)
  }

  /** Inside a unit of work: nothing is sent there any more. */
  async disable(lane: string, since: number, reason: string): Promise<void> {
    const { storage } = this.#services
    const row: DisabledRow = { lane, since, reason }
    await storage.db<DisabledRow>(DISABLED).insert(row).onConflict('lane').merge()
    this.changed()
    storage.afterCommit(() => {
      this.#disabled = new Map(this.#disabled).set(lane, row)
    })
  }

  /** Inside a unit of work. False when it was not disabled. */
  async enable(lane: string): Promise<boolean> {
    const changed = await this.#services.storage.db<DisabledRow>(DISABLED).where({ lane }).delete()
    this.changed()
    return changed > 0
  }

  /** Enabled endpoints that want events of this kind. */
  matching(account: string, kind: EventKind): readonly Endpoint[] {
    const all = this.#accounts.get(account)
    if (all === undefined) return []
    return all.filter(({ events, lane }) => events.has(kind) && !this.#disabled.has(lane))
  }

  async load(): Promise<void> {
    const { db } = this.#services.storage
    const rows: EndpointRow[] = await db<EndpointRow>(ENDPOINT).orderBy(['account', 'name'])
    const disabled: DisabledRow[] = await db<DisabledRow>(DISABLED)
    const lanes = new Map(this.#config.map(endpoint => [endpoint.lane, endpoint]))
    for (const row of rows) {
      const endpoint = fromRow(row)
      // The config wins where both have one.
      if (!lanes.has(endpoint.lane)) lanes.set(endpoint.lane, endpoint)
    }
    const accounts = new Map<string, Endpoint[]>()
    for (const endpoint of lanes.values())
      accounts.set(endpoint.account, [...(accounts.get(endpoint.account) ?? []), endpoint])
    this.#lanes = lanes
    this.#accounts = accounts
    this.#disabled = new Map(disabled.map(row => [row.lane, row]))
  }

  async #fromConfig(): Promise<Endpoint[]> {
    const found: Endpoint[] = []
    for (const [account, { outgoing, incoming, endpoints }] of Object.entries(this.#options.accounts)) {
      const add = async (name: string, given: Given, events: readonly EventKind[]): Promise<void> => {
        const keys = await this.#keys(`accounts.${account}.${name}`, given.secret)
        const { url, authorization = '', concurrency } = given
        const lane = laneOf(account, name)
        found.push({
          ...{ lane, account, name, url, authorization, keys, concurrency, source: 'config' },
          events: new Set(events),
        })
      }
      if (outgoing !== undefined)
        await add('outgoing', outgoing, outgoing.events.length > 0 ? outgoing.events : OUTGOING_KINDS)
      if (incoming !== undefined) await add('incoming', incoming, ['incoming'])
      for (const one of endpoints) await add(one.name, one, one.events.length > 0 ? one.events : ALL_KINDS)
    }
    return found
  }

  async #keys(option: string, secret: Given['secret']): Promise<Buffer[]> {
    const keys: Buffer[] = []
    for (const given of secret === undefined ? [] : [secret].flat()) {
      const key = parseSecret(given) ?? parseSecret(await this.#services.secrets.get(given))
      if (key === undefined)
        throw new UsageError(
          `webhooks: the secret "${given}" of ${option} must be "whsec_" and the base64 of 24 to 64 bytes`,
        )
      keys.push(key)
    }
    return keys
  }
}

function fromRow(row: EndpointRow): Endpoint {
  const { account, name, url, authorization, concurrency } = row
  const secrets = JSON.parse(row.secrets) as string[]
  return {
    ...{ account, name, url, authorization, concurrency, source: 'database', lane: laneOf(account, name) },
    events: new Set(JSON.parse(row.events) as EventKind[]),
    keys: secrets.flatMap(secret => parseSecret(secret) ?? []),
  }
}
