// @mox/plugin-fromid: unique sender addresses. Each recipient of a message gets an envelope sender of its own, so that a bounce
// says by its address alone whom it is about. When something fails while a message is queued, the submission is refused for
// now; when it fails for a report, the report is ordinary mail.
import {
  definePlugin,
  directory,
  exempt,
  log,
  optional,
  type PluginFactory,
  random,
  reportParser,
  storage,
} from '@mox/plugin-sdk'
import { Assigner } from './assign.ts'
import { problemsOf } from './check.ts'
import { options } from './options.ts'
import { isReport, Reports } from './reports.ts'

export const fromid: PluginFactory<typeof options> = definePlugin({
  name: 'fromid',
  options,
  needs: { storage, directory, random, log, parser: optional(reportParser) },
  setup: ({ options: { loginAddresses }, services }) => {
    const { directory, log } = services
    const assigner = new Assigner({ ...services, loginAddresses })
    const reports = new Reports(services)
    return {
      start: async () => {
        for (const problem of await problemsOf(directory, loginAddresses))
          log.warn({ problem }, 'a login address for unique sender addresses does nothing')
      },
      onQueue: {
        // Whoever looks at the sender sees the one that is used.
        band: 'early',
        handler: async input => await assigner.assign(input),
      },
      'onReceive.data': {
        band: 'early',
        handler: async ({ session, envelope, head }) => {
          const { reversePath, recipients } = envelope
          if (session.kind !== 'delivery' || reversePath !== null || recipients.length === 0 || !isReport(head)) return
          for (const { path } of recipients) if ((await reports.find(path)) === undefined) return
          return exempt({ categories: ['content', 'reputation'], reason: 'a report about a message that we sent' })
        },
      },
      'onDSN.match': {
        band: 'early',
        handler: async input => await reports.match(input),
      },
    }
  },
})
