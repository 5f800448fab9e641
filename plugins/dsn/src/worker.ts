// Tells senders: gathers the recipients of a message that end about the same time into one DSN, and sends it. One process of
// the installation does it. What fails is tried again with growing waits, and given up after about a day.
import { type Job, type Lock, MailError, type Storage } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import { CHANNEL, type Group, type Pending, type PendingDsn } from './pending.ts'
import { finish, type SendDeps, sendDsn } from './send.ts'
import { forgetSent } from './sent.ts'

/** Recipients of the same message that are due within this time, or tried right now, are waited for. Milliseconds. */
export const SOON_MS = 30_000
/** But no longer than this after the first one. */
export const GATHER_MS = 60_000
/** Between two looks at a message that is waited for. */
export const LOOK_MS = 5_000
/** Tries of one DSN. */
export const TRIES = 12
const FIRST_RETRY_MS = 60_000
const LONGEST_RETRY_MS = 4 * 3_600_000
const LOCK = 'dsn.send'
const LOCK_MS = 10 * 60_000
/** While another process has the lock, after an error of storage, and at the longest between two looks. */
const OTHER_MS = 60_000
const ERROR_MS = 60_000
const IDLE_MS = 3_600_000
const SHORTEST_MS = 1_000
const GROUPS = 50
/** Recipients of one message looked at when waiting for others. */
const SIBLINGS = 1_000

/** Milliseconds to wait after failed try `n`, from 1. */
export function retryAfter(n: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (n - 1), LONGEST_RETRY_MS)
}

export class Worker {
  readonly #deps: SendDeps
  readonly #pending: Pending
  readonly #storage: Storage
  readonly #abort = new AbortController()
  #started = false
  #running: Promise<void> | undefined
  #again = false
  #cancel: (() => void) | undefined
  #unsubscribe: (() => void) | undefined

  constructor(deps: SendDeps) {
    this.#deps = deps
    this.#pending = deps.pending
    this.#storage = deps.storage
  }

  start(): void {
    this.#started = true
    this.#unsubscribe = this.#storage.subscribe(CHANNEL, () => this.kick())
    this.kick()
  }

  kick(): void {
    if (!this.#started) return
    this.#again = true
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
    })
  }

  /** Whether it looks for what is due, or writes a DSN. */
  busy(): boolean {
    return this.#running !== undefined
  }

  /** Starts nothing new and waits for the DSN that is being written, until `signal` aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#started = false
    this.#unsubscribe?.()
    this.#cancel?.()
    const abort = (): void => this.#abort.abort(new Error('the server is stopping'))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    await this.#running
    signal.removeEventListener('abort', abort)
  }

  async stop(): Promise<void> {
    await this.drain(AbortSignal.abort())
  }

  async #work(): Promise<void> {
    let wait = IDLE_MS
    while (this.#again && this.#started) {
      this.#again = false
      try {
        wait = await this.#look()
      } catch (error) {
        if (this.#started) this.#deps.log.error({ err: error }, 'DSNs could not be sent')
        wait = ERROR_MS
      }
    }
    this.#cancel?.()
    if (this.#started) this.#cancel = this.#deps.clock.after(wait, () => this.kick())
  }

  /** Milliseconds until there may be something to do. */
  async #look(): Promise<number> {
    if ((await this.#pending.nextDue()) === undefined) return IDLE_MS
    const lock = await this.#storage.lock(LOCK, LOCK_MS)
    if (lock === null) return OTHER_MS
    try {
      await this.#all(lock)
    } finally {
      await lock.release()
    }
    const due = await this.#pending.nextDue()
    if (due === undefined) return IDLE_MS
    return Math.min(Math.max(due - this.#deps.clock.now(), SHORTEST_MS), IDLE_MS)
  }

  async #all(lock: Lock): Promise<void> {
    const now = this.#deps.clock.now()
    await this.#storage.write(async () => {
      await this.#pending.clean(now)
      await forgetSent(this.#storage, now)
    })
    for (;;) {
      const groups = await this.#pending.due(this.#deps.clock.now(), GROUPS)
      for (const group of groups) {
        if (!this.#started || !(await lock.renew())) return
        await this.#group(group)
      }
      if (groups.length < GROUPS) return
    }
  }

  async #group(group: Group): Promise<void> {
    const dsn = await this.#pending.load(group)
    if (dsn === undefined) return
    const now = this.#deps.clock.now()
    const latest = dsn.createdAt + GATHER_MS
    if (dsn.tries === 0 && now < latest && (await this.#othersSoon(dsn, now))) {
      const due = Math.min(now + LOOK_MS, latest)
      await this.#storage.write(() => this.#pending.update(dsn, { due }))
      return
    }
    try {
      await sendDsn(this.#deps, dsn, this.#abort.signal)
    } catch (error) {
      if (!this.#started) return
      await this.#failed(dsn, error)
    }
  }

  /** Whether other recipients of the same sender are being tried, or will be in a moment. */
  async #othersSoon({ messageId, sender }: PendingDsn, now: number): Promise<boolean> {
    const jobs = await this.#storage.queue.list({ messageId }, { limit: SIBLINGS, ascending: true })
    const same = ({ reversePath }: Job): boolean => reversePath !== null && formatAddress(reversePath) === sender
    const running = ({ results }: Job): boolean => results.at(-1)?.outcome === 'running'
    return jobs.some(job => same(job) && !job.hold && (job.due <= now + SOON_MS || running(job)))
  }

  async #failed(dsn: PendingDsn, error: unknown): Promise<void> {
    const { log, clock } = this.#deps
    const tries = dsn.tries + 1
    const fields = { err: error, messageId: dsn.messageId, kind: dsn.kind, sender: dsn.sender, tries }
    const refused = error instanceof MailError && !error.temporary
    if (refused || tries >= TRIES) {
      log.error(fields, 'DSN given up: the sender is not told')
      const why = error instanceof Error ? error.message : String(error)
      await this.#storage.write(() => finish(this.#deps, dsn, [], `DSN given up after try ${tries}: ${why}`))
      return
    }
    log.warn(fields, 'DSN could not be sent, it will be tried again')
    await this.#storage.write(() => this.#pending.update(dsn, { tries, due: clock.now() + retryAfter(tries) }))
  }
}
