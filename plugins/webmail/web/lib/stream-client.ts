// The page's end of the event stream: opens it, keeps the state up to date with what comes, and takes it on after a break
// without loading anything again where the server can tell what changed meanwhile. Nothing here throws at its callers: what
// fails is part of the state.

import type { Signal } from '@preact/signals'
import type { Params } from '../../src/api/calls.ts'
import { type Changes, events, type Hello, type PageEvent, type StreamRequest } from '../../src/api/events.ts'
import type { Mailbox, Settings, ViewQuery } from '../../src/api/model.ts'
import type { View } from '../state/store.ts'
import type { Kept } from './kept.ts'
import { reasonOf } from './reason.ts'
import { readEvents, type ServerEvent } from './sse.ts'
import { applyChanges, applyPage, type LiveView, newView } from './view-state.ts'

/** Rows that one request asks for unless told otherwise. */
export const PAGE_ROWS = 100
/** Milliseconds after which a connection has proved good: when it breaks, the next is tried at once. */
export const GOOD_AFTER = 5_000
/** Milliseconds before a server that stopped is asked again: from, and a random time more, so that not all come at once. */
export const RESTART = { from: 3_000, more: 5_000 }

/** Milliseconds between tries while the server cannot be reached: from, doubled each time, at most. */
export const RETRY = { from: 2_000, most: 60_000 }
/** Milliseconds without anything, where the server says something every 30 s: a connection that is cut may never tell. */
export const SILENT_AFTER = 75_000

/** What the stream keeps up to date. */
export interface StreamState {
  readonly hello: Signal<Hello | undefined>
  readonly connected: Signal<boolean>
  readonly mailboxes: Signal<ReadonlyMap<number, Mailbox>>
  readonly settings: Signal<Settings | undefined>
  readonly view: Signal<View | undefined>
}

type KeptView = NonNullable<Kept['view']>
type ViewCall = 'viewOpen' | 'viewMore' | 'viewCancel'

/** How it reaches the server. */
export interface StreamTransport {
  /** POST events. Rejects when the server cannot be reached. */
  open(request: StreamRequest, signal: AbortSignal): Promise<Response>
  call<N extends ViewCall>(name: N, params: Params<N>): Promise<unknown>
  /** Whether a response means that the user must log in, and waits for it. */
  login(response: Response | undefined, reason: string): Promise<boolean>
  /** The selected message, which a view that is loaded again must have. */
  selected(): number | undefined
  onOutgoing(): void
  /** Runs `work` after some milliseconds; returns how to cancel it. */
  after(ms: number, work: () => void): () => void
}

export interface OpenOptions {
  /** Load on until this message is there. */
  readonly until?: number | undefined
  /** As typed, for a search. */
  readonly search?: string
  /** Rows of the first page. */
  readonly limit?: number
}

export class StreamClient {
  readonly #state: StreamState
  readonly #transport: StreamTransport
  #stopped = true
  #connection: AbortController | undefined
  #stream: string | undefined
  /** The last event's id: up to there the state is complete. */
  #modseq: number | undefined
  /** The next break is followed by a try at once, else by one after a pause. */
  #armed = true
  /** Tries since the last greeting. */
  #tries = 0
  #cancelTimer: (() => void) | undefined
  #lastView = 0
  /** The view that was kept, until one is opened. */
  #kept: KeptView | undefined
  #request: { readonly more: boolean; readonly until: number | undefined; readonly limit: number } | undefined

  constructor(state: StreamState, transport: StreamTransport) {
    this.#state = state
    this.#transport = transport
  }

  /** Up to which modification sequence the state is complete. */
  get modseq(): number {
    return this.#modseq ?? 0
  }

