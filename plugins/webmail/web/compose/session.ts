// A message that is being written: its fields as signals, saved on the server as they change, with its files. The text stays
// in the browser's session storage until the server has it, so that an ended session or a crash loses nothing.

import { type Signal, signal } from '@preact/signals'
import { z } from 'zod'
import { errorBody } from '../../src/api/calls.ts'
import type { Draft, DraftAttachment, SavedDraft } from '../../src/api/model.ts'
import { draftAttachment, draft as draftSchema } from '../../src/api/model.ts'
import { csrfToken, currentAccount } from '../lib/accounts.ts'
import { ApiError, call, requireLogin } from '../lib/api.ts'
import { reasonOf } from '../lib/reason.ts'
import { hello } from '../state/store.ts'
import { Autosave, type SaveState } from './autosave.ts'
import { UNSAVED } from './windows.tsx'

/** A file on its way. */
export interface Upload {
  readonly id: number
  readonly filename: string
  readonly size: number
  /** From 0 to 1. */
  readonly progress: number
  /** Why it failed; '' while it goes on. */
  readonly error: string
  cancel(): void
}

export const EMPTY: Draft = {
  ...{ from: '', to: [], cc: [], bcc: [], replyTo: [], subject: '', text: '', html: null },
  ...{ response: null, requireTls: null, sendAt: null },
}

/** What waits in the tab's storage. */
export interface Kept {
  readonly id: string
  readonly account: string
  /** Of the draft on the server; 0 for none yet. */
  readonly revision: number
  readonly draft: Draft
}

let lastId = 0
const kept = z.object({ id: z.string(), account: z.string(), revision: z.int(), draft: draftSchema })
/** Somebody else has the draft now: another window, or who it was sent to. */
const GONE: readonly unknown[] = ['conflict', 'sent', 'notFound']
const answer = z.object({ attachments: z.array(draftAttachment) })

export class ComposeSession {
  readonly id: number = ++lastId
  readonly draft: Signal<Draft>
  readonly files: Signal<readonly DraftAttachment[]> = signal([])
  readonly uploads: Signal<readonly Upload[]> = signal([])
  readonly state: Signal<SaveState> = signal('saved')
  /** Why saving or sending failed, or what to do; '' for nothing. */
  readonly problem: Signal<string> = signal('')
  readonly sending: Signal<boolean> = signal(false)
  readonly minimised: Signal<boolean> = signal(false)
  /** Files of the original that were attached, by their paths there. */
  readonly taken: Signal<ReadonlyMap<string, string>> = signal(new Map())
  /** Another window saved the draft, sent it or removed it. */
  readonly conflict: Signal<boolean> = signal(false)
  readonly maximised: Signal<boolean> = signal(false)
  /** The user chose how TLS is demanded: nothing changes it any more. */
  readonly tlsChosen: Signal<boolean>
  /** On the server; undefined until it was saved first. */
  readonly saved: Signal<Pick<SavedDraft, 'id' | 'revision' | 'messageId'> | undefined>
  readonly #autosave: Autosave
  /** Made here, so that a save whose answer is lost makes no second draft. */
  #draftId: string
  #lastUpload = 0
  /** Whoever writes it: in this page somebody else may log in. */
  readonly #account: string = currentAccount()?.account ?? ''
  /** What a save had whose answer did not come. */
  #unanswered: Draft | undefined
  /** Sending had no answer. */
  #sentPerhaps = false

