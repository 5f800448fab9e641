// A running localserve as tests see it: messages, queue, events, clock. Reading and waiting is safe beside other tests; what
// changes the whole server (advance, reset, scenarios) is not, unless tests take turns.
import { randomInt } from 'node:crypto'
import type { Advanced, MailEvent, SuppressionEntry } from '@mox/plugin-sdk'
import type {
  ClockStatus,
  EventList,
  MessageDetail,
  MessageList,
  MessageSummary,
  QueueAction,
  QueueChangeResult,
  QueueList,
  QueueRow,
  ScenarioStatus,
  SubmitResult,
} from '../api-types.ts'
import type { ScenarioInput } from '../scenario/schema.ts'
import { type WaitOptions, waitUntil } from './changes.ts'
import { type EventFilter, type MessageFilter, matches, matchesEvent, mayMatch } from './filter.ts'
import { Http, type HttpOptions } from './http.ts'
import { compose, type Draft } from './message.ts'

const PAGE = 200
const EVENTS = 1_000
/** No vowels: none of the words that localparts may end in can come out. */
const LETTERS = 'bcdfghjkmnpqrstvwxz'
const ID_LENGTH = 14

/** An address that nobody else uses, and what is sent to it. */
export interface Inbox {
  readonly address: string
  /** Newest first. */
  messages(filter?: MessageFilter): Promise<MessageSummary[]>
  waitForMessage(filter?: MessageFilter, options?: WaitOptions): Promise<MessageDetail>
}

export class LocalserveClient {
  readonly url: string
  readonly #http: Http
  /** Events before it are of no interest any more. */
  #lastEvent = 0

  constructor(options: HttpOptions) {
    this.#http = new Http(options)
    this.url = this.#http.url
  }

