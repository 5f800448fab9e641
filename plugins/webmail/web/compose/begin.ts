// What a new message begins with: nobody and nothing, an answer, something forwarded, a draft, a mailto: URL.
import { type Draft, MAX_TEXT, type OpenedMessage, type SavedDraft } from '../../src/api/model.ts'
import { toast } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { hello, settings } from '../state/store.ts'
import { MAX_ENTRIES, parseTyped } from './addresses.ts'
import { type AnswerKind, recipientsOf, subjectOf } from './answer.ts'
import { htmlOf, textOf } from './html-text.ts'
import { choicesOf, fromForAnswer } from './identity.ts'
import { parseMailto } from './mailto.ts'
import { beginAnswer, beginForward, beginNew } from './quote.ts'
import { EMPTY } from './session.ts'

export interface ComposeRequest {
  readonly kind: 'new' | AnswerKind | 'forwardAttached' | 'edit'
  readonly message?: OpenedMessage
  /** What the reader marked in the message. */
  readonly selectionText?: string
  readonly mailto?: string
  /** What an answer begins with, in the place of the cursor. */
  readonly text?: string
}

export interface Start {
  readonly draft: Draft
  readonly saved?: SavedDraft
  /** Where the cursor stands in the text. */
  readonly cursor: number
  /** The field that has the focus. */
  readonly focus: 'to' | 'text'
}

/** Names that the user set for identities, by address. */
export function identityNames(): ReadonlyMap<string, string> {
  return new Map((settings.value?.identities ?? []).map(i => [i.address, i.name]))
}

/** Lines for From. */
export function fromChoices(first?: string): string[] {
  return choicesOf(hello.value?.identities ?? [], identityNames(), first)
}

/** What belongs to an identity: its signature (else the account's), Reply-To and Bcc. */
export function identityDefaults(from: string): { readonly signature: string; replyTo: string[]; bcc: string[] } {
  const address = parseTyped(from)?.address.toLowerCase()
  const own = settings.value?.identities.find(i => i.address.toLowerCase() === address)
  const list = (line: string | undefined): string[] => (line === undefined || line === '' ? [] : [line])
  return {
    signature: own?.signature ?? settings.value?.signature ?? '',
    ...{ replyTo: list(own?.replyTo), bcc: list(own?.bcc) },
  }
}

export async function begin(request: ComposeRequest): Promise<Start> {
  const { kind, message } = request
  if (kind === 'edit' && message !== undefined) {
    const saved = await call('draftOpen', { messageId: message.id })
    return { draft: saved.draft, saved, cursor: 0, focus: saved.draft.to.length === 0 ? 'to' : 'text' }
  }
  const start =
    kind === 'new' || kind === 'edit' || message === undefined
      ? beginEmpty(request.mailto)
      : withText(await beginFrom(kind, message, request.selectionText ?? ''), request.text ?? '')
  if (settings.value?.richText !== true) return start
  const html = htmlOf(start.draft.text)
  // What has no room with its formatting is written as plain text.
  return html.length > MAX_TEXT ? start : { ...start, draft: { ...start.draft, html } }
}

function withText({ draft, cursor, ...start }: Start, added: string): Start {
  const text = `${draft.text.slice(0, cursor)}${added}${draft.text.slice(cursor)}`
  return { ...start, draft: { ...draft, text }, cursor: cursor + added.length }
}

function beginEmpty(mailto: string | undefined): Start {
  const from = fromChoices()[0] ?? ''
  const { signature, replyTo, bcc } = identityDefaults(from)
  const asked = mailto === undefined ? undefined : parseMailto(mailto)
  const { text, cursor } = beginNew(signature, asked?.text)
  const { to = [], cc = [], subject = '' } = asked ?? {}
  const draft = { ...EMPTY, from, replyTo, to, cc, subject, text, bcc: [...bcc, ...(asked?.bcc ?? [])] }
  return { draft, cursor, focus: to.length === 0 ? 'to' : 'text' }
}

async function beginFrom(
  kind: AnswerKind | 'forwardAttached',
  message: OpenedMessage,
  selection: string,
): Promise<Start> {
  const identities = hello.value?.identities ?? []
  const domains = hello.value?.domains ?? []
  const found = fromForAnswer(message, identities, domains, identityNames())
  const from = found ?? fromChoices()[0] ?? ''
  const { signature, replyTo, bcc } = identityDefaults(from)
  const how = kind === 'forwardAttached' ? 'forward' : kind
  const recipients = recipientsOf(how, message, identities, domains)
  if (recipients.more === true)
    toast({ text: `The message has more recipients than a draft has room for: ${MAX_ENTRIES} of each field are taken` })
  const text = kind === 'forwardAttached' ? '' : await textOfMessage(message)
  const quoting = settings.value?.quoting ?? 'auto'
  const begun =
    kind === 'forwardAttached'
      ? beginNew(signature)
      : how === 'forward'
        ? beginForward(message, text, signature)
        : beginAnswer(message, text, { selection, quoting, signature })
  const draft: Draft = {
    ...EMPTY,
    ...{ from, replyTo, to: recipients.to, cc: recipients.cc, bcc: [...bcc, ...recipients.bcc] },
    ...{ subject: subjectOf(how, message.subject).slice(0, 998), text: begun.text },
    response: { messageId: message.id, kind: how === 'forward' ? 'forward' : 'reply' },
  }
  return { draft, cursor: begun.cursor, focus: how === 'forward' ? 'to' : 'text' }
}

/** The text of a message; HTML, which the server has made harmless, is turned into text. */
async function textOfMessage(message: OpenedMessage): Promise<string> {
  const [first] = message.texts
  if (first !== undefined && first.text.trim() !== '') return first.text
  if (message.htmlPath === '') return ''
  const response = await fetch(`msg/${message.id}/html`)
  if (!response.ok) return ''
  return textOf(new DOMParser().parseFromString(await response.text(), 'text/html').body)
}
