// @mox/plugin-hold-rules: messages that match a rule wait in the queue until an operator lets them go. When the rules cannot
// be read, the submission is refused for now: nothing that should have been held slips through.
import { clock, commands, definePlugin, directory, hold, type PluginFactory, storage } from '@mox/plugin-sdk'
import { holdCommands } from './commands.ts'
import { matches, prepare, reasonOf } from './rule.ts'
import { heldBy, Rules } from './rules.ts'
import { migrations } from './schema.ts'

export const holdRules: PluginFactory<undefined> = definePlugin({
  name: 'hold-rules',
  needs: { storage, directory, clock },
  provides: { commands },
  setup: ({ services }) => {
    const rules = new Rules(services)
    return {
      services: { commands: holdCommands(rules, services.directory) },
      migrations,
      onQueue: {
        // Sees the sender and recipient as they will be queued.
        band: 'late',
        provides: [heldBy],
        handler: async ({ draft, facts }) => {
          const all = await rules.all()
          if (all.length === 0) return undefined
          const prepared = await prepare(services.directory, draft)
          const found = all.filter(rule => matches(rule, prepared))
          if (found.length === 0) return undefined
          const ids = new Set([...(facts.get(heldBy) ?? []), ...found.map(rule => rule.id)])
          facts.set(heldBy, [...ids])
          return hold(found.map(reasonOf).join('; ').slice(0, 1_000))
        },
      },
    }
  },
})
