// The message that is answered or forwarded: what the new one says of it, and what becomes of it when that was sent.
import type { Mailboxes, MailboxMessage, MailStore } from '@mox/plugin-sdk'
import { HEADER_BYTES, type Head, parseHeader } from '@mox/plugin-sdk/mail'
import type { Draft } from '../../api/model.ts'

/** Message-IDs of References that are carried on: the first, and the last ones. */
export const MAX_REFERENCES = 50

type Response = NonNullable<Draft['response']>

/** Undefined when it is gone, or of somebody else. */
export async function originalOf(
  mailboxes: Mailboxes,
  account: string,
  response: Response | null,
): Promise<MailboxMessage | undefined> {
  if (response === null) return undefined
  const message = await mailboxes.message(response.messageId)
  return message?.account === account ? message : undefined
}

export async function headOf(mailboxes: Mailboxes, id: number): Promise<Head> {
  const parts: Buffer[] = []
  let octets = 0
  for await (const part of await mailboxes.open(id)) {
    parts.push(part)
    octets += part.length
    if (octets >= HEADER_BYTES) break
  }
  return parseHeader(Buffer.concat(parts).subarray(0, HEADER_BYTES))
}

/** RFC 5322 §3.6.4; with angle brackets, the one that is answered last. */
export async function referencesTo(mailboxes: Mailboxes, original: MailboxMessage): Promise<string[]> {
  const head = await headOf(mailboxes, original.id)
  const [own] = messageIds(head.get('message-id'))
  const given = messageIds(head.get('references') ?? head.get('in-reply-to')).filter(id => id !== own)
  const all = own === undefined ? given : [...given, own]
  const kept = all.length > MAX_REFERENCES ? [...all.slice(0, 1), ...all.slice(1 - MAX_REFERENCES)] : all
  return kept
}

/** As written: others may compare them with regard to case. */
function messageIds(value: string | undefined): string[] {
  const found = (value ?? '').slice(0, HEADER_BYTES).match(/<[\x21-\x3b\x3d\x3f-\x7e]{1,990}>/g) ?? []
  return [...new Set(found)]
}

/** Flags that an answer sets, without those that are set; and nobody answers junk. */
export async function markAnswered(
  store: MailStore,
  original: MailboxMessage,
  kind: Response['kind'],
): Promise<string[]> {
  const { flags } = original
  const set = kind === 'reply' ? (['answered'] as const) : (['forwarded'] as const)
  const changed = [...set.filter(flag => !flags[flag]), ...(flags.junk || flags.notjunk ? [] : (['notjunk'] as const))]
  if (changed.length > 0)
    await store.setFlags([original.id], { set: Object.fromEntries(changed.map(flag => [flag, true])) })
  return changed
}
