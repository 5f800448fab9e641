// Warm-up of a new sending address: few messages on the first day, more on each further one, since receivers distrust an address
// that starts with thousands. Days are UTC days. Counts are kept, so that a restart does not start the day anew.
import type { Attempt } from '@mox/plugin-sdk'
import type { WarmUpOptions } from './options.ts'

const DAY_MS = 86_400_000

export interface Blocked {
  readonly reason: string
  /** Milliseconds since the epoch. */
  readonly until: number
}

export class WarmUp {
  readonly ip: string
  readonly #since: number
  readonly #perDay: readonly number[]
  readonly #transports: ReadonlySet<string>
  #day = ''
  #sent = 0
  /** Queue ids of recipients that are being tried. */
  readonly #running = new Set<number>()

  constructor(ip: string, { since, perDay, transports }: WarmUpOptions) {
    this.ip = ip
    this.#since = Date.parse(`${since}T00:00:00Z`)
    this.#perDay = perDay
    this.#transports = new Set(transports)
  }

  /** What was sent on a day, as it was kept. */
  restore(day: string, sent: number): void {
    this.#day = day
    this.#sent = sent
  }

  /** Of the day of `now`. `limit` undefined: the warm-up is over. */
  state(now: number): { readonly day: number; readonly sent: number; readonly limit: number | undefined } {
    this.#turn(now)
    const day = Math.max(0, Math.floor((now - this.#since) / DAY_MS))
    return { day: day + 1, sent: this.#sent + this.#running.size, limit: this.#perDay[day] }
  }

  blocked(transport: string, now: number): Blocked | undefined {
    if (!this.#transports.has(transport)) return undefined
    const { day, sent, limit } = this.state(now)
    if (limit === undefined || sent < limit) return undefined
    return {
      reason: `${limit} of ${limit} messages today from ${this.ip}, day ${day} of its warm-up`,
      until: (Math.floor(now / DAY_MS) + 1) * DAY_MS,
    }
  }

  start(transport: string, queueId: number): void {
    if (this.#transports.has(transport)) this.#running.add(queueId)
  }

  /** The recipient is not being tried any more. */
  end(queueId: number): void {
    this.#running.delete(queueId)
  }

  /** Counts an attempt that a server answered; what to keep, if anything changed. */
  count({ transport = '', code }: Attempt, now: number): { readonly day: string; readonly sent: number } | undefined {
    if (code === 0 || !this.#transports.has(transport) || this.state(now).limit === undefined) return undefined
    this.#sent++
    return { day: this.#day, sent: this.#sent }
  }

  #turn(now: number): void {
    const day = new Date(now).toISOString().slice(0, 10)
    if (day === this.#day) return
    this.#day = day
    this.#sent = 0
  }
}
