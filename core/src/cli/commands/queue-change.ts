// mox queue hold, unhold, schedule, fail, drop: an operator's decisions about recipients in the queue. Each needs a
// filter, or --all said in full, so that a forgotten flag does not touch the whole queue.
import { type Command, type CommandFlag, type CommandInput, type QueueFilter, UsageError } from '@mox/plugin-sdk'
import type { CommandDeps } from './deps.ts'
import { FILTERS, filterOf } from './filters.ts'

const ALL: CommandFlag = { name: 'all', type: 'boolean', help: 'every recipient in the queue' }
/** Seconds that an attempt can be put off: a year. */
export const SCHEDULE_LIMIT = 31_536_000

export function queueChangeCommands(deps: CommandDeps): readonly Command[] {
  const set = async (filter: QueueFilter, fields: { hold?: boolean; due?: number }): Promise<number> =>
    await deps.storage.write(async () => {
      deps.storage.notify('queue')
      return await deps.storage.queue.set(filter, fields)
    })
  return [
    change('hold', 'make no attempts until unhold', [], true, filter => set(filter, { hold: true })),
    change('unhold', 'let attempts be made again', [], true, filter => set(filter, { hold: false })),
    change(
      'schedule',
      'set when the next attempt is made; now when --in is not given',
      [{ name: 'in', type: 'number', help: `seconds from now, at most ${SCHEDULE_LIMIT}` }],
      true,
      (filter, { flags }) => set(filter, { due: deps.now() + secondsOf(flags.get('in') ?? 0) * 1000 }),
    ),
    change('fail', 'give up; the senders are told', [], false, filter =>
      deps.queue.end(filter, 'failed', 'delivery ended by an administrator'),
    ),
    change('drop', 'take out of the queue; nobody is told', [], false, filter =>
      deps.queue.end(filter, 'cancelled', 'dropped by an administrator'),
    ),
  ]
}

function secondsOf(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= SCHEDULE_LIMIT) return value
  throw new UsageError(`--in ${String(value)} must be a number of seconds from 0 to ${SCHEDULE_LIMIT}`)
}

function change(
  verb: string,
  summary: string,
  flags: readonly CommandFlag[],
  offline: boolean,
  work: (filter: QueueFilter, input: CommandInput) => Promise<number>,
): Command {
  return {
    path: ['queue', verb],
    summary: `for the chosen recipients: ${summary}`,
    flags: [...FILTERS, ALL, ...flags],
    offline,
    run: async input => {
      const filter = filterOf(input)
      const all = input.flags.get('all') === true
      if (all === Object.keys(filter).length > 0)
        throw new UsageError(`choose recipients with ${FILTERS.map(f => `--${f.name}`).join(', ')}, or write --all`)
      const count = await work(filter, input)
      return { kind: 'text', text: `${count} ${count === 1 ? 'recipient' : 'recipients'}` }
    },
  }
}
