// mox outbox …: work that plugins do after a commit, and what of it was given up.
import { type Command, UsageError } from '@mox/plugin-sdk'
import { type CommandDeps, formatTime, parseId } from './deps.ts'

export function outboxCommands(deps: CommandDeps): readonly Command[] {
  return [
    {
      path: ['outbox', 'list'],
      summary: 'events that plugins still have to handle',
      flags: [{ name: 'dead', type: 'boolean', help: 'only those that were given up' }],
      offline: true,
      run: async ({ flags, limit }) => {
        const dead = flags.get('dead')
        const found = await deps.storage.outbox.list({ ...(dead === true ? { dead } : {}), limit: limit + 1 })
        const rows = found.slice(0, limit).map(row => ({
          id: row.id,
          hook: row.hook,
          plugin: row.subscriber,
          created: formatTime(row.createdAt),
          attempts: row.attempts,
          next: row.dead ? 'dead' : formatTime(row.due),
          error: row.lastError ?? '',
        }))
        const columns = ['id', 'hook', 'plugin', 'created', 'attempts', 'next', 'error']
        return { kind: 'rows', columns, rows, more: found.length > limit }
      },
    },
    {
      path: ['outbox', 'retry'],
      summary: 'hand dead events to their plugins again',
      arguments: [{ name: 'ID', help: 'ids that `mox outbox list --dead` shows, or "all"', rest: true }],
      offline: true,
      run: async ({ arguments: ids }) => {
        if (ids.includes('all') && ids.length > 1) throw new UsageError('give ids, or "all" alone')
        const which = ids[0] === 'all' ? 'all' : ids.map(id => parseId(id, 'id of the outbox'))
        const revived = await deps.storage.write(async () => {
          deps.storage.notify('outbox')
          return await deps.storage.outbox.revive(which, deps.now())
        })
        return { kind: 'text', text: `${revived} ${revived === 1 ? 'event' : 'events'} will be tried again` }
      },
    },
  ]
}
