// @mox/plugin-suppression: recipients that are not sent mail, since their servers said that they do not exist, they called a
// message spam, or somebody put them on the list. Asked at each attempt; a message to one of them is accepted and then fails,
// so that the sender is told. When the list cannot be read, the attempt is postponed.
import {
  clock,
  commands,
  definePlugin,
  directory,
  fail,
  log,
  metrics,
  type PluginFactory,
  type Suppressions,
  storage,
  suppressions,
} from '@mox/plugin-sdk'
import { deleteInPortions } from '@mox/plugin-sdk/io'
import { pathToString } from '@mox/plugin-sdk/mail'
import { Audit } from './audit.ts'
import { entryCommands } from './commands/entries.ts'
import { fileCommands } from './commands/files.ts'
import { Learner } from './learn.ts'
import { SuppressionList } from './list.ts'
import { options, rulesOf } from './options.ts'
import { ENTRY, migrations, STREAK } from './schema.ts'
import { Streaks } from './streaks.ts'
import { Upkeep } from './upkeep.ts'

export const suppression: PluginFactory<typeof options> = definePlugin({
  name: 'suppression',
  options,
  needs: { storage, directory, clock, log, metrics },
  provides: { suppressions, commands },
  setup: ({ options, services }) => {
    const { storage, directory, clock, log } = services
    const added = services.metrics.counter(
      'mox_suppression_added_total',
      'Recipients put on the list automatically, by cause.',
    )
    const audit = new Audit(storage)
    const list = new SuppressionList(storage, clock, audit, rulesOf(options.domains))
    const streaks = new Streaks(storage)
    const { expireDays } = options
    const learner = new Learner({ storage, clock, list, streaks, expireDays, added: cause => added.inc({ cause }) })
    const upkeep = new Upkeep({ storage, clock, log, list, streaks, audit })
    const context = { list, audit, storage, directory, clock }
    const service: Suppressions = {
      check: (account, stream, recipient) => list.check(account, stream, recipient),
      add: (entry, by) => list.add(entry, by),
      remove: (account, stream, address, by) => list.remove(account, stream, address, by),
      list: (filter, page) => list.list(filter, page),
      causedBy: queueId => list.causedBy(queueId),
      learn: async report => {
        if (options.automatic) await learner.reported(report)
      },
    }
    return {
      services: { suppressions: service, commands: [...entryCommands(context), ...fileCommands(context)] },
      migrations,
      start: () => upkeep.start(),
      stop: () => upkeep.stop(),
      'onAccount.remove': async ({ account }) => {
        await deleteInPortions(storage.db, ENTRY, 'id', { account })
        await deleteInPortions(storage.db, STREAK, 'base', { account })
      },
      beforeDeliver: {
        band: 'early',
        handler: async ({ job }) => {
          const entry = await list.check(job.account, job.stream ?? '', job.recipient)
          if (entry === undefined) return undefined
          const recipient = pathToString(job.recipient)
          const since = new Date(entry.createdAt).toISOString().slice(0, 10)
          return fail(`${recipient} is on the suppression list since ${since} (${entry.cause}): ${entry.reason}`, {
            status: 'suppressed',
            reason: `entry ${entry.id} for ${entry.address}`,
          })
        },
      },
      ...(options.automatic
        ? {
            'onRetire.tx': input => learner.retired(input),
            'onDSN.done': async input => await learner.reported(input),
          }
        : {}),
    }
  },
})
