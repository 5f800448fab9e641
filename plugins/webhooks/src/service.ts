// webhooks@1: what operators, pages and APIs do with endpoints and calls.
import {
  type Directory,
  type NewWebhookEndpoint,
  type Page,
  type Random,
  UsageError,
  type WebhookCall,
  type WebhookCallDetail,
  type WebhookEndpoint,
  type WebhookFilter,
  type WebhookReplay,
  type WebhookResult,
  type Webhooks,
  type WebhookTest,
} from '@mox/plugin-sdk'
import type { Egress } from '@mox/plugin-sdk/io'
import { deleteInPortions, Poster } from '@mox/plugin-sdk/io'
import type { Engine } from './engine.ts'
import { listCalls, matching } from './filters.ts'
import { ALL_KINDS, AUTHORIZATION, ENDPOINT_CONCURRENCY_MOST, NAME, urlProblem } from './options.ts'
import type { Endpoint } from './registry.ts'
import { type ReplayServices, replay } from './replay.ts'
import { samplePayload } from './sample.ts'
import { CALL, type CallRow, callOf, ENDPOINT, type EndpointRow, laneOf } from './schema.ts'
import { newSecret, SECRETS } from './secret.ts'
import { post, type SendServices } from './send.ts'

export interface ServiceParts extends ReplayServices, SendServices {
  readonly random: Random
  readonly egress: Egress
  readonly engine: Engine
  readonly directory: Directory | undefined
}

/** Calls changed in one unit of work. */
const CHANGE_BATCH = 500
const ACCOUNT_LENGTH = 255

export class WebhooksService implements Webhooks {
  readonly #parts: ServiceParts

  constructor(parts: ServiceParts) {
    this.#parts = parts
  }

  /** Resolves when no call is under way or due now. */
  idle(): Promise<void> {
    return this.#parts.engine.idle()
  }

