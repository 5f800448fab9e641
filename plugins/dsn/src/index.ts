// @mox/plugin-dsn: delivery status notifications. Senders are told of failure, delay and, where they asked, success; reports
// that come in are understood and written into the history of what they are about.
import {
  clock,
  commands,
  definePlugin,
  directory,
  hooks,
  log,
  mailboxes,
  messageNotes,
  metrics,
  type PluginFactory,
  queueControl,
  random,
  reportParser,
  storage,
  submission,
  system,
  workers,
} from '@mox/plugin-sdk'
import { dsnCommands } from './commands.ts'
import { recordFiled, successWanted, wantsSuccess } from './filed.ts'
import { candidate, dsnCandidate, readReport } from './incoming.ts'
import { options } from './options.ts'
import { readFrom } from './parse/report.ts'
import { Pending } from './pending.ts'
import { attemptMatters, recordDelayed, recordRetired, retirementMatters } from './record.ts'
import { migrations } from './schema.ts'
import { sentCounter } from './send.ts'
import { sentNotes } from './sent.ts'
import { Worker } from './worker.ts'

export { dsnCandidate } from './incoming.ts'
export type { Options as DsnOptions } from './options.ts'
export { parseReport } from './parse/report.ts'

export const dsn: PluginFactory<typeof options> = definePlugin({
  name: 'dsn',
  options,
  needs: { clock, random, log, metrics, system, storage, directory, mailboxes, submission, queueControl, hooks },
  provides: { commands, messageNotes, reportParser, workers },
  setup: ({ options, services }) => {
    const pending = new Pending(services.storage)
    const deps = { ...services, queue: services.queueControl, pending, options }
    const worker = new Worker(deps)
    sentCounter(services.metrics)
    return {
      services: {
        commands: dsnCommands,
        messageNotes: sentNotes(services.storage),
        reportParser: { parse: readFrom },
        workers: { name: 'dsn', busy: () => worker.busy() },
      },
      migrations,
      'onRetire.tx': {
        when: retirementMatters,
        handler: ({ retired }) => recordRetired(deps, retired),
      },
      onAttempt: {
        when: attemptMatters,
        handler: input => recordDelayed(deps, input),
      },
      'onReceive.data': {
        provides: [dsnCandidate, successWanted],
        // A mistake here must keep no mail out.
        onError: 'pass',
        handler: input => {
          const looks = candidate(input, services.hooks)
          if (looks !== undefined) input.facts.set(dsnCandidate, looks)
          const wanted = wantsSuccess(input)
          if (wanted.length > 0) input.facts.set(successWanted, wanted)
        },
      },
      'onReceive.done': {
        when: ({ facts }) => (facts.get(dsnCandidate) ?? facts.get(successWanted)) !== undefined,
        handler: async input => {
          const wanted = input.facts.get(successWanted)
          if (wanted !== undefined) await recordFiled(deps, input, wanted)
          const looks = input.facts.get(dsnCandidate)
          if (looks !== undefined) await readReport(deps, input, looks, input.signal)
        },
      },
      listen: () => worker.start(),
      drain: signal => worker.drain(signal),
      stop: () => worker.stop(),
    }
  },
})
