// @mox/plugin-extra-data: the submitter's own data for messages that come over SMTP. It stays with each recipient through queue
// and history and comes back in events. Data that cannot be taken as it is refuses the message, so that nobody waits for an
// order number that was lost on the way.
import { definePlugin, type PluginFactory, patch, type QueueDraft, refuse } from '@mox/plugin-sdk'
import type { Head } from '@mox/plugin-sdk/mail'
import { type Fields, mergeExtra, readFields } from './fields.ts'

export const extraData: PluginFactory<undefined> = definePlugin({
  name: 'extra-data',
  setup: () => {
    // A message has the same header section for each of its recipients.
    const read = new WeakMap<Head, Fields>()
    return {
      onQueue: {
        band: 'early',
        handler: ({ draft, head }) => {
          const fields = read.get(head) ?? readFields(head)
          read.set(head, fields)
          const merged = mergeExtra(fields, draft.extra)
          if (!merged.ok) return refuse(merged.problem, { code: 554, enhanced: '5.6.0' })
          return merged.extra === draft.extra ? undefined : patch<QueueDraft>({ extra: merged.extra })
        },
      },
    }
  },
})