  /** It was never started, or stopped. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Connects unless that is done or under way. */
  start(): void {
    this.#stopped = false
    if (this.#connection !== undefined) return
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const connection = new AbortController()
    this.#connection = connection
    void this.#run(connection)
  }

  /** The connection is known to be gone: it is given up, and made anew when that can succeed. */
  broken(): void {
    this.#connection?.abort()
  }

  /** Ends the stream; start() goes on where it was. */
  stop(): void {
    this.#stopped = true
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#connection?.abort()
    this.#ended()
  }

  /** Forgets everything that was loaded, as after a logout. */
  reset(): void {
    this.stop()
    this.#modseq = undefined
    this.#request = undefined
    this.#armed = true
    const { hello, mailboxes, settings, view } = this.#state
    hello.value = undefined
    mailboxes.value = new Map()
    settings.value = undefined
    view.value = undefined
  }

  /** Begins with what was kept of another time, until the server says what is there now. */
  restore(kept: Kept): void {
    const { hello, connected, mailboxes, settings } = this.#state
    mailboxes.value = new Map(kept.mailboxes.map(mailbox => [mailbox.id, mailbox]))
    settings.value = kept.settings
    // What the server is now, it will say.
    hello.value = { ...kept.hello, version: '' }
    connected.value = true
    this.#kept = kept.view ?? undefined
  }

  /** Shows another view. The rows come with the pages that the server sends. */
  openView(query: ViewQuery, options: OpenOptions = {}): void {
    const view = newView(++this.#lastView, query, options.search ?? '')
    this.#state.view.value = { ...view, ...this.#rowsKept(view) }
    this.#request = { more: false, until: options.until, limit: options.limit ?? PAGE_ROWS }
    this.#ask()
  }

  /** Loads the next page, unless one is under way or everything is loaded. Tries again what failed. */
  loadMore(limit: number = PAGE_ROWS): void {
    const view = this.#view()
    if (view === undefined || view.loading || this.#request !== undefined) return
    const more = view.next !== null
    if (!more && !failedToOpen(view)) return
    this.#state.view.value = { ...view, loading: true, error: '' }
    this.#request = { more, until: undefined, limit }
    this.#ask()
  }

  /** Stops loading; the rows that came stay. */
  cancelLoading(): void {
    const view = this.#view()
    const request = this.#request
    if (view === undefined || request === undefined) return
    // Without its first page a view is not an empty one.
    if (!request.more) this.#failed(view, 'loading was stopped')
    else this.#state.view.value = { ...view, loading: false }
    this.#request = undefined
    if (this.#stream !== undefined) void this.#call('viewCancel', { stream: this.#stream, view: view.id })
  }

  /** What was kept of the view that is opened first, in place of nothing while it is loaded. */
  #rowsKept(view: LiveView): Partial<LiveView> {
    const kept = this.#kept
    this.#kept = undefined
    if (kept === undefined || JSON.stringify(kept.query) !== JSON.stringify(this.#byId(view).query)) return {}
    const { threads, total, complete } = kept
    return { threads, total, complete, kept: true }
  }

  /**
   * It is not known what the server did, and rows were changed back: they are loaded anew, without a gap, as what the stream
   * said of them meanwhile may have been overwritten.
   */
  recheck(): void {
    const view = this.#view()
    if (view === undefined) return
    if (this.#stream === undefined) this.#modseq = undefined
    else if (this.#request === undefined && !failedToOpen(view)) {
      this.#reload(view)
      this.#ask()
    }
  }

  #view(): LiveView | undefined {
    // Rows may have been changed by others, who spread the view that they found here.
    return this.#state.view.value as LiveView | undefined
  }

  /** Sends the request for rows that is due, once there is a stream to answer on. */
  #ask(): void {
    const view = this.#view()
    const request = this.#request
    const stream = this.#stream
    if (view === undefined || request === undefined || stream === undefined) return
    if (request.more) return void this.#call('viewMore', { stream, view: view.id, limit: request.limit })
    const until = request.until === undefined ? {} : { until: request.until }
    void this.#call('viewOpen', { stream, view: view.id, query: view.query, limit: request.limit, ...until })
  }

  /** As soon as a mailbox is known it is meant by its id: one that is renamed while it is open stays open. */
  #byId(view: LiveView): LiveView {
    const { scope } = view.query
    if (typeof scope === 'string' || typeof scope.mailbox === 'number') return view
    const named = [...this.#state.mailboxes.value.values()].find(mailbox => mailbox.name === scope.mailbox)
    return named === undefined ? view : { ...view, query: { ...view.query, scope: { ...scope, mailbox: named.id } } }
  }

  async #call<N extends ViewCall>(name: N, params: Params<N>): Promise<void> {
    try {
      await this.#transport.call(name, params)
    } catch (error) {
      const view = this.#view()
      // Of a stream that ended meanwhile: asked again on the next one.
      if (params.stream !== this.#stream || view?.id !== params.view || name === 'viewCancel') return
      this.#failed(view, reasonOf(error))
    }
  }

  #failed(view: LiveView, error: string): void {
    this.#request = undefined
    this.#state.view.value = { ...view, loading: false, error }
  }

  async #run(connection: AbortController): Promise<void> {
    const { signal } = connection
    try {
      const response = await this.#transport.open(this.#resume(), signal)
      if (!response.ok || response.body === null) {
        if (await this.#transport.login(response, '')) this.#armed = true
        return
      }
      const stopTimer = this.#transport.after(GOOD_AFTER, () => {
        this.#armed = true
      })
      let stopSilence = (): void => undefined
      const heard = (): void => {
        stopSilence()
        stopSilence = this.#transport.after(SILENT_AFTER, () => connection.abort())
      }
      heard()
      try {
        for await (const event of readEvents(response.body, heard)) {
          if (signal.aborted) return
          if (!(await this.#understood(event))) return
        }
      } finally {
        stopTimer()
        stopSilence()
      }
    } catch {
      // The connection broke, or was not made: the same for the user.
    } finally {
      if (this.#connection === connection) {
        this.#ended()
        this.#again()
      }
      connection.abort()
    }
  }

  #ended(): void {
    this.#connection = undefined
    this.#stream = undefined
    this.#state.connected.value = false
  }

  #again(): void {
    if (this.#stopped || this.#cancelTimer !== undefined) return
    if (this.#armed) {
      this.#armed = false
      this.start()
    } else {
      const pause = Math.min(RETRY.most, RETRY.from * 2 ** this.#tries++)
      this.#startAfter(pause * (0.5 + Math.random() / 2))
    }
  }

  #startAfter(ms: number): void {
    this.#cancelTimer = this.#transport.after(ms, () => {
      this.#cancelTimer = undefined
      if (!this.#stopped) this.start()
    })
  }

  #resume(): StreamRequest {
    const account = this.#state.hello.value?.account
    if (this.#modseq === undefined || account === undefined) return {}
    const view = this.#view()
    const there = view !== undefined && this.#request?.more !== false && !failedToOpen(view)
    // Without rows it is not known what is loaded.
    const loaded = there && (view.next === null || view.last !== null)
    if (there && !loaded) this.#reload(view)
    const described = loaded ? { view: view.id, query: view.query, next: view.next, last: view.last } : null
    return { resume: { account, modseq: this.#modseq, view: described } }
  }

  async #understood(event: ServerEvent): Promise<boolean> {
    try {
      return await this.#take(event)
    } catch (error) {
      // It would come again when the stream goes on from there: the next one begins anew.
      this.#modseq = undefined
      console.error(error)
      throw error
    }
  }

  /** False when the stream is at its end. */
  async #take({ name, id, data }: ServerEvent): Promise<boolean> {
    const schema = Object.hasOwn(events, name) ? events[name as keyof typeof events] : undefined
    // Of a newer server.
    if (schema === undefined) return true
    const value: unknown = JSON.parse(data)
    let goOn = true
    switch (name as keyof typeof events) {
      case 'hello':
        this.#hello(events.hello.parse(value))
        break
      case 'page':
        this.#page(events.page.parse(value))
        break
      case 'viewError': {
        const { view: viewId, message } = events.viewError.parse(value)
        const view = this.#view()
        if (view?.id === viewId) this.#failed(view, message)
        break
      }
      case 'changes':
        this.#changes(events.changes.parse(value))
        break
      case 'settings':
        this.#state.settings.value = events.settings.parse(value).settings
        break
      case 'outgoing':
        this.#transport.onOutgoing()
        break
      case 'goodbye':
        await this.#goodbye(events.goodbye.parse(value))
        goOn = false
    }
    if (id !== '') this.#modseq = Number(id)
    return goOn
  }

  #hello(hello: Hello): void {
    const { connected, mailboxes, settings, view: shown } = this.#state
    const other = this.#state.hello.value?.account
    this.#stream = hello.stream
    this.#tries = 0
    connected.value = true
    mailboxes.value = new Map(hello.mailboxes.map(mailbox => [mailbox.id, mailbox]))
    settings.value = hello.settings
    this.#state.hello.value = hello
    const view = this.#view()
    if (other !== undefined && other !== hello.account) {
      shown.value = undefined
      this.#request = undefined
    } else if (view !== undefined && hello.resumed) shown.value = withTotal(view, mailboxes.value)
    else if (view !== undefined && this.#request?.more !== false && !failedToOpen(view)) this.#reload(view)
    this.#ask()
  }

  /** The view is loaded anew under another number; its rows stay until the first page is there. */
  #reload(view: LiveView): void {
    this.#state.view.value = { ...view, id: ++this.#lastView, loading: true }
    this.#request = { more: false, until: this.#transport.selected(), limit: Math.max(PAGE_ROWS, view.threads.length) }
  }

