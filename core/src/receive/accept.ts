// The decision at the end of DATA: limits, loops, who the author is, then onReceive.data, then what onReceive.head changes,
// then storage. Cheap checks come first; nothing is stored before all of them have passed.
import { MailError, type ReceiveData, type SmtpReply } from '@mox/plugin-sdk'
import { author, type Head, type IngressResult, type Path, parseHeader } from '@mox/plugin-sdk/mail'
import type { StageDeps } from '../stages.ts'
import { admitIdentity } from './admit.ts'
import { failureReply } from './failure.ts'
import { type Shaped, shapeHead } from './head.ts'
import { MAX_RECEIVED, REPLIES, UNKNOWN_DELAY_MS } from './replies.ts'
import { store } from './store.ts'
import { type Acceptance, refused, type Transaction } from './transaction.ts'

/** What the stage needs to know of a message's bytes. */
export type Measured = Pick<IngressResult, 'size' | 'has8bit' | 'headHas8bit' | 'headBytes' | 'headComplete'>

/** A complete message, not yet stored. */
export interface Body {
  readonly ingress: Measured
  /** Fields in front of the content, of handlers and of an earlier hop on this machine; part of what `ingress` measured. */
  readonly earlier: Buffer | undefined
  open(): AsyncIterable<Buffer>
  /** SHA-256 of all of it. */
  hash(): Promise<Buffer>
  /** Inside the unit of work: the content's id, with a reference for the message. */
  keep(): Promise<number>
  /** Inside the unit of work, once the copies are filed: stores what belongs to them. `answer`: what the peer will be told. */
  filed?(outcomes: readonly SmtpReply[], answer: SmtpReply): Promise<void>
}

/** How the message is filed. */
export interface Filing {
  readonly keywords: readonly string[]
  readonly junk: boolean
}

/** What was decided on; goes into storage as a whole. */
export interface Message {
  readonly transaction: Transaction
  readonly body: Body
  readonly head: Head
  readonly author: Path | null
  readonly filing: Filing
}

export async function accept(deps: StageDeps, transaction: Transaction, body: Body): Promise<Acceptance> {
  try {
    const head = parseHeader(body.ingress.headBytes)
    const from = author(head)
    const refusal = refuseLoop(head) ?? (await refuseAuthor(deps, transaction, body.ingress, from))
    if (refusal !== undefined) return refused(transaction, refusal)
    if (transaction.accepted.every(({ resolution }) => resolution.kind === 'unknown')) {
      if (!transaction.replay) await deps.clock.sleep(UNKNOWN_DELAY_MS, transaction.scope.signal)
      return refused(transaction, REPLIES.unknown)
    }
    const filing = await decide(deps, transaction, body, head)
    if ('code' in filing) return refused(transaction, filing)
    const shaped = await shapeHead(deps, transaction, body, head)
    if ('code' in shaped) return refused(transaction, shaped)
    try {
      if (shaped.head === head) return await store(deps, { transaction, body, head, author: from, filing })
      return await acceptShaped(deps, transaction, shaped, filing)
    } finally {
      await shaped.writer?.abort()
    }
  } catch (error) {
    const stage = error instanceof MailError ? error.part : 'data'
    return refused(transaction, failureReply(deps, { session: transaction.info.id, stage }, error))
  }
}

/** A changed header section is not trusted more than one that came in. */
async function acceptShaped(
  deps: StageDeps,
  transaction: Transaction,
  { body, head }: Shaped,
  filing: Filing,
): Promise<Acceptance> {
  const from = author(head)
  const refusal = refuseLoop(head) ?? (await refuseAuthor(deps, transaction, body.ingress, from))
  if (refusal !== undefined) return refused(transaction, refusal)
  return await store(deps, { transaction, body, head, author: from, filing })
}

/** RFC 5321 §6.3. */
function refuseLoop(head: Head): SmtpReply | undefined {
  return head.count('received') > MAX_RECEIVED ? REPLIES.loop : undefined
}

/** RFC 6409 §6.1, §8: a submission is complete and its author is one of the account's addresses. */
async function refuseAuthor(
  deps: StageDeps,
  { info }: Transaction,
  ingress: Measured,
  from: Path | null,
): Promise<SmtpReply | undefined> {
  if (info.kind === 'delivery') return undefined
  if (!ingress.headComplete) return REPLIES.noSeparator
  if (from === null) return REPLIES.noAuthor
  if (info.account === undefined) return REPLIES.needAuth
  return admitIdentity(deps, info.account, from, REPLIES.notYourAuthor)
}

async function decide(deps: StageDeps, transaction: Transaction, body: Body, head: Head): Promise<Filing | SmtpReply> {
  if (!deps.hooks.has('onReceive.data')) return { keywords: [], junk: false }
  const input: ReceiveData = {
    session: transaction.info,
    envelope: transaction.envelope(),
    head,
    size: body.ingress.size,
    has8bit: body.ingress.has8bit,
    hash: await body.hash(),
    content: () => body.open(),
  }
  const verdict = await deps.hooks.decide('onReceive.data', input, transaction.scope)
  // Tags survive a stronger verdict that accepts the message too.
  const keywords = verdict.keywords ?? []
  switch (verdict.kind) {
    case 'defer':
    case 'reject':
      return verdict.reply
    case 'quarantine':
      return { keywords, junk: true }
    case 'tag':
    case 'pass':
    case 'exempt':
      return { keywords, junk: false }
  }
}