  constructor(draft: Draft, saved?: SavedDraft, id: string = saved?.id ?? newId()) {
    this.#draftId = id
    this.draft = signal(draft)
    this.saved = signal(saved)
    this.files.value = saved?.attachments ?? []
    this.tlsChosen = signal(draft.requireTls !== null)
    const timers = {
      after: (ms: number, work: () => void) => {
        const timer = setTimeout(work, ms)
        return () => clearTimeout(timer)
      },
      now: () => Date.now(),
    }
    this.#autosave = new Autosave(
      timers,
      () => this.#save(),
      state => {
        this.state.value = state
      },
    )
  }

  get unsaved(): boolean {
    return this.#autosave.unsaved
  }

  change(fields: Partial<Draft>): void {
    this.draft.value = { ...this.draft.value, ...fields }
    // Why it was not sent may be mended by this; why it cannot be saved is said until it is.
    if (this.state.value !== 'failed') this.problem.value = ''
    this.#keep()
    this.#autosave.changed()
  }

  /** A change that is not the user's: no reason to keep a draft. */
  adjust(fields: Partial<Draft>): void {
    if (this.saved.value !== undefined || this.unsaved) this.change(fields)
    else this.draft.value = { ...this.draft.value, ...fields }
  }

  /** What is kept of a draft: what was demanded of the transport by itself is decided again when it is opened. */
  #lasting(draft: Draft): Draft {
    return this.tlsChosen.value ? draft : { ...draft, requireTls: null }
  }

  #keep(): void {
    const draft = this.#lasting(this.draft.value)
    const revision = this.saved.value?.revision ?? 0
    const entry: Kept = { id: this.#draftId, account: this.#account, revision, draft }
    try {
      sessionStorage.setItem(UNSAVED + this.#draftId, JSON.stringify(entry))
    } catch {
      // No room: only the server keeps it then.
    }
  }

  #forget(): void {
    sessionStorage.removeItem(UNSAVED + this.#draftId)
  }

  async flush(): Promise<void> {
    await this.#autosave.flush()
  }

  /** The draft on the server, made when there is none. */
  async ensure(): Promise<string> {
    if (this.saved.value === undefined) {
      this.#autosave.changed()
      await this.#autosave.flush()
    }
    const id = this.saved.value?.id
    if (id === undefined) throw new ApiError('server', 'the draft could not be saved')
    return id
  }

  async #save(): Promise<void> {
    const draft = this.draft.value
    try {
      this.saved.value = await this.#store(draft, false)
      this.problem.value = ''
      this.conflict.value = false
      if (this.draft.value === draft) this.#forget()
      else this.#keep()
    } catch (error) {
      this.conflict.value = isGone(error)
      this.problem.value = `Not saved: ${reasonOf(error)}`
      throw error
    }
  }

  /** Saves with a request that outlives the page. */
  saveOnLeaving(): void {
    if (!this.unsaved || this.conflict.value || !this.isOwn) return
    this.#store(this.draft.value, true).then(
      saved => {
        this.saved.value = saved
        this.#forget()
      },
      () => undefined,
    )
  }

  async #store(written: Draft, keepalive: boolean): Promise<SavedDraft> {
    const draft = this.#lasting(written)
    const refused = problemOf(draft)
    if (refused !== undefined) throw new ApiError('badRequest', refused)
    if (!this.isOwn) throw new ApiError('refused', 'it belongs to another account; log in to that one')
    if (!keepalive) await this.#learnUnanswered()
    const before = this.saved.value
    try {
      const saved =
        before === undefined
          ? await call('draftCreate', { id: this.#draftId, draft }, undefined, keepalive)
          : await call('draftSave', { id: before.id, revision: before.revision, draft }, undefined, keepalive)
      this.#unanswered = undefined
      return saved
    } catch (error) {
      if (error instanceof ApiError && error.code === 'connection') this.#unanswered = draft
      throw error
    }
  }

  /** The save that had no answer may have been done, and is no save of another window then. */
  async #learnUnanswered(): Promise<void> {
    const before = this.saved.value
    const unanswered = this.#unanswered
    if (before === undefined || unanswered === undefined) return
    const now = await call('draftGet', { id: before.id })
    if (sameDraft(now.draft, unanswered)) this.saved.value = now
    this.#unanswered = undefined
  }

  /** Whether the page still belongs to who writes it. */
  get isOwn(): boolean {
    return (currentAccount()?.account ?? '') === this.#account
  }

  /** Another window changed the draft: this one's text goes on as a draft of its own. */
  async keepAsCopy(): Promise<void> {
    this.#forget()
    this.#draftId = newId()
    this.saved.value = undefined
    this.files.value = []
    this.#autosave.changed()
    await this.#autosave.flush()
  }

  /** Sends; throws what the server says, with the draft kept as it is. */
  async send(archiveThread: { readonly mailboxId: number } | null) {
    this.sending.value = true
    try {
      await this.ensure()
      await this.#autosave.flush()
      await this.#autosave.end()
      const saved = this.saved.value
      if (saved === undefined) throw new ApiError('server', 'the draft could not be saved')
      const files = this.files.value.map(({ id }) => id)
      const { id, revision } = saved
      try {
        const result = await call('send', { id, revision, draft: this.draft.value, files, archiveThread })
        this.#forget()
        return result
      } catch (error) {
        this.#sentPerhaps ||= error instanceof ApiError && error.code === 'connection'
        throw error
      }
    } catch (error) {
      // It was this window that sent it, only the answer did not come.
      if (this.#sentPerhaps && error instanceof ApiError && error.code === 'sent') {
        this.#forget()
        return { undoUntil: null, sent: this.#draftId, warnings: [] }
      }
      this.conflict.value = isGone(error)
      this.#autosave.resume()
      // What another window wrote is not to be written over.
      if (!this.conflict.value) await this.#refresh()
      throw error
    } finally {
      this.sending.value = false
    }
  }

  /** Sending saves first, so that the revision may have moved on. */
  async #refresh(): Promise<void> {
    const before = this.saved.value
    if (before === undefined) return
    const now = await call('draftGet', { id: before.id }).catch(() => undefined)
    if (now !== undefined) this.saved.value = now
  }

  /** Ends without saving, and removes the draft; not one that another window has by now. */
  async discard(): Promise<void> {
    for (const upload of this.uploads.value) upload.cancel()
    await this.#autosave.end()
    const saved = this.saved.value
    try {
      if (saved !== undefined && !this.conflict.value) await call('draftRemove', { id: saved.id })
      this.#forget()
    } catch (error) {
      this.#autosave.resume()
      throw error
    }
  }

  /** Nothing was typed and nothing is attached. */
  get empty(): boolean {
    return this.saved.value === undefined && !this.unsaved && this.uploads.value.length === 0
  }

  async detach(file: string): Promise<void> {
    const id = await this.ensure()
    this.files.value = (await call('draftDetach', { id, attachment: file })).attachments
    this.#autosave.changed()
  }

  async attachParts(messageId: number, paths: readonly string[]): Promise<void> {
    const id = await this.ensure()
    this.files.value = (await call('draftAttach', { id, messageId, paths: [...paths] })).attachments
    this.#autosave.changed()
  }

  async attachMessage(messageId: number): Promise<void> {
    const id = await this.ensure()
    this.files.value = (await call('draftAttachMessage', { id, messageId })).attachments
    this.#autosave.changed()
  }

  /** Uploads files, one after the other, with progress; all of them are shown from the beginning. */
  async upload(files: readonly File[], limit: number): Promise<void> {
    for (const [file, upload] of files.map(file => [file, this.#begin(file)] as const)) {
      if (file.size > limit) {
        this.#update(upload, { error: tooLarge().message })
        continue
      }
      try {
        const draft = await this.ensure()
        for (let token = csrfToken(); await this.#send(upload, file, draft); token = csrfToken())
          await requireLogin('', token)
      } catch (error) {
        this.#update(upload, { error: reasonOf(error) })
      }
    }
  }

  #begin(file: File): number {
    const id = ++this.#lastUpload
    const remove = (): void => {
      this.uploads.value = this.uploads.value.filter(u => u.id !== id)
    }
    const entry = { id, filename: file.name, size: file.size, progress: 0, error: '', cancel: remove }
    this.uploads.value = [...this.uploads.value, entry]
    return id
  }

  #update(id: number, fields: Partial<Upload>): void {
    this.uploads.value = this.uploads.value.map(u => (u.id === id ? { ...u, ...fields } : u))
  }

  /**
   * fetch() does not tell how much was sent; XMLHttpRequest does. The answer is whether to log in and try again: the session
   * has ended.
   */
  #send(id: number, file: File, draft: string): Promise<boolean> {
    if (!this.uploads.value.some(u => u.id === id)) return Promise.resolve(false)
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      request.open('POST', `upload/${draft}`)
      request.setRequestHeader('x-mox-csrf', csrfToken())
      request.setRequestHeader('x-mox-filename', encodeURIComponent(file.name))
      request.setRequestHeader('Content-Type', file.type === '' ? 'application/octet-stream' : file.type)
      request.upload.onprogress = event => this.#update(id, { progress: event.loaded / Math.max(1, event.total) })
      const remove = (): void => {
        this.uploads.value = this.uploads.value.filter(u => u.id !== id)
      }
      request.onerror = () => reject(new ApiError('connection', 'the upload was cut off'))
      request.onabort = () => resolve(false)
      request.onload = () => {
        if (request.status === 401) return resolve(true)
        const parsed = answer.safeParse(parseJson(request.responseText))
        if (request.status !== 200 || !parsed.success) {
          if (request.status === 413) return reject(tooLarge())
          reject(new ApiError('refused', messageOf(request.responseText) ?? `the server answered ${request.status}`))
          return
        }
        remove()
        this.files.value = parsed.data.attachments
        this.#autosave.changed()
        resolve(false)
      }
      this.#update(id, {
        cancel: () => {
          request.abort()
          remove()
        },
      })
      request.send(file)
    })
  }
}

