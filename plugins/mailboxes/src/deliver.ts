// Delivery of one message to one account, inside the unit of work of the receive stage. The hot path: nine prepared statements for
// a message that starts a thread, eight for one that answers. Over quota and an unknown account are answers; a failing database
// is an error that undoes the unit.
import { type LocalDelivery, type LocalOutcome, MailboxError, reply, type SmtpReply } from '@mox/plugin-sdk'
import { author, formatAddress } from '@mox/plugin-sdk/mail'
import type { Context } from './context.ts'
import { describe } from './describe.ts'
import { OVER_QUOTA } from './errors.ts'
import { flagColumns, joinWords, MESSAGE_KEYWORDS, parseWords } from './flags.ts'
import { isKnown, isVerified } from './introbox.ts'
import { add, createAccount } from './mailboxes.ts'
import { mailboxName } from './names.ts'
import { begin, type Operation } from './operation.ts'
import { affordableKeywords, blankRow, findThread, insertMessage, position, threadColumns } from './place.ts'
import { keptCopy, removeKept } from './rejects.ts'
import { ruling } from './rules.ts'
import type { MailboxRow, MessageRow } from './schema.ts'

/** Domains that are kept of a message. */
const VERIFIED_DOMAINS = 20
const MAILBOX_FULL: SmtpReply = reply(452, '4.2.2', 'mailbox full')

export async function deliver(context: Context, delivery: LocalDelivery): Promise<LocalOutcome> {
  const { account, key, size } = delivery
  const info = await context.directory.account(account)
  if (info === undefined) return { ok: false, reply: reply(550, '5.1.1', 'no such account') }
  const op = (await begin(context, account)) ?? (await createAccount(context, account))
  if (info.quota > 0 && op.account.used + size > info.quota) {
    const known = await context.statements.delivered.get({ account: op.account.id, key })
    await op.finish()
    return known === undefined ? { ok: false, reply: OVER_QUOTA } : { ok: true, id: known.id, duplicate: true }
  }
  try {
    const place = await placeOf(op, delivery)
    const kept = delivery.rejected === true ? await keptCopy(op, place.mailbox, delivery) : undefined
    if (kept === undefined) return await file(op, delivery, place)
    await op.finish()
    return { ok: true, id: kept, duplicate: true }
  } catch (err) {
    if (!(err instanceof MailboxError)) throw err
    await op.finish()
    return { ok: false, reply: MAILBOX_FULL }
  }
}

interface Place {
  readonly mailbox: MailboxRow
  /** The mailbox it is meant for when it is put aside; else 0. */
  readonly destined: number
  readonly junk: boolean
  readonly forward: boolean
  /** Whether the domain in From is verified. */
  readonly verified: boolean
}

/** Rules decide first; then what was refused is put aside, what is junk, and what a first-time sender sent to Inbox. */
async function placeOf(op: Operation, delivery: LocalDelivery): Promise<Place> {
  const { context } = op
  const found = ruling(op.account.rules, delivery, context.log)
  const forward = found?.rule.forward === true
  const junk = delivery.junk && found?.listed !== true
  const from = author(delivery.head)
  const verified = from !== null && isVerified(delivery, from)
  const facts = { destined: 0, junk, forward, verified }
  const wanted = (name: string): string => allowedName(context, delivery.account, name)
  if (delivery.rejected === true) {
    const meant = (await op.find(wanted(found?.rule.mailbox ?? delivery.mailbox))) ?? (await op.existing('Inbox'))
    const mailbox = await findOrAdd(op, wanted(found?.rule.acceptRejects ?? context.rejectsMailbox))
    return { ...facts, mailbox, destined: mailbox === meant ? 0 : meant.id }
  }
  const junkMailbox = junk ? await op.junk() : undefined
  if (junkMailbox !== undefined) return { ...facts, mailbox: junkMailbox }
  // A rule for what was judged junk holds only where the message is let through.
  const mailbox = await findOrAdd(op, wanted((junk ? undefined : found?.rule.mailbox) ?? delivery.mailbox))
  const asked = op.account.introbox_id > 0 && mailbox.name === 'Inbox' && !forward && found?.listed !== true && !junk
  if (!asked || isOwnReport(delivery)) return { ...facts, mailbox }
  const known = from !== null && (await isKnown(op, mailbox, { from, address: formatAddress(from), verified }))
  return known
    ? { ...facts, mailbox }
    : { ...facts, mailbox: await op.byId(op.account.introbox_id), destined: mailbox.id }
}