  /**
   * A unique address. With a name, the address ends in it, so that it may ask for trouble: `inbox('greylist')`,
   * `inbox('bounce30')`. With `queue` in front of it the trouble is in the queue.
   */
  inbox(name: string = '', options: { readonly queue?: boolean } = {}): Inbox {
    const id = Array.from({ length: ID_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('')
    const address = `${options.queue ? 'queue-' : ''}${id}${name === '' ? '' : `-${name}`}@inbox.test`
    return {
      address,
      messages: filter => this.messages({ ...filter, to: address }),
      waitForMessage: (filter, wait) => this.waitForMessage({ ...filter, to: address }, wait),
    }
  }

  /** Newest first; all of them. */
  async messages(filter: MessageFilter = {}): Promise<MessageSummary[]> {
    const found: MessageSummary[] = []
    for await (const summary of this.#list(filter))
      if ((await this.#match(summary, filter)) !== undefined) found.push(summary)
    return found
  }

  async message(id: number): Promise<MessageDetail> {
    return await this.#http.json(this.#http.at(`/api/messages/${id}`))
  }

  /** The message as it was received, with our trace fields in front. */
  async source(id: number): Promise<Buffer> {
    return await this.#http.bytes(this.#http.at(`/api/messages/${id}/source`))
  }

  /** The decoded bytes of a part: an attachment. */
  async part(id: number, path: string): Promise<Buffer> {
    return await this.#http.bytes(this.#http.at(`/api/messages/${id}/parts/${path}`))
  }

  /** The newest message that matches, now or as soon as there is one. Rejects after the timeout, and says what there was. */
  async waitForMessage(filter: MessageFilter = {}, options: WaitOptions = {}): Promise<MessageDetail> {
    const look = async (): Promise<MessageDetail | undefined> => {
      for await (const summary of this.#list(filter)) {
        const message = await this.#match(summary, filter)
        if (message !== undefined) return message
      }
      return undefined
    }
    return await waitUntil(this.#http.at('/api/events'), options, look, async () => {
      const { messages } = await this.#http.json<MessageList>(this.#http.at('/api/messages', { limit: 10 }))
      const shown = messages.map(
        m => `"${m.subject}" to ${m.recipients.join(', ')} (${Object.keys(m.states).join(', ')})`,
      )
      return `no message with ${describe(filter)}; ${shown.length === 0 ? 'there are none' : `the newest are ${shown.join('; ')}`}`
    })
  }

  /** Sends as account mox; resolves when it is in the queue. Rejects with the server's reply when it is refused. */
  async send(draft: Draft): Promise<SubmitResult> {
    const { from = 'mox@localhost', to } = draft
    const url = this.#http.at('/admin/messages/', { from, to: typeof to === 'string' ? [to] : to })
    return await this.#http.change('POST', url, compose(draft))
  }

  /** Recipients that wait, by their next attempt. `to`: part of the address. */
  async queue(filter: { readonly to?: string; readonly from?: string } = {}): Promise<readonly QueueRow[]> {
    const rows: QueueRow[] = []
    let after: string | undefined
    do {
      const list: QueueList = await this.#http.json(this.#http.at('/api/queue', { ...filter, limit: PAGE, after }))
      rows.push(...list.rows)
      after = list.next
    } while (after !== undefined)
    return rows
  }

  /** Changes recipients in the queue, by queue id; returns how many there were. */
  async changeQueue(action: QueueAction, ids: readonly number[]): Promise<number> {
    const url = this.#http.at('/admin/queue/change')
    return (await this.#http.change<QueueChangeResult>('POST', url, { action, ids })).count
  }

  /** Oldest first, since the start or the last reset(); needs a plugin that provides events@1. */
  async events(filter: EventFilter = {}): Promise<MailEvent[]> {
    const found: MailEvent[] = []
    for (let after = this.#lastEvent; ; ) {
      const { events, last } = await this.#http.json<EventList>(
        this.#http.at('/api/mail-events', { after, limit: EVENTS }),
      )
      found.push(...events.filter(event => matchesEvent(event, filter)))
      if (events.length < EVENTS) return found
      after = last
    }
  }

  /** The first event that matches, now or as soon as there is one. */
  async expectEvent(filter: EventFilter, options: WaitOptions = {}): Promise<MailEvent> {
    const look = async (): Promise<MailEvent | undefined> => (await this.events(filter))[0]
    return await waitUntil(this.#http.at('/api/events'), options, look, async () => {
      const shown = (await this.events()).slice(-10).map(({ kind, recipient }) => `${kind} ${recipient}`)
      return `no event with ${describe(filter)}; ${shown.length === 0 ? 'there are none' : `the last are ${shown.join('; ')}`}`
    })
  }

  async clock(): Promise<ClockStatus> {
    return await this.#http.json(this.#http.at('/api/clock'))
  }

  /** Moves the server's clock on, "90s", "1h30m", "3d"; resolves when all that became due has happened. */
  async advance(by: string): Promise<Advanced> {
    return await this.#http.change('POST', this.#http.at('/admin/clock/advance'), { by })
  }

  /** How the server of a domain behaves from now on. */
  async scenario(domain: string, steps: ScenarioInput['steps']): Promise<void> {
    await this.#http.change('PUT', this.#http.at(`/admin/scenarios/${encodeURIComponent(domain)}`), { steps })
  }

  async scenarios(): Promise<ScenarioStatus> {
    return await this.#http.json(this.#http.at('/api/scenarios'))
  }

  /** Needs a plugin that provides suppression@1. */
  async suppressions(): Promise<readonly SuppressionEntry[]> {
    return await this.#http.json(this.#http.at('/api/suppressions', { limit: 1_000 }))
  }

  async suppress(address: string): Promise<void> {
    await this.#http.change<object>('POST', this.#http.at('/admin/suppressions'), { address })
  }

  async unsuppress(address: string): Promise<void> {
    await this.#http.change<object>('DELETE', this.#http.at('/admin/suppressions', { address }))
  }

  /** Forgets messages, queue, history, suppressions, and what tests set. The clock stays where it is. */
  async reset(): Promise<void> {
    await this.#http.change('POST', this.#http.at('/admin/reset'))
    const { services } = await this.#http.json<{ services: { events: boolean } }>(this.#http.at('/api/bench'))
    while (services.events) {
      const url = this.#http.at('/api/mail-events', { after: this.#lastEvent, limit: EVENTS })
      const { events, last } = await this.#http.json<EventList>(url)
      this.#lastEvent = last
      if (events.length < EVENTS) return
    }
  }

  async *#list({ to, from, subject, after }: MessageFilter): AsyncIterable<MessageSummary> {
    const words = typeof subject === 'string' ? subject : undefined
    let before: number | undefined
    do {
      const url = this.#http.at('/api/messages', { to, from, subject: words, after, before, limit: PAGE })
      const list: MessageList = await this.#http.json(url)
      yield* list.messages
      before = list.next
    } while (before !== undefined)
  }

  async #match(summary: MessageSummary, filter: MessageFilter): Promise<MessageDetail | undefined> {
    if (!mayMatch(summary, filter)) return undefined
    const message = await this.message(summary.id)
    return matches(message, filter) ? message : undefined
  }
}

function describe(filter: object): string {
  const said = Object.entries(filter).map(
    ([name, value]) => `${name} ${value instanceof RegExp ? value : JSON.stringify(value)}`,
  )
  return said.length === 0 ? 'anything' : said.join(', ')
}
