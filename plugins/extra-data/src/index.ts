// @mox/plugin-extra-data: the submitter's own data for messages that come over SMTP. It stays with each recipient through queue
// and history and comes back in events. Data that cannot be taken as it is refuses the message, so that nobody waits for an
// order number that was lost on the way.
import {
  defineFact,
  definePlugin,
  type HeadDraft,
  type PluginFactory,
  patch,
  type QueueDraft,
  refuse,
  reject,
} from '@mox/plugin-sdk'
import { parseHeader } from '@mox/plugin-sdk/mail'
import { mergeExtra, type Pairs, readFields, withoutFields } from './fields.ts'
import { options } from './options.ts'

const REFUSAL = { code: 554, enhanced: '5.6.0' }
/** What the fields said, for each recipient. They may be gone by then. */
const given = defineFact<Pairs>('extra-data')

export const extraData: PluginFactory<typeof options> = definePlugin({
  name: 'extra-data',
  options,
  setup: ({ options: { strip } }) => ({
    'onReceive.head': {
      // Before whoever signs.
      band: 'early',
      provides: [given],
      handler: ({ draft, session, facts }) => {
        if (session.kind !== 'submission') return
        const head = parseHeader(draft.head)
        const fields = readFields(head, draft.head)
        if (!fields.ok) return reject(fields.problem, REFUSAL)
        facts.set(given, fields.pairs)
        return strip ? patch<HeadDraft>({ head: withoutFields(head, draft.head) }) : undefined
      },
    },
    onQueue: {
      band: 'early',
      uses: [given],
      handler: ({ draft, facts }) => {
        const merged = mergeExtra(facts.get(given) ?? new Map(), draft.extra)
        if (!merged.ok) return refuse(merged.problem, REFUSAL)
        return merged.extra === draft.extra ? undefined : patch<QueueDraft>({ extra: merged.extra })
      },
    },
  }),
})
