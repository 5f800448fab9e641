// What the queue made of a submission: the unique id that it put into each recipient's reverse-path.
import type { Log, Storage } from '@mox/plugin-sdk'

/** Non-empty fromids by queue id. A recipient may have left the queue already; what cannot be read is left out. */
export async function fromIds(
  { storage, log }: { readonly storage: Storage; readonly log: Log },
  messageId: number,
  queueIds: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>()
  try {
    const [id, ...more] = queueIds
    if (id === undefined) return found
    const limit = queueIds.length
    const queued =
      more.length === 0 ? [await storage.queue.get(id)] : await storage.queue.list({ messageId }, { limit })
    const jobs = queued.filter(job => job !== undefined)
    const retired = jobs.length === limit ? [] : await storage.history.list({ messageId }, { limit })
    for (const { id, fromId } of [...jobs, ...retired]) if (fromId !== undefined && fromId !== '') found.set(id, fromId)
  } catch (err) {
    log.warn({ err, messageId }, 'the ids of a message could not be read back')
  }
  return found
}
