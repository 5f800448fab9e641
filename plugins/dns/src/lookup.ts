// One whole lookup, without the cache: question after question until the chain of CNAMEs ends, within one deadline. Only so
// many run at a time, since each has a socket; the others wait for their turn within their deadline.
import { type Clock, type DnsAnswer, DnsError, type DnsType } from '@mox/plugin-sdk'
import type { Asker } from './ask.ts'
import { Chain, step } from './chain.ts'
import { Turns } from './turns.ts'

/** Milliseconds for a lookup with all its questions. */
export const DEADLINE_MS = 30_000
/** Lookups at a time. */
export const AT_A_TIME = 250

export interface Found {
  readonly answer: DnsAnswer
  /** Octets of the messages that it was made from. */
  readonly octets: number
}

export class Lookups {
  readonly #asker: Asker
  readonly #clock: Clock
  readonly #turns = new Turns(AT_A_TIME)

  constructor(asker: Asker, clock: Clock) {
    this.#asker = asker
    this.#clock = clock
  }

  /** `name` as from askedName(). Throws a DnsError, or the signal's reason. */
  async lookup(name: string, type: DnsType, signal: AbortSignal): Promise<Found> {
    const late = new AbortController()
    const cancel = this.#clock.after(DEADLINE_MS, () =>
      late.abort(new DnsError('timeout', `${type} ${name}: no answer in ${DEADLINE_MS / 1000} s`)),
    )
    const either = AbortSignal.any([signal, late.signal])
    try {
      return await this.#turns.run(either, () => this.#follow(name, type, either))
    } finally {
      cancel()
    }
  }

  async #follow(name: string, type: DnsType, signal: AbortSignal): Promise<Found> {
    const chain = new Chain(name)
    let authentic = true
    let octets = 0
    for (;;) {
      const reply = await this.#asker.ask(chain.name, type, signal)
      authentic &&= reply.authentic
      octets += reply.message.octets
      const result = step(reply.message, type, chain)
      if (result !== 'further') return { answer: { ...result, authentic }, octets }
    }
  }
}