  async endpoints(account?: string): Promise<WebhookEndpoint[]> {
    const { registry } = this.#parts
    const found = registry.all().filter(one => account === undefined || one.account === account)
    return await Promise.all(found.map(endpoint => this.#describe(endpoint)))
  }

  async #describe({ lane, account, name, url, events, concurrency, authorization, keys, source }: Endpoint) {
    const { registry, storage } = this.#parts
    const disabled = registry.disabled(lane)
    const row = (await storage.db(CALL).where({ lane }).whereNull('ended_at').count('id as n').first()) as { n: number }
    return {
      ...{ account, name, url, events: [...events], concurrency, source, waiting: Number(row.n) },
      ...{ authorized: authorization !== '', signed: keys.length > 0 },
      ...(disabled === undefined ? {} : { disabled: { since: disabled.since, reason: disabled.reason } }),
    }
  }

  async addEndpoint(endpoint: NewWebhookEndpoint): Promise<{ readonly secret: string }> {
    const { registry, storage, random, clock, directory } = this.#parts
    const row = this.#newRow(endpoint, newSecret(random), clock.now())
    if (directory !== undefined && (await directory.account(row.account)) === undefined)
      throw new UsageError(`there is no account ${JSON.stringify(row.account)}; see mox account list`)
    await storage.write(async db => {
      const known = await db<EndpointRow>(ENDPOINT).where({ account: row.account, name: row.name }).first()
      if (known !== undefined || registry.get(laneOf(row.account, row.name)) !== undefined)
        throw new UsageError(
          `account ${row.account} has an endpoint ${row.name} already; remove it first, or choose another name`,
        )
      await db(ENDPOINT).insert(row)
      registry.changed()
    })
    await registry.load()
    return { secret: (JSON.parse(row.secrets) as string[])[0] ?? '' }
  }

  #newRow(endpoint: NewWebhookEndpoint, secret: string, now: number): EndpointRow {
    const { account, name, url, events = [], authorization = '', concurrency = 1 } = endpoint
    const refuse = (what: string): never => {
      throw new UsageError(`the endpoint's ${what}`)
    }
    if (account === '' || account.length > ACCOUNT_LENGTH) refuse('account is empty or too long')
    if (!NAME.test(name)) refuse('name must be lower-case letters, digits and dashes, at most 64')
    const problem = urlProblem(url)
    if (problem !== undefined) refuse(`URL ${problem}`)
    if (authorization !== '' && !AUTHORIZATION.test(authorization))
      refuse('authorization must be one line of printable ASCII')
    if (events.some(kind => !ALL_KINDS.includes(kind))) refuse(`events must be among ${ALL_KINDS.join(', ')}`)
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > ENDPOINT_CONCURRENCY_MOST)
      refuse(`concurrency must be 1 to ${ENDPOINT_CONCURRENCY_MOST}`)
    this.#parts.egress.checkHost(new URL(url).hostname)
    return {
      ...{ account, name, url, authorization, concurrency, created_at: now },
      events: JSON.stringify(events.length > 0 ? events : ALL_KINDS),
      secrets: JSON.stringify([secret]),
    }
  }

  async rotateSecret(account: string, name: string): Promise<{ readonly secret: string }> {
    const { registry, storage, random } = this.#parts
    const secret = newSecret(random)
    await storage.write(async db => {
      const row = (await db<EndpointRow>(ENDPOINT).where({ account, name }).first()) as EndpointRow | undefined
      if (row === undefined) throw unknownEndpoint(account, name)
      const secrets = [secret, ...(JSON.parse(row.secrets) as string[])].slice(0, SECRETS)
      await db(ENDPOINT)
        .where({ account, name })
        .update({ secrets: JSON.stringify(secrets) })
      registry.changed()
    })
    await registry.load()
    return { secret }
  }

  async removeEndpoint(account: string, name: string): Promise<boolean> {
    const { registry, storage, engine } = this.#parts
    const lane = laneOf(account, name)
    const removed = await storage.write(async db => {
      const rows = await db(ENDPOINT).where({ account, name }).delete()
      if (rows > 0) await registry.enable(lane)
      return rows > 0
    })
    await registry.load()
    // The lane finds that its endpoint is gone and ends what waits.
    if (removed) engine.wake(lane)
    return removed
  }

  /** In the unit of work that removes the account: its endpoints go, and what was, and was to be, posted to them. */
  async removeOf(account: string): Promise<void> {
    const { registry, storage } = this.#parts
    const rows: EndpointRow[] = await storage.db<EndpointRow>(ENDPOINT).where({ account })
    for (const { name } of rows) await registry.enable(laneOf(account, name))
    await storage.db(ENDPOINT).where({ account }).delete()
    const waiting: Pick<CallRow, 'content_id'>[] = await storage
      .db<CallRow>(CALL)
      .select('content_id')
      .where({ account })
      .whereNotNull('content_id')
    for (const { content_id } of waiting) if (content_id !== null) await storage.content.release(content_id)
    await deleteInPortions(storage.db, CALL, 'id', { account })
    registry.changed()
  }

  async enableEndpoint(account: string, name: string): Promise<boolean> {
    const { registry, storage } = this.#parts
    const enabled = await storage.write(() => registry.enable(laneOf(account, name)))
    await registry.load()
    return enabled
  }

  async list(filter: WebhookFilter, page: Page): Promise<WebhookCall[]> {
    return (await listCalls(this.#parts.storage, 'waiting', filter, page)).map(callOf)
  }

  async retired(filter: WebhookFilter, page: Page): Promise<WebhookCall[]> {
    return (await listCalls(this.#parts.storage, 'over', filter, page)).map(callOf)
  }

  async get(id: number): Promise<WebhookCallDetail | undefined> {
    const row: CallRow | undefined = await this.#parts.storage.db<CallRow>(CALL).where({ id }).first()
    return row === undefined ? undefined : { ...callOf(row), payload: row.payload }
  }

  async cancel(filter: WebhookFilter): Promise<number> {
    const { engine, calls } = this.#parts
    const count = await this.#each(filter, ids => calls.end(ids, 'cancelled'))
    await engine.wakeAll()
    return count
  }

  async reschedule(filter: WebhookFilter, when: { readonly at: number } | { readonly by: number }): Promise<number> {
    const { storage, engine } = this.#parts
    const count = await this.#each(filter, ids => {
      const query = storage
        .db<CallRow>(CALL)
        .whereIn('id', [...ids])
        .whereNull('ended_at')
      return 'at' in when ? query.update({ due: when.at }) : query.increment('due', when.by)
    })
    await engine.wakeAll()
    return count
  }

  /** In portions by id, so that a change of what is asked for takes no call twice. */
  async #each(filter: WebhookFilter, change: (ids: readonly number[]) => Promise<number>): Promise<number> {
    const { storage } = this.#parts
    let count = 0
    let after = 0
    for (;;) {
      const page = await storage.write(async () => {
        const rows: Pick<CallRow, 'id'>[] = await matching(storage, 'waiting', filter)
          .select('id')
          .where('id', '>', after)
          .orderBy('id')
          .limit(CHANGE_BATCH)
        const ids = rows.map(({ id }) => id)
        return { ids, changed: ids.length === 0 ? 0 : await change(ids) }
      })
      count += page.changed
      if (page.ids.length < CHANGE_BATCH) return count
      after = page.ids.at(-1) ?? 0
    }
  }

  async replay(what: WebhookReplay): Promise<number> {
    return await replay(this.#parts, what)
  }

  async test({ account, endpoint: name, event = 'delivered', payload }: WebhookTest): Promise<WebhookResult> {
    const { registry, random, clock, egress } = this.#parts
    const endpoint = registry.get(laneOf(account, name))
    if (endpoint === undefined) throw unknownEndpoint(account, name)
    const eventId = `test-${random.id()}`
    const body = JSON.stringify(payload ?? samplePayload(account, event, eventId, clock.now()))
    const poster = new Poster({ clock, egress }, 1)
    try {
      const sending = { id: 1, eventId, attempt: 1, payload: body }
      const sent = await post(this.#parts, endpoint, poster, sending, new AbortController().signal)
      if ('result' in sent) return sent.result
      return {
        ...{ start: clock.now(), durationMs: 0, url: endpoint.url, success: false, code: 0, response: '' },
        error: sent.skipped,
      }
    } finally {
      poster.close()
    }
  }
}

function unknownEndpoint(account: string, name: string): UsageError {
  return new UsageError(`account ${account} has no endpoint ${name}; see mox webhook endpoint list`)
}
