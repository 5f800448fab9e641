// mox queue hold, unhold, kick, schedule, transport, requiretls, fail, drop: an operator's decisions about recipients in
// the queue. Each needs a filter, or --all said in full, so that a forgotten flag does not touch the whole queue.
import {
  type Command,
  type CommandArgument,
  type CommandFlag,
  type CommandInput,
  parseDuration,
  type QueueSelection,
  UsageError,
} from '@mox/plugin-sdk'
import type { CommandDeps } from './deps.ts'
import { COUNT, countOf } from './filters.ts'
import { progress, QUEUE_FILTERS, queueFilter } from './queue.ts'

const ALL: CommandFlag = { name: 'all', type: 'boolean', help: 'every recipient in the queue' }
/** Seconds that an attempt can be put off: a year. */
export const SCHEDULE_LIMIT = 31_536_000

interface Change {
  readonly verb: string
  readonly summary: string
  readonly arguments?: readonly CommandArgument[]
  readonly flags?: readonly CommandFlag[]
  /** Needs a running server, whose handlers hear of it. */
  readonly online?: true
  /** Throws a UsageError before anything is changed. */
  prepare(input: CommandInput): (selection: QueueSelection) => Promise<number>
}

export function queueChangeCommands(deps: CommandDeps): readonly Command[] {
  return [
    change(deps, {
      verb: 'hold',
      summary: 'make no attempts until unhold',
      prepare: () => which => deps.queue.hold(which),
    }),
    change(deps, {
      verb: 'unhold',
      summary: 'let attempts be made again',
      prepare: () => which => deps.queue.release(which),
    }),
    kick(deps),
    change(deps, {
      verb: 'schedule',
      summary: 'move the next attempt, or set it with --now or --in; without any of these, try now',
      arguments: [
        { name: 'DURATION', help: 'such as 1h30m, 3d, or -15m for earlier; with --now from now', required: false },
      ],
      flags: [
        { name: 'now', type: 'boolean', help: 'count from now, not from when the next attempt would be' },
        { name: 'in', type: 'number', help: `seconds from now, at most ${SCHEDULE_LIMIT}` },
      ],
      prepare: input => {
        const { ms, fromNow } = scheduleOf(input)
        return which => (fromNow ? deps.queue.schedule(which, deps.now() + ms) : deps.queue.postpone(which, ms))
      },
    }),
    change(deps, {
      verb: 'transport',
      summary: 'deliver through this transport, whatever the routes say; "" for the routes again',
      arguments: [{ name: 'NAME', help: 'name of a transport, such as local or direct; or ""' }],
      prepare:
        ({ arguments: [name = ''] }) =>
        which =>
          deps.queue.setTransport(which, name),
    }),
    change(deps, {
      verb: 'requiretls',
      summary: 'whether delivery needs verified TLS',
      arguments: [{ name: 'yes|no|default', help: 'default: as the domain of the recipient says' }],
      prepare: ({ arguments: [word = ''] }) => {
        const required = { yes: true, no: false, default: undefined }
        if (!Object.hasOwn(required, word))
          throw new UsageError(`${JSON.stringify(word)} is unknown; write yes, no or default`)
        return which => deps.queue.setRequireTls(which, required[word as keyof typeof required])
      },
    }),
    change(deps, {
      verb: 'fail',
      summary: 'give up; the senders are told',
      online: true,
      prepare: () => which => deps.queue.end(which, 'failed', 'delivery ended by an administrator'),
    }),
    change(deps, {
      verb: 'drop',
      summary: 'take out of the queue; nobody is told',
      online: true,
      prepare: () => which => deps.queue.end(which, 'cancelled', 'dropped by an administrator'),
    }),
  ]
}

/** Without recipients it only wakes the scheduler. */
function kick(deps: CommandDeps): Command {
  const command = change(deps, {
    verb: 'kick',
    summary: 'try now; without any, look for what is due',
    online: true,
    prepare: () => which => deps.queue.schedule(which, deps.now()),
  })
  return {
    ...command,
    run: async input => {
      if (command.flags?.some(({ name }) => input.flags.has(name))) return await command.run(input)
      deps.queue.kick()
      return progress(deps)
    },
  }
}

function scheduleOf({ arguments: [text], flags }: CommandInput): { readonly ms: number; readonly fromNow: boolean } {
  const seconds = flags.get('in')
  if (text !== undefined && seconds !== undefined) throw new UsageError('give a duration or --in, not both')
  if (text === undefined) return { ms: secondsOf(seconds ?? 0) * 1000, fromNow: true }
  const ms = parseDuration(text)
  if (ms === undefined || Math.abs(ms) > SCHEDULE_LIMIT * 1000)
    throw new UsageError(
      `${JSON.stringify(text)} is no duration of at most a year; write one such as 1h30m, 3d, -15m or 0`,
    )
  return { ms, fromNow: flags.get('now') === true }
}

function secondsOf(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= SCHEDULE_LIMIT) return Math.round(value)
  throw new UsageError(`--in ${String(value)} must be a number of seconds from 0 to ${SCHEDULE_LIMIT}`)
}

function change(deps: CommandDeps, { verb, summary, online, prepare, ...spec }: Change): Command {
  return {
    path: ['queue', verb],
    summary: `for the chosen recipients: ${summary}`,
    ...(spec.arguments === undefined ? {} : { arguments: spec.arguments }),
    flags: [...QUEUE_FILTERS, COUNT, ALL, ...(spec.flags ?? [])],
    offline: online !== true,
    run: async input => {
      const filter = queueFilter(input, deps.now())
      const all = input.flags.get('all') === true
      if (all && Object.keys(filter).length > 0)
        throw new UsageError('--all is everything; leave it out, or what chooses beside it')
      if (!all && Object.keys(filter).length === 0)
        throw new UsageError(
          `choose recipients with ${QUEUE_FILTERS.map(f => `--${f.name}`).join(', ')}, or write --all`,
        )
      const max = countOf(input)
      const work = prepare(input)
      const count = await work({ ...filter, ...(max === undefined ? {} : { max }) })
      return { kind: 'text', text: `${count} ${count === 1 ? 'recipient' : 'recipients'}` }
    },
  }
}
