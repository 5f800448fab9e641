// The rules in the database, and what happens to queued recipients when one comes or goes. Rules are read in the transaction
// that queues a message, so that with the same commit that adds a rule every message is held: those before it by the search
// through the queue, those after it by the rule.
import {
  type Attempt,
  type Clock,
  type Directory,
  defineFact,
  type FactToken,
  type Job,
  type QueueFilter,
  type Statement,
  type Storage,
  UsageError,
} from '@mox/plugin-sdk'
import { formatAddress, type Path, parseAddress } from '@mox/plugin-sdk/mail'
import { type Conditions, matches, prepare, REASON_START, type Rule, reasonOf } from './rule.ts'
import { RULE, type RuleRow } from './schema.ts'

/** Rules at the same time: each is compared with each recipient. */
export const RULES = 200
/** Recipients read at a time. */
export const PAGE = 1_000
/** What stands before the reason in a recipient's log. */
const HELD = `on hold: ${REASON_START}`

/** Rules that put recipients of this message on hold when it came in. */
export const heldBy: FactToken<readonly number[]> = defineFact('hold-rules', { persist: true })

export interface RulesDeps {
  readonly storage: Storage
  readonly directory: Directory
  readonly clock: Clock
}

export class Rules {
  readonly #deps: RulesDeps
  #all: Statement<object, RuleRow> | undefined

  constructor(deps: RulesDeps) {
    this.#deps = deps
  }

  /** By id. Inside a unit of work: as they are there. */
  async all(): Promise<Rule[]> {
    this.#all ??= this.#deps.storage.statement(db => db(RULE).select('*').orderBy('id'))
    return (await this.#all.all({})).map(ruleOf)
  }

  /** Adds a rule and holds what it matches in the queue, in one unit of work; returns how many recipients that were. */
  async add(conditions: Conditions, reason: string): Promise<{ readonly rule: Rule; readonly held: number }> {
    const { storage, clock } = this.#deps
    return await storage.write(async db => {
      if ((await this.all()).length >= RULES)
        throw new UsageError(`there are ${RULES} rules already; remove one first: mox queue holdrules remove ID`)
      const row = rowOf(conditions, reason, clock.now())
      const [inserted] = await db<RuleRow>(RULE).insert(row).returning('id')
      const rule = ruleOf({ ...row, id: Number(inserted?.id) })
      const held = await this.#each(rule, { hold: false }, async job => {
        await storage.queue.note(job.id, this.#decision(`on hold: ${reasonOf(rule)}`), { hold: true })
        return true
      })
      storage.notify('queue')
      return { rule, held }
    })
  }

  /**
   * Removes a rule. With `release`, recipients that it is about, that were put on hold by rules and that no other rule is about
   * can be tried again; returns how many. What an operator put on hold stays there. Throws a UsageError when there is no such
   * rule.
   */
  async remove(id: number, release: boolean): Promise<number> {
    const { storage, directory } = this.#deps
    return await storage.write(async db => {
      const rules = await this.all()
      const rule = rules.find(one => one.id === id)
      if (rule === undefined) throw new UsageError(`there is no hold rule ${id}; see mox queue holdrules list`)
      await db<RuleRow>(RULE).where({ id }).delete()
      if (!release) return 0
      const others = rules.filter(one => one.id !== id)
      const held = new Map<number, boolean>()
      const released = await this.#each(rule, { hold: true }, async job => {
        const prepared = await prepare(directory, job)
        if (others.some(other => matches(other, prepared)) || !(await this.#heldByRules(job, held))) return false
        await storage.queue.note(job.id, this.#decision(`released: hold rule ${id} was removed`), { hold: false })
        return true
      })
      storage.notify('queue')
      return released
    })
  }

  /** Goes through the queued recipients that a rule is about; counts those for which `work` says so. */
  async #each(rule: Rule, filter: QueueFilter, work: (job: Job) => Promise<boolean>): Promise<number> {
    const { storage, directory } = this.#deps
    let count = 0
    // `work` moves recipients out of what the filter finds, so that pages go by id and never by position.
    for (let after: { readonly value: number; readonly id: number } | undefined; ; ) {
      const page = { limit: PAGE, ascending: true, ...(after === undefined ? {} : { after }) }
      const jobs = await storage.queue.list({ ...filter, ...roughly(rule) }, page)
      for (const job of jobs) if (matches(rule, await prepare(directory, job)) && (await work(job))) count++
      const last = jobs.at(-1)
      if (last === undefined || jobs.length < PAGE) return count
      after = { value: last.due, id: last.id }
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  async #heldByRules({ messageId, results }: Job, known: Map<number, boolean>): Promise<boolean> {
    const last = results.at(-1)
    if (last !== undefined) return last.number === 0 && last.text.startsWith(HELD)
    // Nothing has happened to it yet: it was held when it came in, or by an operator since.
    const cached = known.get(messageId)
    if (cached !== undefined) return cached
    const message = await this.#deps.storage.messages.get(messageId)
    const held = message?.facts[heldBy.id] !== undefined
    known.set(messageId, held)
    return held
  }

  #decision(text: string): Attempt {
    const at = this.#deps.clock.now()
    return { number: 0, startedAt: at, endedAt: at, outcome: 'temporary', code: 0, enhanced: '', text }
  }
}

/** What the queue itself can look for; `matches` decides. */
function roughly({ account, recipientDomain }: Conditions): QueueFilter {
  return {
    ...(account === undefined ? {} : { account }),
    ...(recipientDomain === undefined ? {} : { to: `@${recipientDomain}` }),
  }
}

function rowOf(conditions: Conditions, reason: string, now: number): Omit<RuleRow, 'id'> {
  const address = (path: Path | undefined): string => (path === undefined ? '' : formatAddress(path))
  return {
    account: conditions.account ?? '',
    sender_domain: conditions.senderDomain ?? '',
    recipient_domain: conditions.recipientDomain ?? '',
    sender: address(conditions.sender),
    recipient: address(conditions.recipient),
    reason,
    created_at: now,
  }
}

function ruleOf(row: RuleRow): Rule {
  return {
    id: Number(row.id),
    ...(row.account === '' ? {} : { account: row.account }),
    ...(row.sender_domain === '' ? {} : { senderDomain: row.sender_domain }),
    ...(row.recipient_domain === '' ? {} : { recipientDomain: row.recipient_domain }),
    ...(row.sender === '' ? {} : { sender: pathOf(row.sender) }),
    ...(row.recipient === '' ? {} : { recipient: pathOf(row.recipient) }),
    reason: row.reason,
    createdAt: Number(row.created_at),
  }
}

function pathOf(text: string): Path {
  const parsed = parseAddress(text)
  // Written by us: else somebody else has changed the table, and to hold less than was asked would send what must not go.
  if (!parsed.ok) throw new Error(`hold rules: the database has an address that is none: ${parsed.error}`)
  return parsed.path
}
