// One open stream: tells a page of its account, answers its requests for rows, and tells what changes. One thing at a time, so
// that the page always has a list that changes can be made to. Changes are gathered for a moment: the first goes out at once,
// a burst becomes few events. What fails is told to the page or ends the stream; nothing is thrown at callers.
import type { Change, ChangeSession, Clock, Log, Mailboxes, MailboxInfo, MailStore } from '@mox/plugin-sdk'
import { MailboxError, UsageError } from '@mox/plugin-sdk'
import type { Changes, Events, Hello, StreamRequest } from '../../api/events.ts'
import type { Settings, ViewQuery } from '../../api/model.ts'
import type { Caller } from '../call.ts'
import type { Badges } from '../items.ts'
import { shownMailbox } from '../stores.ts'
import { aboutMailboxes, aboutMessages, PORTION, touchedBy } from './describe-changes.ts'
import type { EventSink } from './event-writer.ts'
import { scopeById, scopeChanged, standings } from './scope.ts'
import {
  EVENT_MESSAGES,
  loadRows,
  MOST_ROWS,
  messagesIn,
  type OpenView,
  openView,
  totalOf,
  type Wanted,
} from './view.ts'

/** Milliseconds between two events with changes. */
export const GATHER_MS = 50
/** Changes that a resumed stream catches up on; after more the page loads anew. */
export const RESUME_CHANGES = 10_000

/** What the hello event says that others know. */
export type HelloParts = Pick<
  Hello,
  'identities' | 'domains' | 'settings' | 'extensions' | 'rejectsMailbox' | 'version' | 'maxMessageSize'
>

/** What streams need of the rest of the webmail. */
export interface StreamParts {
  readonly mailboxes: Mailboxes
  readonly clock: Clock
  readonly log: Log
  /** Whether the session was not ended meanwhile; asked before each event. */
  readonly stillValid: (caller: Caller) => Promise<boolean>
  readonly hello: (caller: Caller) => Promise<HelloParts>
  readonly badges: Badges
}

/** A request for rows, which is answered with page events. */
export type RowsRequest =
  | { readonly kind: 'open'; readonly view: number; readonly query: ViewQuery; readonly wanted: Wanted }
  | { readonly kind: 'more'; readonly view: number; readonly wanted: Wanted }

type Goodbye = Events['goodbye']['reason']

export const GOODBYES: Readonly<Record<Goodbye, string>> = {
  session: 'your session has ended; log in again',
  overflow: 'too much changed at once; connecting again',
  shutdown: 'the server is stopping',
}

export class Stream {
  readonly id: string
  readonly caller: Caller
  readonly #parts: StreamParts
  readonly #writer: EventSink
  readonly #ended: () => void
  #open = true
  #store!: MailStore
  #session!: ChangeSession
  #rejectsMailbox = ''
  /** The page is complete up to here. */
  #modseq = 0
  /** What the page was told to be complete up to: it asks for what comes after it. */
  #told = 0
  #view: OpenView | undefined
  #request: RowsRequest | undefined
  #answering: AbortController | undefined
  #busy = true
  #changed = false
  #cancelGather: (() => void) | undefined
  #settings: Settings | undefined
  #outgoing = false

  /** `ended` is called once. Call start() next. */
  constructor(id: string, caller: Caller, parts: StreamParts, writer: EventSink, ended: () => void) {
    this.id = id
    this.caller = caller
    this.#parts = parts
    this.#writer = writer
    this.#ended = ended
  }

