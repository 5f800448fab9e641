// @mox/plugin-mailboxes: the message store. Provides mailboxes@1 on the shared database and the commands to look into it.
import {
  clock,
  commands,
  definePlugin,
  directory,
  log,
  mailboxes as mailboxesToken,
  metrics,
  type PluginFactory,
  storage,
} from '@mox/plugin-sdk'
import { archiveCommands } from './archive-commands.ts'
import { mailboxCommands } from './commands.ts'
import type { Context } from './context.ts'
import { Feed } from './feed.ts'
import { Housekeeping } from './housekeeping.ts'
import { Indexer } from './indexer.ts'
import { junkFlags } from './junk-flags.ts'
import { options } from './options.ts'
import { leaveStore } from './removal.ts'
import { ruleCommands } from './rule-commands.ts'
import { migrations } from './schema.ts'
import { MailboxesService } from './service.ts'
import { prepare, type Statements } from './statements.ts'

export type { MailboxesOptions } from './options.ts'
export { verifyAfterEach } from './testing.ts'

export const mailboxes: PluginFactory<typeof options> = definePlugin({
  name: 'mailboxes',
  options,
  needs: { storage, directory, clock, log, metrics },
  provides: { mailboxes: mailboxesToken, commands },
  setup: ({ options, services }) => {
    const counter = services.metrics.counter('mox_mailboxes_deliveries_total', 'Local deliveries by result.')
    const housekeeping = new Housekeeping()
    let statements: Statements | undefined
    const context: Context = {
      ...services,
      feed: new Feed(services.log),
      get statements() {
        statements ??= prepare(services.storage)
        return statements
      },
      indexer: new Indexer(services),
      rejectsMailbox: options.rejectsMailbox,
      junkFlags: junkFlags(options.junkFlags),
      initialMailboxes: options.initialMailboxes,
      eraseSoon: ids => housekeeping.eraseSoon(ids),
    }
    const service = new MailboxesService(context, result => counter.inc({ result }))
    return {
      services: {
        mailboxes: service,
        commands: [...mailboxCommands(service), ...archiveCommands(service), ...ruleCommands(service)],
      },
      migrations,
      'onAccount.remove': async ({ account }) => {
        await leaveStore(context, account)
        services.storage.afterCommit(() => housekeeping.roundSoon())
      },
      start: () => {
        housekeeping.start(context, options)
        context.indexer.start()
      },
      stop: async () => {
        await context.indexer.stop()
        await housekeeping.stop()
      },
    }
  },
})