  #page(page: PageEvent): void {
    const view = this.#view()
    if (view?.id !== page.view) return
    if (page.done) this.#request = undefined
    // A first page that came makes the rest a matter of more of it.
    else if (this.#request?.more === false) this.#request = { ...this.#request, more: true }
    this.#state.view.value = this.#byId({ ...applyPage(view, page), loading: !page.done })
  }

  #changes(changes: Changes): void {
    const { mailboxes, view: shown } = this.#state
    if (changes.mailboxes.length > 0 || changes.removedMailboxes.length > 0) {
      const next = new Map(mailboxes.value)
      for (const mailbox of changes.mailboxes) next.set(mailbox.id, mailbox)
      for (const id of changes.removedMailboxes) next.delete(id)
      mailboxes.value = next
    }
    const view = this.#view()
    if (view === undefined) return
    const changed = view.id === changes.view ? applyChanges(view, changes) : view
    const next = withTotal(this.#byId(changed), mailboxes.value)
    if (next !== view) shown.value = next
  }

  async #goodbye({ reason, message }: { readonly reason: string; readonly message: string }): Promise<void> {
    this.#state.connected.value = false
    if (reason === 'shutdown') {
      this.#startAfter(RESTART.from + Math.random() * RESTART.more)
    } else this.#armed = reason === 'overflow' || (await this.#transport.login(undefined, message))
  }
}

/** There is nothing of it: it can only be opened again. */
function failedToOpen(view: LiveView): boolean {
  return view.error !== '' && view.threads.length === 0
}

/** Of a mailbox as a whole the number of messages is known from its counts. */
function withTotal(view: LiveView, mailboxes: ReadonlyMap<number, Mailbox>): LiveView {
  const { scope, filter } = view.query
  if (typeof scope === 'string' || scope.below === true || filter !== undefined || view.total === null) return view
  const total = typeof scope.mailbox === 'number' ? mailboxes.get(scope.mailbox)?.total : undefined
  return total === undefined || total === view.total ? view : { ...view, total }
}
