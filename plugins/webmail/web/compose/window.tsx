// One window in which a message is written.

import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { Draft, OpenedMessage } from '../../src/api/model.ts'
import { composeChecks } from '../extend/registry.ts'
import { confirmAction } from '../frame/ask.tsx'
import { Icon } from '../frame/icons.tsx'
import { openPopover, toast } from '../frame/overlay.ts'
import { ApiError } from '../lib/api.ts'
import { reasonOf } from '../lib/reason.ts'
import { attempt, busy, showError } from '../state/busy.ts'
import { mailboxWithRole } from '../state/lookup.ts'
import { narrow, openMailbox, settings } from '../state/store.ts'
import { oneLine, parseTyped } from './addresses.ts'
import { warningsOf } from './checks.ts'
import type { Editor } from './editor.ts'
import { Files, OriginalFiles, uploadFiles } from './files.tsx'
import { FromField } from './from-field.tsx'
import { MoreMenu, ScheduleMenu } from './menus.tsx'
import { RecipientField } from './recipients.tsx'
import { timeText } from './schedule.ts'
import { safeForAll } from './security.tsx'
import type { ComposeSession } from './session.ts'
import { ResizeHandle, sizeStyle } from './size.tsx'
import { takeTyped } from './windows.tsx'
import './compose.css'

export interface Opened {
  readonly session: ComposeSession
  readonly cursor: number
  readonly focus: 'to' | 'text'
  readonly original?: OpenedMessage
  close(session: ComposeSession): void
  /** Opens a window with a draft that was discarded. */
  again(draft: Draft): void
  /** Opens what was sent, as a draft again. */
  takeBack(sent: string): Promise<void>
}

const STATES = { saved: 'Draft saved', changed: '', saving: 'Saving…', failed: 'Not saved' } as const