/** Drafts of this account that an earlier page of this tab could not save. */
export function unsavedDrafts(): Kept[] {
  const found: Kept[] = []
  const account = currentAccount()?.account ?? ''
  for (const key of Object.keys(sessionStorage)) {
    if (!key.startsWith(UNSAVED)) continue
    const parsed = kept.safeParse(parseJson(sessionStorage.getItem(key) ?? ''))
    if (parsed.success && parsed.data.account !== account) continue
    sessionStorage.removeItem(key)
    if (parsed.success) found.push(parsed.data)
  }
  return found
}

function isGone(error: unknown): boolean {
  return error instanceof ApiError && GONE.includes(error.code)
}

function tooLarge(): ApiError {
  const bytes = hello.value?.maxMessageSize ?? 0
  return new ApiError(
    'tooLarge',
    `too large: a message has at most ${Math.floor(bytes / 1024 / 1024)} MB with its files`,
  )
}

export function sameDraft(a: Draft, b: Draft): boolean {
  const fields = Object.keys(EMPTY) as (keyof Draft)[]
  return fields.every(field => JSON.stringify(a[field]) === JSON.stringify(b[field]))
}

const NAMES: Readonly<Partial<Record<string, string>>> = {
  ...{ from: 'From', to: 'To', cc: 'Cc', bcc: 'Bcc', replyTo: 'Reply-To', subject: 'the subject', text: 'the text' },
  html: 'the text with its formatting',
}

/** Why the server cannot take a draft; undefined when it can. */
function problemOf(draft: Draft): string | undefined {
  const parsed = draftSchema.safeParse(draft)
  if (parsed.success) return undefined
  const field = String(parsed.error.issues[0]?.path[0])
  return `${NAMES[field] ?? field} is too long for a message, or has characters that it cannot have`
}

/** 128 random bits, as the server makes its ids. */
function newId(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567'
  return Array.from(crypto.getRandomValues(new Uint8Array(26)), byte => letters[byte & 31]).join('')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function messageOf(text: string): string | undefined {
  const parsed = errorBody.safeParse(parseJson(text))
  return parsed.success ? parsed.data.error.message : undefined
}