/** What became of mail of this account, as this machine itself writes it. */
function isOwnReport({ reversePath, remoteIp }: LocalDelivery): boolean {
  return reversePath === null && (remoteIp === '127.0.0.1' || remoteIp === '::1')
}

/** A name that is not allowed means Inbox: no message is lost for a mistake in a configuration. */
function allowedName(context: Context, account: string, name: string): string {
  const checked = mailboxName(name)
  if (checked.ok) return checked.name
  context.log.warn({ account, reason: checked.error }, 'mailbox to deliver to is not allowed, using Inbox')
  return 'Inbox'
}

async function findOrAdd(op: Operation, name: string): Promise<MailboxRow> {
  const mailbox = await op.find(name)
  if (mailbox !== undefined) return mailbox
  try {
    return await add(op, name, [])
  } catch (err) {
    // One mailbox too many.
    if (!(err instanceof MailboxError)) throw err
    return await op.existing('Inbox')
  }
}

async function file(op: Operation, delivery: LocalDelivery, place: Place): Promise<LocalOutcome> {
  const { mailbox } = place
  const { columns, thread } = describe(delivery.head)
  const found = await findThread(op, thread, mailbox.id, delivery.receivedAt)
  const words = parseWords(delivery.keywords)
  const row: Omit<MessageRow, 'id'> = {
    ...blankRow(op, mailbox),
    ...columns,
    ...threadColumns(found),
    ...flagColumns(Object.fromEntries(words.flags.map(flag => [flag, true]))),
    keywords: affordableKeywords(mailbox, joinWords(words.keywords.slice(0, MESSAGE_KEYWORDS))),
    delivery_key: delivery.key,
    message_id: delivery.messageId,
    content_id: delivery.contentId,
    prefix: delivery.prefix,
    size: delivery.size,
    received_at: delivery.receivedAt,
    destined_mailbox_id: place.destined,
    is_reject: delivery.rejected === true ? 1 : 0,
    is_forward: place.forward ? 1 : 0,
    from_verified: place.verified ? 1 : 0,
    mail_from: delivery.reversePath === null ? '' : formatAddress(delivery.reversePath),
    rcpt_to: formatAddress(delivery.recipient),
    // Where forwarded mail came from says nothing about its sender.
    remote_ip: place.forward ? '' : delivery.remoteIp,
    helo: place.forward ? '' : delivery.helo,
    tls_version: delivery.tls?.version ?? '',
    verified_domains: joinWords((delivery.verifiedDomains ?? []).slice(0, VERIFIED_DOMAINS)),
  }
  if (place.junk) Object.assign(row, { junk: 1, notjunk: 0 })
  // What comes into a muted thread needs no attention, nor what was refused.
  if (delivery.seen === true || delivery.rejected === true || row.thread_muted === 1) row.seen = 1
  position(op, mailbox, row)
  const message = await insertMessage(op, mailbox, row, delivery.head)
  if (message === undefined) {
    const known = await op.context.statements.delivered.get({ account: op.account.id, key: delivery.key })
    if (known === undefined) throw new Error('delivery key conflicts with no message')
    await op.finish()
    return { ok: true, id: known.id, duplicate: true }
  }
  op.account.used += delivery.size
  await op.context.storage.content.retain(delivery.contentId)
  if (delivery.rejected !== true && found.refused.length > 0) await removeKept(op, found.refused)
  await op.finish()
  return { ok: true, id: message.id, duplicate: false }
}