export function ComposeWindow({ opened }: { readonly opened: Opened }): JSX.Element {
  const { session, original } = opened
  const draft = session.draft.value
  const extra = useSignal<ReadonlySet<string>>(new Set())
  const dropping = useSignal(0)
  useAutoTls(session, original)
  // Who turned the formatting on goes on writing.
  const switched = useRef(false)
  if (draft.html === null) switched.current = true
  const title = draft.subject.trim() === '' ? 'New message' : draft.subject
  // On a phone there is one window, which has all of it.
  const small = session.minimised.value && !narrow.value
  /** What had the focus in the window, to have it again. */
  const last = useRef<HTMLElement | undefined>(undefined)
  const before = useRef(small)
  useLayoutEffect(() => {
    if (before.current && !small) last.current?.focus()
    before.current = small
  }, [small])
  const maximised = session.maximised.value && !narrow.value
  const change = (fields: Partial<Draft>): void => session.change(fields)
  const shows = (name: 'cc' | 'bcc' | 'replyTo'): boolean => draft[name].length > 0 || extra.value.has(name)
  const add = (name: string): void => {
    extra.value = new Set([...extra.value, name])
  }
  return (
    <section
      class={`compose${small ? ' minimised' : maximised ? ' maximised' : ''}${dropping.value > 0 ? ' dropping' : ''}`}
      style={narrow.value || maximised || small ? undefined : sizeStyle()}
      role="dialog"
      aria-label={title}
      aria-busy={session.sending.value}
      data-context="compose"
      data-compose={session.id}
      onDragEnter={event => {
        if (event.dataTransfer?.types.includes('Files') === true) dropping.value++
      }}
      onDragLeave={() => {
        if (dropping.value > 0) dropping.value--
      }}
      onDragOver={event => {
        if (event.dataTransfer?.types.includes('Files') === true) event.preventDefault()
      }}
      onDrop={event => {
        dropping.value = 0
        if (event.dataTransfer === null || event.dataTransfer.files.length === 0) return
        event.preventDefault()
        uploadFiles(session, event.dataTransfer.files)
      }}
    >
      {narrow.value || maximised || small ? null : <ResizeHandle />}
      <div class="compose-head">
        {small ? (
          <button type="button" class="compose-title" onClick={() => (session.minimised.value = false)}>
            {title}
          </button>
        ) : (
          <h2 class="compose-title">{title}</h2>
        )}
        <span class="compose-state" hidden={small}>
          {session.saved.value === undefined && session.state.value === 'saved' ? '' : STATES[session.state.value]}
        </span>
        {narrow.value || small ? null : (
          <>
            <button
              type="button"
              class="icon"
              aria-label="Minimise"
              title="Minimise"
              onClick={() => {
                session.minimised.value = true
              }}
            >
              <Icon name="down" />
            </button>
            <button
              type="button"
              class="icon"
              aria-label={maximised ? 'Restore the size' : 'Maximise'}
              title={maximised ? 'Restore the size' : 'Maximise'}
              onClick={() => {
                session.maximised.value = !maximised
              }}
            >
              <Icon name={maximised ? 'shrink' : 'grow'} size={16} />
            </button>
          </>
        )}
        <CloseButton opened={opened} />
      </div>
      <fieldset
        class="compose-fields"
        hidden={small}
        disabled={session.sending.value}
        onFocusIn={event => {
          if (event.target instanceof HTMLElement) last.current = event.target
        }}
      >
        <div class="compose-people">
          <FromField session={session} />
          <div class="compose-to">
            <RecipientField
              label="To"
              name="to"
              value={draft.to}
              autofocus={opened.focus === 'to'}
              security
              change={to => change({ to: [...to] })}
            />
            <div class="compose-add">
              <button type="button" hidden data-action="to" onClick={() => focusField(session, 'to')} />
              {(['cc', 'bcc', 'replyTo'] as const).map(name => (
                <button
                  key={name}
                  type="button"
                  class="link"
                  data-action={name === 'replyTo' ? 'reply-to' : name}
                  hidden={shows(name)}
                  onClick={() => (shows(name) ? focusField(session, name) : add(name))}
                >
                  {name === 'replyTo' ? 'Reply-To' : name === 'cc' ? 'Cc' : 'Bcc'}
                </button>
              ))}
            </div>
          </div>
          {shows('cc') ? (
            <RecipientField
              label="Cc"
              name="cc"
              value={draft.cc}
              autofocus={extra.value.has('cc')}
              security
              change={cc => change({ cc: [...cc] })}
            />
          ) : null}
          {shows('bcc') ? (
            <RecipientField
              label="Bcc"
              name="bcc"
              value={draft.bcc}
              autofocus={extra.value.has('bcc')}
              security
              change={bcc => change({ bcc: [...bcc] })}
            />
          ) : null}
          {shows('replyTo') ? (
            <RecipientField
              label="Reply-To"
              name="reply-to"
              value={draft.replyTo}
              autofocus={extra.value.has('replyTo')}
              change={replyTo => change({ replyTo: [...replyTo].slice(0, 10) })}
            />
          ) : null}
          <label class="compose-subject">
            <span>Subject</span>
            <input
              type="text"
              maxLength={998}
              value={draft.subject}
              onInput={event => change({ subject: oneLine(event.currentTarget.value) })}
            />
          </label>
        </div>
        {draft.html === null ? (
          <PlainText opened={opened} />
        ) : (
          <RichText
            session={session}
            focus={opened.focus === 'text' || switched.current}
            behindQuote={opened.cursor > 0}
          />
        )}
        <Warnings session={session} />
        <Files session={session} />
        {original === undefined || draft.response?.kind !== 'forward' ? null : (
          <OriginalFiles session={session} messageId={original.id} attachments={original.attachments} />
        )}
        {session.problem.value === '' ? null : (
          <p class="compose-problem" role="alert">
            {session.problem.value}
            {session.conflict.value ? (
              <>
                <button type="button" onClick={() => void attempt('saving', () => session.keepAsCopy())}>
                  Keep this as another draft
                </button>
                {session.files.value.length === 0 ? null : <span>The attachments stay with the other one.</span>}
              </>
            ) : null}
          </p>
        )}
        <Buttons opened={opened} />
      </fieldset>
    </section>
  )
}

function focusField(session: ComposeSession, name: string): void {
  document.querySelector<HTMLElement>(`[data-compose="${session.id}"] [data-field="${name}"] input`)?.focus()
}

function PlainText({ opened }: { readonly opened: Opened }): JSX.Element {
  const { session, cursor, focus } = opened
  const area = useRef<HTMLTextAreaElement>(null)
  useLayoutEffect(() => {
    const element = area.current
    if (element === null) return
    element.setSelectionRange(cursor, cursor)
    if (focus === 'text') element.focus()
    element.scrollTop = 0
  }, [])
  return (
    <textarea
      ref={area}
      class="compose-text"
      aria-label="Message"
      spellcheck
      maxLength={1_000_000}
      value={session.draft.value.text}
      onInput={event => session.change({ text: event.currentTarget.value })}
      onPaste={event => {
        const files = event.clipboardData?.files
        if (files === undefined || files.length === 0 || event.clipboardData?.getData('text/plain') !== '') return
        event.preventDefault()
        uploadFiles(session, files)
      }}
    />
  )
}

