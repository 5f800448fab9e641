// The five stages of a message put together: receive, queue, deliver, retire, notify. Services are looked up when they are
// used, so that the stages can be made before any plugin has started.
import type {
  Clock,
  Directory,
  Log,
  Mailboxes,
  Metrics,
  QueueConfig,
  QueueControl,
  Random,
  Receiver,
  Storage,
  Submission,
  System,
  Transport,
} from '@mox/plugin-sdk'
import { localTransport } from './deliver/local.ts'
import { deliveryDurations } from './deliver/metrics.ts'
import type { Hooks } from './hooks/types.ts'
import { Dispatcher } from './notify/dispatcher.ts'
import { makeQueueControl } from './queue/control.ts'
import { Scheduler } from './queue/scheduler.ts'
import { makeReceiver } from './receive/receiver.ts'
import { makeSubmission } from './receive/submit.ts'
import { Purge } from './retire/purge.ts'

/** Getters: read at each use, never while the stages are made. */
export interface StageDeps {
  readonly hooks: Hooks
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  readonly storage: Storage
  readonly directory: Directory
  /** Undefined without a plugin for local mail: then nobody has a mailbox here. */
  readonly mailboxes: Mailboxes | undefined
  /** What plugins provide; "local" is built in. */
  readonly transports: readonly Transport[]
  readonly system: System
  readonly config: Required<QueueConfig>
}

export interface Stages {
  readonly receiver: Receiver
  readonly submission: Submission
  readonly queueControl: QueueControl
  /** The built-in "local" transport. */
  readonly transports: readonly Transport[]
  /** Takes up what an earlier process left behind and starts working. */
  start(): Promise<void>
  /** Starts nothing new and waits for what is running, until `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>
  /** Names of the stages that are working; recipients in `waiting`, by queue id, are in a simulated delay and do not count. */
  busy(waiting: ReadonlySet<number>): readonly string[]
  /** Aborts what is still running and waits for it to end. */
  stop(): Promise<void>
}

export function createStages(deps: StageDeps): Stages {
  deliveryDurations(deps.metrics)
  const receiver = makeReceiver(deps)
  const local = localTransport(deps)
  const scheduler = new Scheduler(deps, local)
  const dispatcher = new Dispatcher(deps)
  const purge = new Purge(deps)
  return {
    receiver,
    submission: makeSubmission(deps),
    queueControl: makeQueueControl(deps, scheduler, local),
    transports: [local],
    busy: waiting => [
      ...(scheduler.busy(waiting) ? ['queue'] : []),
      ...(dispatcher.busy() ? ['notifications'] : []),
      ...(purge.busy() ? ['removal of old messages'] : []),
    ],
    start: async () => {
      await scheduler.start()
      await dispatcher.start()
      purge.start()
    },
    drain: async signal => {
      await Promise.all([scheduler.drain(signal), dispatcher.drain(signal), purge.drain()])
    },
    stop: async () => {
      await Promise.all([scheduler.stop(), dispatcher.stop(), purge.drain()])
    },
  }
}
