// The copy of a sent message in the mailbox for sent mail, with the Bcc that nobody else sees. The message is queued by
// then: a failure is a warning.
import { type Log, MailboxError, type Mailboxes } from '@mox/plugin-sdk'
import { type ComposeDraft, formatMailbox, type Mailbox } from '@mox/plugin-sdk/compose'
import { formatField } from '@mox/plugin-sdk/mail'

export interface SentMessage {
  readonly account: { readonly name: string }
  readonly draft: Pick<ComposeDraft, 'smtputf8'>
  readonly bcc: readonly Mailbox[]
  readonly message: { readonly content: Buffer }
}

export async function saveSent(
  { mailboxes, log }: { readonly mailboxes: Mailboxes | undefined; readonly log: Log },
  { account, draft, bcc, message }: SentMessage,
  messageId: number,
  warnings: string[],
): Promise<void> {
  if (mailboxes === undefined) return void warnings.push('no copy was kept: there are no mailboxes here')
  try {
    const store = await mailboxes.store(account.name)
    const sent = (await store.mailboxes()).find(mailbox => mailbox.specialUse.includes('sent'))
    if (sent === undefined) return void warnings.push('no copy was kept: the account has no mailbox for sent mail')
    const hidden = bcc.map(box => formatMailbox(box, draft.smtputf8)).join(', ')
    const content =
      bcc.length === 0 ? message.content : Buffer.concat([Buffer.from(formatField('Bcc', hidden)), message.content])
    await store.append({ mailbox: sent.name, content, flags: { seen: true, notjunk: true }, messageId })
  } catch (err) {
    if (err instanceof MailboxError && err.problem === 'quota')
      return void warnings.push('no copy was kept: the account is over its quota')
    log.warn({ err, messageId, account: account.name }, 'a sent message could not be stored in the Sent mailbox')
    warnings.push('no copy was kept: the mailbox for sent mail could not be written')
  }
}