/** `focus`: the cursor goes there when it is loaded. */
function RichText(props: {
  readonly session: ComposeSession
  readonly focus: boolean
  readonly behindQuote: boolean
}): JSX.Element {
  const { session, focus, behindQuote } = props
  const place = useRef<HTMLDivElement>(null)
  const loading = useSignal(true)
  const current = useRef<Editor | undefined>(undefined)
  /** What the editor has; anything else in the draft came from elsewhere: a template, a signature. */
  const written = useRef(session.draft.value.html)
  const { html } = session.draft.value
  useEffect(() => {
    // Effects come late: what was typed meanwhile counts.
    const now = session.draft.value.html
    if (now === null || now === written.current) return
    written.current = now
    current.current?.set(now)
  }, [html])
  useEffect(() => {
    let editor: Editor | undefined
    let ended = false
    import('./editor.ts').then(
      ({ createEditor }) => {
        loading.value = false
        const element = place.current
        if (ended || element === null) return
        editor = createEditor(element, {
          ...{ html: session.draft.value.html ?? '', label: 'Message' },
          changed: () => {
            if (editor === undefined) return
            written.current = editor.html()
            session.change({ html: written.current, text: editor.text() })
          },
          pasted: files => uploadFiles(session, files),
        })
        current.current = editor
        if (focus) editor.focus(behindQuote)
      },
      (error: unknown) => {
        showError(error)
        session.change({ html: null })
      },
    )
    return () => {
      ended = true
      editor?.destroy()
    }
  }, [])
  const sending = session.sending.value
  useLayoutEffect(() => {
    // What is typed while it is sent would be lost: a fieldset does not turn this off.
    if (current.current !== undefined) current.current.element.contentEditable = String(!sending)
  }, [sending])
  return (
    <>
      {loading.value ? <p class="compose-loading">Loading the editor…</p> : null}
      <div class="compose-rich" ref={place} />
    </>
  )
}

function checked(session: ComposeSession): ReturnType<typeof warningsOf> {
  const { from, to, cc, bcc, subject, text } = session.draft.value
  const coming = session.uploads.value.filter(u => u.error === '')
  const attachments = [...session.files.value, ...coming].map(({ filename, size }) => ({ filename, size }))
  return warningsOf(composeChecks.value, { from, to, cc, bcc, subject, text, attachments })
}

/** What checks say while one writes; an empty subject is said when sending. */
function Warnings({ session }: { readonly session: ComposeSession }): JSX.Element | null {
  const warnings = checked(session).filter(w => w.id !== 'compose.subject')
  if (warnings.length === 0) return null
  return (
    <div class="compose-warnings" role="status">
      {warnings.map(({ id, text }) => (
        <p key={id}>
          <Icon name="warning" size={15} /> {text}
        </p>
      ))}
    </div>
  )
}

function Buttons({ opened }: { readonly opened: Opened }): JSX.Element {
  const { session, original } = opened
  const { sendAt, response } = session.draft.value
  const input = useRef<HTMLInputElement>(null)
  const archive = response !== null && mailboxWithRole('archive') !== undefined
  return (
    <div class="compose-buttons">
      <button type="button" class="primary" data-action="send" onClick={() => void send(opened, false)}>
        <Icon name="sent" size={16} /> {sendAt === null ? 'Send' : 'Schedule'}
      </button>
      {archive ? (
        <button type="button" data-action="send-archive" onClick={() => void send(opened, true)}>
          Send and archive
        </button>
      ) : null}
      <button type="button" onClick={() => input.current?.click()}>
        <Icon name="plus" size={15} /> Attach
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={event => {
          uploadFiles(session, event.currentTarget.files)
          event.currentTarget.value = ''
        }}
      />
      <button
        type="button"
        aria-haspopup="dialog"
        onClick={event =>
          openPopover({
            ...{ anchor: event.currentTarget, label: 'When to send' },
            render: done => <ScheduleMenu session={session} close={done} />,
          })
        }
      >
        {sendAt === null ? 'Later…' : timeText(sendAt)}
      </button>
      <button
        type="button"
        class="icon"
        aria-label="More"
        aria-haspopup="dialog"
        onClick={event =>
          openPopover({
            ...{ anchor: event.currentTarget, label: 'More' },
            render: done => <MoreMenu session={session} original={original} close={done} />,
          })
        }
      >
        <Icon name="more" />
      </button>
      <button
        type="button"
        hidden
        data-action="save"
        // Why it fails is shown in the window.
        onClick={() => {
          const focused = takeTyped()
          busy('saving', () => session.flush()).catch(() => undefined)
          focused?.focus()
        }}
      />
      <span class="spacer" />
      <button type="button" class="icon" aria-label="Discard" title="Discard" onClick={() => void discard(opened)}>
        <Icon name="trash" />
      </button>
    </div>
  )
}

