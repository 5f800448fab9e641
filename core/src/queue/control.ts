// queue-control@1: what operators, pages and APIs do with the queue. Beside the scheduler's brake these are changes of
// rows; the scheduler is told and looks again.
import {
  didYouMean,
  type JobChange,
  type QueueControl,
  type QueueSelection,
  type Transport,
  UsageError,
} from '@mox/plugin-sdk'
import type { StageDeps } from '../stages.ts'
import { endJobs } from './end.ts'
import { attemptTimes } from './schedule.ts'
import type { Scheduler } from './scheduler.ts'
import { inBatches } from './select.ts'

/** Recipients per unit of work. */
const BATCH = 500

export function makeQueueControl(deps: StageDeps, scheduler: Scheduler, local: Transport): QueueControl {
  const change = (selection: QueueSelection, fields: JobChange): Promise<number> =>
    inBatches(deps, selection, BATCH, filter => {
      const { storage } = deps
      storage.notify('queue')
      storage.notify('messages')
      return storage.queue.set(filter, fields)
    })
  const transports = (): string[] => [local, ...deps.transports].map(({ name }) => name).sort()
  return {
    kick: () => scheduler.kick(),
    pause: () => scheduler.pause(),
    resume: () => scheduler.resume(),
    status: () => scheduler.status(),
    attemptsLeft: job => attemptTimes(deps.config.retrySchedule, job),
    hold: selection => change(selection, { hold: true }),
    release: selection => change(selection, { hold: false }),
    schedule: async (selection, due) => await change(selection, { due: milliseconds(due) }),
    postpone: async (selection, ms) => await change(selection, { due: { add: milliseconds(ms) } }),
    transports,
    setTransport: async (selection, name) => {
      checkTransport(name, transports())
      return await change(selection, { transport: name === '' ? null : name })
    },
    setRequireTls: (selection, required) => change(selection, { requireTls: required ?? null }),
    end: (selection, status, text) => endJobs(deps, selection, status, text),
    dump: async id => {
      const { queue, history, messages, content } = deps.storage
      const recipient = (await queue.get(id)) ?? (await history.get(id))
      const message = recipient && (await messages.get(recipient.messageId))
      return message && whole(message.prefix, content.open(message.contentId))
    },
  }
}

async function* whole(prefix: Buffer, content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield prefix
  yield* content
}

function milliseconds(value: number): number {
  if (Number.isSafeInteger(value)) return value
  throw new UsageError(`${value} is no number of milliseconds; give a whole one`)
}

function checkTransport(name: string, names: readonly string[]): void {
  if (name === '' || names.includes(name)) return
  const hint = didYouMean(name, names) || `; there are ${names.join(', ')}`
  throw new UsageError(`there is no transport ${JSON.stringify(name)}${hint}`)
}
