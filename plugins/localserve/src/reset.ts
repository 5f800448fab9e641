// Forgets every message, so that a test begins with nothing: what is queued, the history, all mailboxes, suppressions, and
// what the simulation remembers. The clock stays where it is, since time does not go back; so do events, which are a log.
import type { Directory, Mailboxes, QueueControl, Storage, Suppressions } from '@mox/plugin-sdk'
import type { Greylist } from './greylist.ts'
import type { LaterReports } from './later.ts'
import type { Scenarios } from './scenario/scenarios.ts'

export type Reset = () => Promise<void>

/** Rows per unit of work. */
const BATCH = 500

export interface ResetDeps {
  readonly storage: Storage
  readonly queueControl: QueueControl
  readonly mailboxes: Mailboxes
  readonly directory: Directory
  readonly suppressions: Suppressions | undefined
  readonly greylist: Greylist
  readonly scenarios: Scenarios
  readonly later: LaterReports
}

export function makeReset(deps: ResetDeps): Reset {
  const { storage } = deps
  return async () => {
    deps.greylist.reset()
    deps.scenarios.reset()
    await deps.later.reset()
    await deps.queueControl.end({}, 'cancelled', 'everything was reset')
    for (const { name } of await deps.directory.accounts()) await emptyMailboxes(deps.mailboxes, name)
    await emptySuppressions(deps.suppressions)
    await repeat(() => storage.write(() => storage.history.purge(Number.MAX_SAFE_INTEGER, BATCH)))
    await repeat(() => storage.write(() => storage.messages.purge(Number.MAX_SAFE_INTEGER, BATCH)))
    await storage.write(async () => storage.notify('messages'))
  }
}

async function emptyMailboxes(mailboxes: Mailboxes, account: string): Promise<void> {
  const store = await mailboxes.store(account)
  for (const { id } of await store.mailboxes())
    for (;;) {
      const found = await store.messages(id, { limit: BATCH })
      if (found.length === 0) break
      await store.expunge(found.map(message => message.id))
    }
}

async function emptySuppressions(list: Suppressions | undefined): Promise<void> {
  if (list === undefined) return
  for (let after = 0; ; ) {
    const found = await list.list({}, { limit: BATCH, after })
    for (const { account, stream, address } of found) await list.remove(account, stream, address, 'localserve')
    if (found.length < BATCH) return
    after = found.at(-1)?.id ?? after
  }
}

async function repeat(work: () => Promise<number>): Promise<void> {
  while ((await work()) === BATCH);
}
