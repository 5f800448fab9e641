// A message that is being written: its fields as signals, saved on the server as they change, with its files. The text stays
// in the browser's session storage until the server has it, so that an ended session or a crash loses nothing.
import { type Signal, signal } from '@preact/signals'
import { z } from 'zod'
import type { Draft, DraftAttachment, SavedDraft } from '../../src/api/model.ts'
import { draftAttachment } from '../../src/api/model.ts'
import { ApiError, call, csrfToken } from '../lib/api.ts'
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

let lastId = 0
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
  /** The user chose how TLS is demanded: nothing changes it any more. */
  readonly tlsChosen: Signal<boolean>
  /** On the server; undefined until it was saved first. */
  readonly saved: Signal<Pick<SavedDraft, 'id' | 'revision' | 'messageId'> | undefined>
  readonly #autosave: Autosave
  #lastUpload = 0

  constructor(draft: Draft, saved?: SavedDraft) {
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
    sessionStorage.setItem(UNSAVED + this.id, JSON.stringify(this.draft.value))
    this.#autosave.changed()
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
    const before = this.saved.value
    try {
      const saved =
        before === undefined
          ? await call('draftCreate', { draft })
          : await call('draftSave', { id: before.id, revision: before.revision, draft })
      this.saved.value = saved
      this.problem.value = ''
      if (this.draft.value === draft) sessionStorage.removeItem(UNSAVED + this.id)
    } catch (error) {
      this.problem.value = `Not saved: ${error instanceof Error ? error.message : String(error)}`
      throw error
    }
  }

  /** Saves with a request that outlives the page. */
  saveOnLeaving(): void {
    const { value: before } = this.saved
    if (!this.unsaved) return
    const draft = this.draft.value
    const work =
      before === undefined
        ? call('draftCreate', { draft }, undefined, true)
        : call('draftSave', { id: before.id, revision: before.revision, draft }, undefined, true)
    work.then(
      saved => {
        this.saved.value = saved
        sessionStorage.removeItem(UNSAVED + this.id)
      },
      () => undefined,
    )
  }

  /** Another window changed the draft: this one's text goes on as a draft of its own. */
  async keepAsCopy(): Promise<void> {
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
      const result = await call('send', {
        id: saved.id,
        revision: saved.revision,
        draft: this.draft.value,
        archiveThread,
      })
      sessionStorage.removeItem(UNSAVED + this.id)
      return result
    } catch (error) {
      this.#autosave.resume()
      await this.#refresh()
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

  /** Ends without saving, and removes the draft. */
  async discard(): Promise<void> {
    for (const upload of this.uploads.value) upload.cancel()
    await this.#autosave.end()
    sessionStorage.removeItem(UNSAVED + this.id)
    const saved = this.saved.value
    if (saved !== undefined) await call('draftRemove', { id: saved.id })
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

  /** Uploads files, one after the other, with progress. */
  async upload(files: readonly File[], limit: number): Promise<void> {
    for (const file of files) {
      const upload = this.#begin(file)
      if (file.size > limit) {
        this.#update(upload, { error: `too large: a message has at most ${Math.floor(limit / 1024 / 1024)} MB` })
        continue
      }
      try {
        await this.#send(upload, file, await this.ensure())
      } catch (error) {
        this.#update(upload, { error: error instanceof Error ? error.message : String(error) })
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

  /** fetch() does not tell how much was sent; XMLHttpRequest does. */
  #send(id: number, file: File, draft: string): Promise<void> {
    if (!this.uploads.value.some(u => u.id === id)) return Promise.resolve()
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
      request.onabort = () => resolve()
      request.onload = () => {
        const parsed = answer.safeParse(parseJson(request.responseText))
        if (request.status !== 200 || !parsed.success) {
          reject(new ApiError('refused', messageOf(request.responseText) ?? `the server answered ${request.status}`))
          return
        }
        remove()
        this.files.value = parsed.data.attachments
        this.#autosave.changed()
        resolve()
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

/** Drafts that an earlier page of this tab could not save. */
export function unsavedDrafts(): Draft[] {
  const found: Draft[] = []
  for (const key of Object.keys(sessionStorage)) {
    if (!key.startsWith(UNSAVED)) continue
    const parsed = parseJson(sessionStorage.getItem(key) ?? '')
    sessionStorage.removeItem(key)
    if (typeof parsed === 'object' && parsed !== null) found.push({ ...EMPTY, ...parsed })
  }
  return found
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const failure = z.object({ error: z.object({ message: z.string() }) })

function messageOf(text: string): string | undefined {
  const parsed = failure.safeParse(parseJson(text))
  return parsed.success ? parsed.data.error.message : undefined
}
