// Whom an answer goes to, and its subject.
import type { Identity, NameAddress, OpenedMessage } from '../../src/api/model.ts'
import { isForward } from '../../src/api/subject.ts'
import { formatTyped, MAX_ENTRIES, sameAddress } from './addresses.ts'
import { type Domains, isOwn } from './identity.ts'

export type AnswerKind = 'reply' | 'replyAll' | 'replyList' | 'forward'

export interface Recipients {
  readonly to: string[]
  readonly cc: string[]
  readonly bcc: string[]
  /** There are more than a draft has room for. */
  readonly more?: boolean
}

export function recipientsOf(
  kind: AnswerKind,
  message: Pick<OpenedMessage, 'from' | 'replyTo' | 'to' | 'cc' | 'bcc' | 'listAddress'>,
  identities: readonly Identity[],
  domains: Domains,
): Recipients {
  if (kind === 'forward') return { to: [], cc: [], bcc: [] }
  if (kind === 'replyList' && message.listAddress !== '') return { to: [message.listAddress], cc: [], bcc: [] }
  const own = (box: NameAddress): boolean => isOwn(box.address, identities, domains)
  // What one wrote oneself is answered to whom one wrote.
  const mine = message.from.length > 0 && message.from.every(own)
  const authors = mine ? message.to : message.replyTo.length > 0 ? message.replyTo : message.from
  const taken: string[] = []
  const take = (boxes: readonly NameAddress[], keepOwn: boolean): string[] =>
    boxes.flatMap(box => {
      if (box.address === '' || taken.some(t => sameAddress(t, box.address)) || (!keepOwn && own(box))) return []
      taken.push(box.address)
      return [formatTyped(box)]
    })
  const to = take(authors, true)
  if (kind !== 'replyAll') return { to, cc: [], bcc: [] }
  const all = { to: [...to, ...take(message.to, false)], cc: take(message.cc, false), bcc: take(message.bcc, false) }
  // What is read of a message has this bound too.
  const more = [all.to, message.to, message.cc, message.bcc].some(
    (list, n) => list.length >= MAX_ENTRIES + (n === 0 ? 1 : 0),
  )
  return { ...all, to: all.to.slice(0, MAX_ENTRIES), ...(more && { more }) }
}

export function subjectOf(kind: AnswerKind, subject: string): string {
  if (kind === 'forward') return isForward(subject) ? subject : `Fwd: ${subject}`
  return /^\s*re:/i.test(subject) ? subject : `Re: ${subject}`
}
