// Delivery of one message to one account, inside the unit of work of the receive stage. The hot path: nine prepared statements for
// a message that starts a thread, eight for one that answers. Over quota and an unknown account are answers; a failing database
// is an error that undoes the unit.
import { type LocalDelivery, type LocalOutcome, MailboxError, reply, type SmtpReply } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import type { Context } from './context.ts'
import { describe } from './describe.ts'
import { OVER_QUOTA } from './errors.ts'
import { flagColumns, joinWords, MESSAGE_KEYWORDS, parseWords } from './flags.ts'
import { add, createAccount } from './mailboxes.ts'
import { mailboxName } from './names.ts'
import { begin, type Operation } from './operation.ts'
import { affordableKeywords, blankRow, findThread, insertMessage, position, threadColumns } from './place.ts'
import { ruledMailbox } from './rules.ts'
import type { MailboxRow, MessageRow } from './schema.ts'

/** Domains that are kept of a message. */
const VERIFIED_DOMAINS = 20
const MAILBOX_FULL: SmtpReply = reply(452, '4.2.2', 'mailbox full')

export async function deliver(context: Context, delivery: LocalDelivery): Promise<LocalOutcome> {
  const { account, key, size } = delivery
  const info = await context.directory.account(account)
  if (info === undefined) return { ok: false, reply: reply(550, '5.1.1', 'no such account') }
  const op = (await begin(context, account)) ?? (await createAccount(context, account))
  const name = destinationName(context, delivery, op.account.rules)
  if (info.quota > 0 && op.account.used + size > info.quota) {
    const known = await context.statements.delivered.get({ account: op.account.id, key })
    await op.finish()
    return known === undefined ? { ok: false, reply: OVER_QUOTA } : { ok: true, id: known.id, duplicate: true }
  }
  try {
    const mailbox = (delivery.junk ? await op.junk() : undefined) ?? (await findOrAdd(op, name))
    return await file(op, delivery, mailbox)
  } catch (err) {
    if (!(err instanceof MailboxError)) throw err
    await op.finish()
    return { ok: false, reply: MAILBOX_FULL }
  }
}

/** A name that is not allowed means Inbox: no message is lost for a mistake in a configuration. */
function destinationName(context: Context, delivery: LocalDelivery, rules: string): string {
  const { account } = delivery
  const checked = mailboxName(ruledMailbox(rules, delivery, context.log) ?? delivery.mailbox)
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

async function file(op: Operation, delivery: LocalDelivery, mailbox: MailboxRow): Promise<LocalOutcome> {
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
    mail_from: delivery.reversePath === null ? '' : formatAddress(delivery.reversePath),
    rcpt_to: formatAddress(delivery.recipient),
    remote_ip: delivery.remoteIp,
    helo: delivery.helo,
    tls_version: delivery.tls?.version ?? '',
    verified_domains: joinWords((delivery.verifiedDomains ?? []).slice(0, VERIFIED_DOMAINS)),
  }
  if (delivery.junk) Object.assign(row, { junk: 1, notjunk: 0 })
  // What comes into a muted thread needs no attention.
  if (delivery.seen === true || row.thread_muted === 1) row.seen = 1
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
  await op.finish()
  return { ok: true, id: message.id, duplicate: false }
}
