// @mox/plugin-events: the event log. Outcomes are written in the unit of work in which a recipient leaves the queue; what is
// learnt later (delays, reports, incoming mail) is written once, however often the hook is repeated.
import {
  clock,
  commands,
  definePlugin,
  directory,
  events as eventsToken,
  log,
  mailboxes,
  optional,
  type PluginFactory,
  random,
  storage,
  suppressions,
  workers,
} from '@mox/plugin-sdk'
import { deleteInPortions } from '@mox/plugin-sdk/io'
import { eventCommands } from './commands.ts'
import { Housekeeping } from './housekeeping.ts'
import { Incoming } from './incoming.ts'
import { EventLog } from './log.ts'
import { options } from './options.ts'
import { delayedEvent, reportEvent, retiredEvent } from './outgoing.ts'
import { COUNT, LOG, migrations, REPORT } from './schema.ts'

export const events: PluginFactory<typeof options> = definePlugin({
  name: 'events',
  options,
  needs: {
    ...{ storage, clock, random, log },
    mailboxes: optional(mailboxes),
    directory: optional(directory),
    suppressions: optional(suppressions),
  },
  provides: { events: eventsToken, commands, workers },
  setup: ({ options, services }) => {
    const eventLog = new EventLog(services)
    const housekeeping = new Housekeeping(services, options.days)
    const { mailboxes, directory } = services
    const incoming =
      mailboxes === undefined || directory === undefined
        ? undefined
        : new Incoming({ ...services, mailboxes, directory }, eventLog)
    const causedBy = async (queueId: number): Promise<boolean> =>
      (await services.suppressions?.causedBy(queueId)) ?? false
    return {
      services: {
        ...{ events: eventLog, commands: eventCommands(eventLog) },
        workers: incoming === undefined ? [] : [incoming],
      },
      migrations,
      'onRetire.tx': {
        after: ['?suppression'],
        handler: async ({ retired }) => {
          if (retired.account === '') return
          await eventLog.add(retiredEvent(retired, retired.status === 'failed' && (await causedBy(retired.id))))
        },
      },
      onAttempt: async input => {
        if (input.final || input.account === '') return
        await eventLog.add(await delayedEvent(services.storage, input, input.eventId ?? ''))
      },
      'onDSN.done': async input => {
        // Its own handler may come later: the event says what the list makes of the report.
        await services.suppressions?.learn(input)
        const suppressing = await causedBy(input.queueId)
        const event = await reportEvent(services.storage, input, suppressing, input.eventId ?? '')
        await services.storage.write(async () => {
          await incoming?.isReport(input.reportId, input.account)
          if (event !== undefined) await eventLog.add(event)
        })
      },
      ...(incoming === undefined ? {} : { 'onReceive.done': input => incoming.received(input) }),
      'onAccount.remove': async ({ account }) => {
        const { db } = services.storage
        await deleteInPortions(db, LOG, 'id', { account })
        for (const table of [COUNT, REPORT]) await db(table).where({ account }).delete()
      },
      start: () => {
        housekeeping.start()
        incoming?.start()
      },
      stop: async () => {
        await incoming?.stop()
        await housekeeping.stop()
        eventLog.stop()
      },
    }
  },
})