  /** Says hello, and what changed meanwhile when that is asked for and known. Rejects when it could not; end it then. */
  async start({ resume }: StreamRequest): Promise<void> {
    const { mailboxes } = this.#parts
    const { account } = this.caller
    // Registered before the state is read, so that no change is missed between the two.
    this.#session = mailboxes.session(account, () => this.#onChange())
    this.#store = await mailboxes.store(account)
    this.#modseq = await this.#store.modseq()
    const infos = await this.#store.mailboxes()
    const parts = await this.#parts.hello(this.caller)
    this.#rejectsMailbox = parts.rejectsMailbox
    const missed = resume?.account === account ? await this.#changesSince(resume.modseq) : undefined
    if (resume !== undefined && missed !== undefined) this.#modseq = resume.modseq
    this.#told = this.#modseq
    const { clock } = this.#parts
    await this.#send('hello', {
      ...{ stream: this.id, account, loginAddress: this.caller.loginAddress, ...parts },
      ...{ mailboxes: infos.map(shownMailbox), now: clock.now(), resumed: missed !== undefined },
    })
    if (resume?.view && missed !== undefined) await this.#resumeView(resume.view, infos, missed)
    else if (missed !== undefined) await this.#sendChanges(missed)
    this.#busy = false
    this.#wake()
  }

  /** Answers a request for rows with events; the one before is given up. */
  request(request: RowsRequest): void {
    this.#answering?.abort()
    this.#request = request
    this.#wake()
  }

  /** Gives up what is being loaded. */
  cancel(view: number): void {
    if (this.#request?.view === view) this.#request = undefined
    if (this.#view?.id === view) this.#answering?.abort()
  }

  settingsChanged(settings: Settings): void {
    this.#settings = settings
    this.#wake()
  }

  outgoingChanged(): void {
    this.#outgoing = true
    this.#wake()
  }

  /** Ends when its session has. */
  checkSession(): void {
    this.#parts.stillValid(this.caller).then(
      valid => {
        if (!valid) this.goodbye('session')
      },
      () => this.fail(),
    )
  }

  /** Says goodbye and ends the stream; without waiting for the reader. */
  goodbye(reason: Goodbye): void {
    if (!this.#open) return
    this.#writer.finish('goodbye', this.#told, { reason, message: GOODBYES[reason] })
    this.close()
  }

  /** Something failed: the reader shall connect again. */
  fail(): void {
    this.#writer.destroy()
    this.close()
  }

  /** The reader is gone. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#answering?.abort()
    this.#cancelGather?.()
    this.#session?.close()
    this.#ended()
  }

  #onChange(): void {
    this.#changed = true
    if (this.#cancelGather === undefined) this.#wake()
  }

  /** Works off what is due, unless that is going on. */
  #wake(): void {
    if (this.#busy || !this.#open) return
    this.#busy = true
    this.#work().catch((err: unknown) => {
      this.#parts.log.error({ err, account: this.caller.account }, 'event stream failed')
      this.fail()
    })
  }

  async #work(): Promise<void> {
    // What one commit did in several steps is told one after the other, and belongs together: a draft that is saved, a move.
    await undefined
    while (this.#open) {
      if (this.#request !== undefined) await this.#answer(this.#request)
      else if (this.#settings !== undefined) {
        const settings = this.#settings
        this.#settings = undefined
        await this.#send('settings', { settings })
      } else if (this.#outgoing) {
        this.#outgoing = false
        await this.#send('outgoing', {})
      } else if (this.#changed && this.#cancelGather === undefined) await this.#takeChanges()
      else break
    }
    this.#busy = false
  }

  async #takeChanges(): Promise<void> {
    this.#changed = false
    if (this.#session.overflowed) return this.goodbye('overflow')
    await this.#sendChanges(this.#session.take().filter(change => change.modseq > this.#modseq))
    if (!this.#open) return
    this.#session.told()
    this.#cancelGather = this.#parts.clock.after(GATHER_MS, () => {
      this.#cancelGather = undefined
      if (this.#changed) this.#wake()
    })
  }

  /** Undefined when it is too much or not known any more. */
  async #changesSince(modseq: number): Promise<Change[] | undefined> {
    const found: Change[] = []
    for (let at = modseq; found.length <= RESUME_CHANGES; ) {
      const { changes, complete } = await this.#store.changesSince(at, RESUME_CHANGES)
      if (!complete) return undefined
      if (changes.length === 0) return found
      found.push(...changes)
      at = changes.at(-1)?.modseq ?? at
    }
    return undefined
  }

  async #resumeView(
    { view: id, query, next, last }: NonNullable<NonNullable<StreamRequest['resume']>['view']>,
    infos: readonly MailboxInfo[],
    missed: readonly Change[],
  ): Promise<void> {
    const scope = scopeById(query.scope, infos)
    if (scope === undefined) {
      await this.#send('viewError', { view: id, message: 'the mailbox is not there any more' })
      return await this.#sendChanges(missed)
    }
    const view = openView(id, query, scope, infos, this.#rejectsMailbox)
    this.#view = { ...view, next, last, threads: undefined }
    // What the mailboxes were to the view before the break is not known.
    const plain = typeof scope !== 'string' && scope.below !== true && !query.threads
    await this.#sendChanges(missed, !plain && scope !== 'all' && missed.some(({ kind }) => kind === 'mailbox'))
  }

  /** `anew`: the rows are loaded again, as a mailbox is something else to the view than it was. */
  async #sendChanges(changes: readonly Change[], anew: boolean = false): Promise<void> {
    const last = changes.at(-1)
    if (last === undefined) return
    const touched = touchedBy(changes)
    const infos = touched.mailboxes.size === 0 ? [] : await this.#store.mailboxes()
    const view = this.#view
    if (view !== undefined && touched.mailboxes.size > 0) {
      const now = standings(view.query.scope, infos, this.#rejectsMailbox)
      anew ||= view.next !== undefined && scopeChanged(view.standings, now, view.query.threads)
      view.standings = now
      view.total = totalOf(view.query, infos)
    }
    let about: Partial<Changes> = aboutMailboxes(touched, infos)
    const messages = [...touched.messages]
    const empty = noChanges(view === undefined ? null : view.id)
    if (view !== undefined && !anew)
      for (; messages.length > PORTION && this.#open; about = {}) {
        const arrived = new Map(messages.splice(0, PORTION))
        about = { ...about, ...(await aboutMessages(this.#store, view, arrived, this.#parts.badges)) }
        await this.#sendPortion({ ...empty, ...about }, this.#modseq)
      }
    if (view !== undefined && !anew && messages.length > 0)
      about = { ...about, ...(await aboutMessages(this.#store, view, new Map(messages), this.#parts.badges)) }
    // The page is complete only when the rows came too.
    await this.#sendPortion({ ...empty, ...about }, view === undefined || !anew ? last.modseq : this.#modseq)
    if (view !== undefined && anew) await this.#loadAnew(view, last.modseq)
  }

  /** Messages of long threads come in several events; after the last the page is complete up to `modseq`. */
  async #sendPortion(changes: Changes, modseq: number): Promise<void> {
    let { items } = changes
    for (; items.length > EVENT_MESSAGES; items = items.slice(EVENT_MESSAGES))
      await this.#send('changes', { ...noChanges(changes.view), items: items.slice(0, EVENT_MESSAGES) })
    this.#modseq = modseq
    await this.#send('changes', { ...changes, items })
  }

  async #answer(request: RowsRequest): Promise<void> {
    this.#request = undefined
    const answering = new AbortController()
    this.#answering = answering
    try {
      const view = request.kind === 'open' ? await this.#openView(request) : this.#view
      if (view === undefined || view.id !== request.view)
        return await this.#viewError(request.view, 'the list is not open any more; open it again')
      await this.#sendRows(view, request.wanted, answering.signal)
    } catch (err) {
      if (answering.signal.aborted) return
      const known = err instanceof MailboxError || err instanceof UsageError
      if (!known) this.#parts.log.error({ err, account: this.caller.account }, 'list of messages failed')
      await this.#viewError(request.view, known ? err.message : 'the messages could not be listed; try again')
    } finally {
      this.#answering = undefined
    }
  }

  async #openView({ view: id, query }: RowsRequest & { readonly kind: 'open' }): Promise<OpenView> {
    const infos = await this.#store.mailboxes()
    const scope = scopeById(query.scope, infos)
    if (scope === undefined) {
      this.#view = undefined
      throw new UsageError('There is no such mailbox.')
    }
    this.#view = openView(id, query, scope, infos, this.#rejectsMailbox)
    return this.#view
  }

  async #sendRows(view: OpenView, wanted: Wanted, signal: AbortSignal): Promise<void> {
    let first = view.next === undefined
    const { id } = view
    let told = false
    for await (const rows of loadRows(this.#store, view, wanted, this.#parts.badges, signal)) {
      await this.#send('page', { view: id, first, ...rows, next: view.next ?? null, total: view.total })
      told = true
      first = false
      if (!this.#open || signal.aborted) return
    }
    if (told) return
    const end = { threads: [], next: null, done: true, complete: true, total: view.total }
    await this.#send('page', { view: id, first, ...end })
  }

  /**
   * Sends the rows that the page has once more, as they are now, in one event so that the page does not flicker; of very long threads only
   * as many as an event has room for, the page asks for more of them.
   */
  async #loadAnew(view: OpenView, modseq: number): Promise<void> {
    const bound = view.next === null ? undefined : view.last
    const fresh = { ...view, next: undefined, last: null, threads: new Set<number>() }
    const wanted = bound === undefined ? { limit: MOST_ROWS } : { limit: 1, bound: bound ?? 0 }
    const threads = []
    let complete = true
    let messages = 0
    for await (const rows of loadRows(this.#store, fresh, wanted, this.#parts.badges, new AbortController().signal)) {
      threads.push(...rows.threads)
      complete = rows.complete
      messages += messagesIn(rows.threads)
      if (messages > 4 * EVENT_MESSAGES) break
    }
    this.#view = fresh
    this.#modseq = modseq
    const { id, next = null, total } = fresh
    await this.#send('page', { view: id, first: true, threads, next, done: true, complete, total })
  }

  async #viewError(view: number, message: string): Promise<void> {
    await this.#send('viewError', { view, message })
  }

  async #send<N extends keyof Events>(name: N, data: Events[N]): Promise<void> {
    if (!this.#open) return
    if (!(await this.#parts.stillValid(this.caller))) return this.goodbye('session')
    if (!this.#open) return
    this.#told = this.#modseq
    const result = await this.#writer.write(name, this.#told, data)
    if (result === 'slow') this.goodbye('overflow')
    else if (result === 'gone') this.close()
  }
}

function noChanges(view: number | null): Changes {
  return { view, items: [], removed: [], threads: [], mailboxes: [], removedMailboxes: [] }
}
