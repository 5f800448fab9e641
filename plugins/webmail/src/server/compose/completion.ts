// Completing recipients from whom the user wrote to before: the mailbox for sent mail knows, whatever program sent it.
import type { Mailboxes } from '@mox/plugin-sdk'
import type { NameAddress } from '../../api/model.ts'

export const MAX_COMPLETIONS = 20
/** Sent messages that are looked at for one answer. */
const LOOKED_AT = 500

export async function completeRecipient(
  mailboxes: Mailboxes,
  account: string,
  text: string,
  signal: AbortSignal,
): Promise<{ recipients: NameAddress[]; complete: boolean }> {
  const wanted = text.trim().normalize('NFKC').toLowerCase()
  const store = await mailboxes.store(account)
  const sent = (await store.mailboxes()).find(mailbox => mailbox.specialUse.includes('sent'))
  if (sent === undefined || wanted === '') return { recipients: [], complete: true }
  const { messages, next } = await store.list({
    scope: { mailbox: sent.id },
    filter: { to: [{ text: wanted, not: false }] },
    ...{ limit: LOOKED_AT, signal },
  })
  const found = new Map<string, NameAddress>()
  for (const { to, cc, bcc } of messages)
    for (const box of [...to, ...cc, ...bcc]) {
      const key = box.address.toLowerCase()
      const known = found.get(key)
      // The newest name counts; one without is completed by an older one.
      if (known !== undefined && known.name !== '') continue
      if (`${box.name} <${box.address}>`.normalize('NFKC').toLowerCase().includes(wanted) && box.address.includes('@'))
        found.set(key, box)
    }
  const recipients = [...found.values()]
  return {
    recipients: recipients.slice(0, MAX_COMPLETIONS),
    complete: next === undefined && recipients.length <= MAX_COMPLETIONS,
  }
}
