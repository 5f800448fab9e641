// The service dns@1: the cache before lookups, one lookup for equal questions, and how long it took.
import { type Clock, type Dns, type DnsAnswer, DnsError, type DnsType, type Metrics } from '@mox/plugin-sdk'
import { Cache } from './cache.ts'
import { Flights } from './flights.ts'
import type { Lookups } from './lookup.ts'
import { askedName } from './names.ts'

/** Buckets of the duration, seconds. */
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30]

export interface ResolverContext {
  readonly lookups: Lookups
  readonly clock: Clock
  readonly metrics: Metrics
}

export class Resolver {
  readonly #lookups: Lookups
  readonly #clock: Clock
  readonly #cache = new Cache()
  readonly #flights = new Flights<DnsAnswer>()
  readonly #durations: ReturnType<Metrics['histogram']>
  #stopped: DnsError | undefined

  constructor({ lookups, clock, metrics }: ResolverContext) {
    this.#lookups = lookups
    this.#clock = clock
    this.#durations = metrics.histogram(
      'mox_dns_lookup_duration_seconds',
      'Time of a DNS lookup that the cache did not answer.',
      SECONDS,
    )
  }

  readonly service: Dns = {
    resolve: async <T extends DnsType>(name: string, type: T, signal?: AbortSignal) =>
      (await this.#resolve(askedName(name), type, signal)) as Awaited<ReturnType<typeof this.service.resolve<T>>>,
  }

  /** From the servers, whatever the cache has. Throws like Dns.resolve(). */
  async fresh(name: string, type: DnsType): Promise<DnsAnswer> {
    if (this.#stopped !== undefined) throw this.#stopped
    const asked = askedName(name)
    return await this.#flights.join(`fresh ${type} ${asked}`, undefined, signal => this.#ask(asked, type, signal))
  }

  /** Ends what is under way. */
  stop(): void {
    this.#stopped = new DnsError('timeout', 'no lookups any more: the server stops')
    this.#flights.abort(this.#stopped)
  }

  async #resolve(name: string, type: DnsType, signal: AbortSignal | undefined): Promise<DnsAnswer> {
    signal?.throwIfAborted()
    if (this.#stopped !== undefined) throw this.#stopped
    const key = `${type} ${name}`
    const known = this.#cache.get(key, this.#clock.now())
    if (known !== undefined) {
      if ('error' in known) throw known.error
      return known.answer
    }
    const started = this.#clock.now()
    let result = 'error'
    try {
      const answer = await this.#flights.join(key, signal, inner => this.#ask(name, type, inner))
      result = answer.status === 'found' ? 'ok' : answer.status
      return answer
    } catch (error) {
      if (signal?.aborted) result = 'canceled'
      else if (error instanceof DnsError) result = resultOf(error)
      throw error
    } finally {
      this.#durations.observe((this.#clock.now() - started) / 1000, { type, result })
    }
  }

  async #ask(name: string, type: DnsType, signal: AbortSignal): Promise<DnsAnswer> {
    const key = `${type} ${name}`
    try {
      const { answer, octets } = await this.#lookups.lookup(name, type, signal)
      this.#cache.keepAnswer(key, answer, octets, this.#clock.now())
      return answer
    } catch (error) {
      if (error instanceof DnsError) this.#cache.keepFailure(key, error, this.#clock.now())
      throw error
    }
  }
}

function resultOf({ code }: DnsError): string {
  if (code === 'timeout') return 'timeout'
  return code === 'malformed' ? 'error' : 'temporary'
}