function CloseButton({ opened }: { readonly opened: Opened }): JSX.Element {
  return (
    <button
      type="button"
      class="icon"
      data-action="close"
      aria-label="Save and close"
      title="Save and close"
      onClick={() => void closeWindow(opened)}
    >
      <Icon name="close" />
    </button>
  )
}

/** The draft stays. */
async function closeWindow({ session, close }: Opened): Promise<void> {
  takeTyped()
  if (session.uploads.value.some(u => u.error === '')) {
    const question = { title: 'Close', text: 'A file is still on its way. Close without it?', verb: 'Close without it' }
    if (!(await confirmAction(question))) return
    for (const upload of session.uploads.value) upload.cancel()
  }
  if (session.empty) return close(session)
  try {
    await busy('saving', () => session.flush())
  } catch {
    // Why is shown in the window, which stays open.
    return
  }
  close(session)
  if (session.saved.value === undefined) return
  toast({ text: 'Draft saved', duration: 4_000 })
}

async function discard(opened: Opened): Promise<void> {
  const { session, close } = opened
  const draft = session.draft.value
  const files = session.files.value.length
  if (files > 0) {
    const text = `The draft and its ${files === 1 ? 'file' : `${files} files`} are removed. Files cannot be brought back.`
    if (!(await confirmAction({ title: 'Discard the draft', text, verb: 'Discard', danger: true }))) return
  }
  try {
    await busy('removing', () => session.discard())
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 'notFound')) return showError(error)
  }
  close(session)
  toast({ text: 'Draft discarded', undo: () => opened.again(draft) })
}

async function send(opened: Opened, archiveThread: boolean): Promise<void> {
  const { session, close } = opened
  const focused = document.activeElement
  takeTyped()
  const { to, cc, bcc } = session.draft.value
  session.problem.value = ''
  if (session.uploads.value.some(u => u.error === '')) {
    session.problem.value = 'A file is still on its way; send when it is there, or cancel it.'
    return
  }
  const bad = [...to, ...cc, ...bcc].find(line => parseTyped(line) === undefined)
  if (bad !== undefined) {
    session.problem.value = `${JSON.stringify(bad)} is not a mail address.`
    return
  }
  if (to.length + cc.length + bcc.length === 0) {
    session.problem.value = 'Name somebody to send to.'
    focusField(session, 'to')
    return
  }
  const missing = session.uploads.value.map(u => `${u.filename} could not be attached.`)
  const asked = [...missing, ...checked(session).flatMap(w => (w.ask ? [w.text] : []))]
  if (asked.length > 0) {
    const text = asked.join(' ')
    if (!(await confirmAction({ title: 'Send it like this?', text, verb: 'Send' }))) return
  }
  try {
    const mailboxId = openMailbox.value?.id
    const archive = archiveThread ? { mailboxId: mailboxId ?? mailboxWithRole('archive')?.id ?? 0 } : null
    const { undoUntil, sent, warnings } = await busy('sending', () => session.send(archive))
    close(session)
    const at = session.draft.value.sendAt
    const text = at !== null && at > Date.now() ? `Scheduled for ${timeText(at)}` : 'Message sent'
    if (undoUntil === null) toast({ text, duration: 4_000 })
    else
      toast({
        ...{ text, duration: Math.max(1_000, Math.min(undoUntil - Date.now(), 120_000)) },
        undo: () => opened.takeBack(sent),
      })
    for (const warning of warnings) showError(new Error(warning))
  } catch (error) {
    const lost = error instanceof ApiError && error.code === 'connection'
    session.problem.value = lost
      ? 'The server did not answer. Send it again when the connection is back: it goes out only once.'
      : `Not sent: ${reasonOf(error)}`
    // While it was sent, all fields were disabled, and the focus was nowhere.
    if (focused instanceof HTMLElement) setTimeout(() => focused.focus())
  }
}

/** Demands TLS when it is known to work for all recipients, unless the user chose, or it goes to a list. */
function useAutoTls(session: ComposeSession, original: OpenedMessage | undefined): void {
  const { to, cc, bcc, requireTls } = session.draft.value
  const addresses = [...to, ...cc, ...bcc].flatMap(line => {
    const parsed = parseTyped(line)
    return parsed === undefined ? [] : [parsed.address]
  })
  const list = original !== undefined && original.listAddress !== '' && addresses.includes(original.listAddress)
  const safe = settings.value?.showAddressSecurity === true && !list && safeForAll(addresses)
  const chosen: Signal<boolean> = session.tlsChosen
  useEffect(() => {
    if (chosen.value || requireTls === false) return
    if (safe !== (requireTls === true)) session.adjust({ requireTls: safe ? true : null })
  }, [safe, requireTls])
}
