// Asked before each delivery, told of each attempt. A recipient's domain and the group of servers that takes its mail each have
// a pace; a slow-down is the group's, since it counts all that comes from us, and the domain's while the group is not known.
import { type AttemptInput, type Clock, type Job, type Postpone, postpone, type Random } from '@mox/plugin-sdk'
import { Grants } from './grants.ts'
import { groupOf } from './hosts.ts'
import type { Options } from './options.ts'
import { type Limits, Pace } from './pace.ts'
import { slowDownWords } from './signal.ts'
import { DOMAINS, type Store } from './store.ts'
import { WarmUp } from './warm-up.ts'

/** Paces after which those that are of no use any more are looked for. */
export const PACES = 10_000
/** Every reason of ours begins with it; in a recipient's log it says that the recipient has waited. */
const WAITING = 'waiting: '
const POSTPONED = `postponed: ${WAITING}`
/** How recipients go that nothing else was said about. */
const DIRECT = 'direct'

export interface ThrottleDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly options: Options
}

export class Throttle {
  readonly #deps: ThrottleDeps
  readonly #paces = new Map<string, Pace>()
  /** Longest not used first. */
  readonly #groups = new Map<string, string>()
  readonly #grants = new Grants()
  readonly warmUps: readonly WarmUp[]

  constructor(deps: ThrottleDeps) {
    this.#deps = deps
    this.warmUps = Object.entries(deps.options.warmUp).map(([ip, options]) => new WarmUp(ip, options))
  }

  async start(): Promise<void> {
    const { store, clock } = this.#deps
    const { paces, domains, sent } = await store.read(clock.now())
    for (const [name, learned] of paces) this.#paces.set(name, new Pace(name, this.#limits(name), learned))
    for (const [domain, group] of domains) this.#groups.set(domain, group)
    for (const { ip, day, sent: count } of sent) this.warmUps.find(one => one.ip === ip)?.restore(day, count)
  }

  /** Undefined: go. Changes nothing but this plugin's own counts. */
  ask(job: Job): Postpone | undefined {
    const now = this.#deps.clock.now()
    for (const id of this.#grants.expire(now)) for (const warmUp of this.warmUps) warmUp.end(id)
    const transport = job.transport ?? DIRECT
    if (this.#grants.join(job)) return this.#go(job, transport)
    const last = job.results.at(-1)
    const waited = last?.number === 0 && last.text.startsWith(POSTPONED)
    const paces = this.#pacesOf(job.recipientDomain, now)
    for (const pace of paces) {
      const reason = pace.blocked(now, waited)
      if (reason !== undefined) return postpone(pace.reserve(now, this.#deps.random.number()), WAITING + reason)
    }
    for (const warmUp of this.warmUps) {
      const blocked = warmUp.blocked(transport, now)
      if (blocked !== undefined) return postpone(blocked.until, WAITING + blocked.reason)
    }
    this.#grants.add(job, paces, now)
    return this.#go(job, transport)
  }

  #go(job: Job, transport: string): undefined {
    for (const warmUp of this.warmUps) warmUp.start(transport, job.id)
    return undefined
  }

  /** onAttempt: what the attempt says, and what of it is to be kept. */
  async attempted({ queueId, recipient, attempt }: AttemptInput): Promise<void> {
    const { store, clock } = this.#deps
    const now = clock.now()
    const { startedAt, endedAt, remoteHost, outcome, stage } = attempt
    this.#grants.end(queueId, endedAt === undefined ? undefined : endedAt - startedAt)
    for (const warmUp of this.warmUps) {
      warmUp.end(queueId)
      const counted = warmUp.count(attempt, now)
      if (counted !== undefined) await store.sent({ ip: warmUp.ip, ...counted })
    }
    // Without a stage, it did not leave this machine.
    if (stage === undefined) return
    const { domain } = recipient
    const group = remoteHost === undefined ? undefined : groupOf(remoteHost)
    if (group !== undefined && this.#learnGroup(domain, group)) await store.domain(domain, group, now)
    const pace = this.#pace(group ?? this.#groups.get(domain) ?? domain, now)
    const words = slowDownWords(attempt)
    const changed =
      words === undefined
        ? outcome === 'delivered' && pace.succeeded(startedAt, now)
        : pace.slowDown(words, startedAt, now)
    if (changed) await store.pace(pace.name, pace.learned)
  }

  /** Those that were slowed down or are in use, by name. */
  list(): readonly Pace[] {
    const now = this.#deps.clock.now()
    const all = [...this.#paces.values()].filter(pace => !pace.idle(now))
    return all.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Takes back what was learned about a destination; false when there is nothing. */
  async forget(name: string): Promise<boolean> {
    const forgotten = this.#paces.get(name)?.forget() ?? false
    if (forgotten) await this.#deps.store.pace(name, undefined)
    return forgotten
  }

  #pacesOf(domain: string, now: number): readonly Pace[] {
    const group = this.#groups.get(domain)
    const names = group === undefined || group === domain ? [domain] : [domain, group]
    return names.map(name => this.#pace(name, now))
  }

  #pace(name: string, now: number): Pace {
    const known = this.#paces.get(name)
    if (known !== undefined) return known
    if (this.#paces.size >= PACES) for (const [key, pace] of this.#paces) if (pace.idle(now)) this.#paces.delete(key)
    const made = new Pace(name, this.#limits(name))
    this.#paces.set(name, made)
    return made
  }

  #limits(name: string): Limits {
    const { destinations, concurrency, perMinute } = this.#deps.options
    return (Object.hasOwn(destinations, name) ? destinations[name] : undefined) ?? { concurrency, perMinute }
  }

  /** True when it is news. */
  #learnGroup(domain: string, group: string): boolean {
    const known = this.#groups.get(domain)
    this.#groups.delete(domain)
    this.#groups.set(domain, group)
    const [oldest] = this.#groups.keys()
    if (this.#groups.size > DOMAINS && oldest !== undefined) this.#groups.delete(oldest)
    return known !== group
  }
}
