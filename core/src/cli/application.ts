// One configuration brought to life: base services, plugin host, stages, and the commands they offer. Making it does no
// I/O and finds every mistake that can be found without; it may then be started in whole, or only as far as a command
// needs.
import {
  type Command,
  clock,
  clockControl,
  commands,
  directory,
  log,
  mailboxes,
  messageNotes,
  metrics,
  optional,
  queueControl,
  random,
  receiver,
  type ServiceToken,
  secrets,
  storage,
  submission,
  system,
  transports,
  UsageError,
  workers,
} from '@mox/plugin-sdk'
import { AdvancingClock } from '../base/advancing-clock.ts'
import { makeClockControl } from '../base/clock-control.ts'
import { type BaseServices, createBase } from '../base/index.ts'
import type { ResolvedConfig } from '../config/resolve.ts'
import { createHost, type Host } from '../host/host.ts'
import { createStages, type Stages } from '../stages.ts'
import { coreCommands } from './commands/index.ts'

export interface Application {
  readonly config: ResolvedConfig
  readonly base: BaseServices
  readonly host: Host
  readonly commands: readonly Command[]
  /** Opens everything; nothing comes in or goes out yet. */
  open(): Promise<void>
  /** After open(): binds listeners, then starts deliveries; `bound` runs as soon as all ports are bound. */
  serve(bound?: () => void): Promise<void>
  /** Takes nothing new, finishes what is in progress until `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>
  /** Closes everything, storage last. */
  close(): Promise<void>
}

/** Throws a UsageError when plugins, their options or their order are wrong. */
export function createApplication(config: ResolvedConfig, overrides: Partial<BaseServices> = {}): Application {
  const base = createBase(config, overrides)
  // The stages need the host's hooks, and plugins may need the stages: what they get finds its stage when it is called.
  const builtins = new Map<string, unknown>([
    [clock.id, base.clock],
    [random.id, base.random],
    [log.id, base.log],
    [metrics.id, base.metrics],
    [secrets.id, base.secrets],
    [system.id, base.system],
    [receiver.id, late(() => stages.receiver)],
    [submission.id, late(() => stages.submission)],
    [queueControl.id, late(() => stages.queueControl)],
  ])
  const control =
    base.clock instanceof AdvancingClock
      ? makeClockControl(base.clock, waiting => [
          ...stages.busy(waiting),
          ...host
            .service(workers)
            .filter(one => one.busy())
            .map(({ name }) => name),
        ])
      : undefined
  if (control !== undefined) builtins.set(clockControl.id, control)
  const host = createHost({ config, builtins })
  needService(host, storage, 'nothing can be stored', 'storageSqlite() from @mox/plugin-storage-sqlite')
  needService(host, directory, 'nobody has an account', 'accounts({ … }) from @mox/plugin-accounts')
  const stages: Stages = createStages({
    hooks: host.hooks,
    ...base,
    config: config.queue,
    get storage() {
      return host.service(storage)
    },
    get directory() {
      return host.service(directory)
    },
    get mailboxes() {
      return host.service(optional(mailboxes))
    },
    get transports() {
      return host.service(transports)
    },
  })
  const own = coreCommands({
    get storage() {
      return host.service(storage)
    },
    get mailboxes() {
      return host.service(optional(mailboxes))
    },
    get notes() {
      return host.service(messageNotes)
    },
    queue: stages.queueControl,
    now: () => base.clock.now(),
  })
  let working = false
  return {
    config,
    base,
    host,
    commands: [...own, ...host.service(commands)],
    open: () => host.start(),
    serve: async bound => {
      working = true
      await host.listen()
      bound?.()
      await stages.start()
    },
    drain: async signal => {
      control?.close()
      await Promise.all([host.drain(signal), working ? stages.drain(signal) : undefined])
    },
    close: async () => {
      try {
        if (working) await stages.stop()
      } finally {
        await host.stop()
      }
    },
  }
}

function needService(host: Host, token: ServiceToken<unknown>, what: string, plugin: string): void {
  if (host.service(token) === undefined)
    throw new UsageError(`plugins: ${what}, since no plugin provides ${token.id}; add ${plugin}`)
}

/** An object whose methods are looked up when they are called. */
function late<T extends object>(find: () => T): T {
  return new Proxy({} as T, {
    get: (_, name) => {
      const value: unknown = Reflect.get(find(), name)
      return typeof value === 'function' ? value.bind(find()) : value
    },
  })
}
