// From a batch of the queue to messages for the client. Recipients that ask for different treatment by TLS are apart.
import type { DeliveryBatch, Job } from '@mox/plugin-sdk'
import type { ClientMessage, ClientRecipient } from './client/types.ts'

export type Jobs = readonly [Job, ...Job[]]

/** The jobs by their wish for TLS. */
export function byRequireTls(jobs: readonly Job[]): Jobs[] {
  const groups = new Map<boolean | undefined, [Job, ...Job[]]>()
  for (const job of jobs) {
    const group = groups.get(job.requireTls)
    if (group === undefined) groups.set(job.requireTls, [job])
    else group.push(job)
  }
  return [...groups.values()]
}

export function messageFor(batch: DeliveryBatch, jobs: Jobs): ClientMessage {
  const [first, ...rest] = jobs
  const { reversePath, size, has8bit, ret, envid } = batch.message
  const paths = [reversePath, ...jobs.map(job => job.recipient)]
  return {
    reversePath,
    recipients: [recipientOf(first), ...rest.map(recipientOf)],
    ...{ size, has8bit },
    // RFC 6531 §3.4: an address may need it although the message was not submitted with it.
    smtputf8: batch.message.smtputf8 || paths.some(path => path !== null && /[^\x00-\x7f]/.test(path.localpart)),
    requireTls: first.requireTls === true,
    ...(ret === undefined ? {} : { ret }),
    ...(envid === undefined ? {} : { envid }),
    open: () => batch.open(),
  }
}

function recipientOf({ id, recipient: path, notify, orcpt }: Job): ClientRecipient {
  return { id, path, ...(notify === undefined ? {} : { notify }), ...(orcpt === undefined ? {} : { orcpt }) }
}
