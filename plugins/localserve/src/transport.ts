// The transport of localserve: whatever the destination, the message comes back to this server, after the failures that
// magic localparts ask for. Each recipient has its own outcome.
import type { Clock, DeliveryBatch, DeliveryResult, Job, Receiver, Transport } from '@mox/plugin-sdk'
import { magicOf, stageOf } from './magic.ts'

/** The transport's name in routes and attempts. */
export const TRANSPORT = 'localserve'
/** The listener's name in sessions that the queue opens. */
export const LISTENER = 'localserve'

export function makeTransport(receiver: Receiver, clock: Clock): Transport {
  return {
    name: TRANSPORT,
    here: true,
    deliver: async (batch, { signal }) => {
      const results: DeliveryResult[] = []
      const deliverable: Job[] = []
      for (const job of batch.jobs) {
        const magic = magicOf(job.recipient.localpart)
        const stage = stageOf(job.recipient.localpart)
        if (magic === undefined || stage === 'mailfrom') deliverable.push(job)
        else {
          if (magic.kind === 'timeout') await clock.sleep(3_600_000, signal).catch(() => undefined)
          const { code, enhanced = '', text } = magic.reply
          results.push({
            id: job.id,
            outcome: code < 500 ? 'temporary' : 'permanent',
            code,
            enhanced,
            text,
            remoteHost: 'localhost',
            remoteIp: '127.0.0.1',
          })
        }
      }
      const [first, ...rest] = deliverable
      if (first === undefined) return results
      const replayed: DeliveryBatch = { ...batch, jobs: [first, ...rest] }
      return [...results, ...(await receiver.replay(replayed, { listener: LISTENER, signal }))]
    },
  }
}
