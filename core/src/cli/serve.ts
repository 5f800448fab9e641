// Runs a server: one application at a time, its control socket, and the signals. SIGTERM and SIGINT finish what is in
// progress for a while and stop; a second one stops at once. SIGHUP reads the config again and restarts the plugins; a
// config that is wrong is reported and the old one goes on.
import { mkdir } from 'node:fs/promises'
import { UsageError } from '@mox/plugin-sdk'
import { type LogLevel, messageOf } from '../base/log.ts'
import { giveBackMemory } from '../base/memory.ts'
import { loadConfig } from '../config/load.ts'
import type { ResolvedConfig } from '../config/resolve.ts'
import { type Application, createApplication } from './application.ts'
import { type ControlServer, openControl } from './control-server.ts'
import { becomeUser, findUser, giveFolder, type User } from './user.ts'

/** Milliseconds for sessions and attempts to finish at shutdown, and for a start that is in progress then. */
export const DRAIN_MS = 10_000
/** Milliseconds after the start when what only the start needed is given back. */
const SETTLED_MS = 1_000

export interface ServeOptions {
  /** Read at start and at each SIGHUP. */
  readonly configPath: string
  /** Replaces the config's. */
  readonly logLevel?: LogLevel | undefined
  /** At each start, when all ports are bound; still as the user that started the process. */
  readonly onBound?: (config: ResolvedConfig) => void
  /** After the first start. */
  readonly onReady?: () => void
  /** Where signals come from; tests have their own. */
  readonly signals?: Pick<NodeJS.Process, 'on' | 'off'>
}

/**
 * Runs until a signal ends it; what was in progress is finished then and everything closed. Throws when it cannot
 * start.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const began = performance.now()
  const load = async (): Promise<ResolvedConfig> => {
    const config = await loadConfig(options.configPath)
    return options.logLevel === undefined ? config : { ...config, log: { ...config.log, level: options.logLevel } }
  }
  process.umask(0o077)
  const config = await load()
  const first = createApplication(config)
  const user = config.user !== undefined && process.getuid?.() === 0 ? await findUser(config.user) : undefined
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 }).catch(error => {
    throw new UsageError(
      `cannot make the data directory ${config.dataDir} (${error.code}); change dataDir or its rights`,
    )
  })
  const control = await openControl(config.dataDir, first.base.log)
  const server = new Server(control, user, load, options.onBound)
  // Before the start, so that a signal during it is not lost.
  const ended = untilEnded(server, options.signals ?? process)
  let cancel = (): void => {}
  try {
    await server.start(first, began)
    cancel = first.base.clock.after(SETTLED_MS, giveBackMemory)
    options.onReady?.()
    await ended.promise
  } finally {
    cancel()
    ended.off()
    await control.close()
  }
}

class Server {
  readonly #control: ControlServer
  readonly #load: () => Promise<ResolvedConfig>
  readonly #user: User | undefined
  readonly #onBound: ServeOptions['onBound']
  #application: Application | undefined
  /** Steps of the life cycle, one after the other. */
  #steps: Promise<void> = Promise.resolve()
  readonly #stopNow = new AbortController()
  /** Ends the wait for a start. */
  readonly #giveUp = new AbortController()

  constructor(
    control: ControlServer,
    user: User | undefined,
    load: () => Promise<ResolvedConfig>,
    onBound: ServeOptions['onBound'],
  ) {
    this.#onBound = onBound
    this.#control = control
    this.#user = user
    this.#load = load
  }

  start(application: Application, began: number): Promise<void> {
    this.#steps = this.#start(application, began)
    return this.#steps
  }

  async #start(application: Application, began: number): Promise<void> {
    const { config, base } = application
    try {
      if (this.#user !== undefined) await giveFolder(config.dataDir, this.#user)
      await this.#unlessGivenUp(application.open())
      if (this.#user !== undefined) await giveFolder(config.dataDir, this.#user)
      await this.#unlessGivenUp(
        application.serve(() => {
          this.#onBound?.(config)
          if (this.#user !== undefined && process.getuid?.() === 0) becomeUser(this.#user)
        }),
      )
    } catch (error) {
      await application.close().catch(() => undefined)
      throw error
    }
    this.#application = application
    this.#control.attach(application.commands)
    const plugins = config.plugins.length
    const ms = Math.round(performance.now() - began)
    base.log.info(
      { ms, hostname: config.hostname, dataDir: config.dataDir, plugins, version: base.system.version },
      'ready',
    )
  }

  /** A start that hangs must not outlive the signal to stop. */
  async #unlessGivenUp(step: Promise<void>): Promise<void> {
    const { signal } = this.#giveUp
    // Nobody waits for it any more then.
    step.catch(() => undefined)
    let onAbort = (): void => {}
    const givenUp = new Promise<never>((_, reject) => {
      onAbort = () => reject(new UsageError('stopped before the start was done'))
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
    })
    try {
      await Promise.race([step, givenUp])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** A problem is logged; the old config goes on, unless even that cannot start again: then it throws. */
  reload(): Promise<void> {
    this.#steps = this.#steps.then(() => this.#reload())
    return this.#steps
  }

  async #reload(): Promise<void> {
    const old = this.#application
    if (old === undefined || this.#stopNow.signal.aborted) return
    const { log } = old.base
    let next: Application
    try {
      const config = await this.#load()
      if (config.dataDir !== old.config.dataDir) throw new UsageError('dataDir changed; restart the server instead')
      next = createApplication(config)
    } catch (error) {
      log.error({ err: error }, 'the new config is wrong, the old one goes on')
      return
    }
    if (this.#user !== undefined) {
      log.warn(
        { user: this.#user.name },
        'the new config is fine, but ports cannot be bound again as this user: restart to use it',
      )
      return
    }
    log.info({}, 'restarting with the new config')
    const began = performance.now()
    await this.#end(old)
    try {
      await this.#start(next, began)
    } catch (error) {
      if (this.#giveUp.signal.aborted) throw error
      log.error({ err: error }, 'cannot start with the new config, going back to the old one')
      await this.#start(createApplication(old.config), began)
    }
  }

  /**
   * Lets what is in progress end, a start too, then closes everything. A second call does not wait any longer. Rejects
   * when a start had to be given up.
   */
  stop(): Promise<void> {
    if (this.#stopping) {
      this.#stopNow.abort(new Error('stopped at once'))
      this.#giveUp.abort()
    } else {
      this.#stopping = true
      AbortSignal.timeout(DRAIN_MS).addEventListener('abort', () => this.#giveUp.abort())
      this.#steps = this.#steps.then(async () => {
        if (this.#application !== undefined) await this.#end(this.#application)
      })
    }
    return this.#steps
  }
  #stopping = false

  async #end(application: Application): Promise<void> {
    const { log } = application.base
    this.#control.attach(undefined)
    this.#application = undefined
    log.info({}, 'stopping')
    const signal = AbortSignal.any([AbortSignal.timeout(DRAIN_MS), this.#stopNow.signal])
    await application.drain(signal).catch(error => log.error({ err: error }, 'could not finish what was in progress'))
    await application.close()
    log.info({}, 'stopped')
  }
}

/** Listens to signals until off(). The promise settles when the server has stopped, or could not be started again. */
function untilEnded(
  server: Server,
  signals: Pick<NodeJS.Process, 'on' | 'off'>,
): { readonly promise: Promise<void>; off(): void } {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // Nobody may be waiting yet.
  promise.catch(() => undefined)
  const onStop = (): void => void server.stop().then(resolve, reject)
  const onReload = (): void => void server.reload().catch(reject)
  // Windows sends SIGHUP when the console is closed.
  const onHangup = process.platform === 'win32' ? onStop : onReload
  signals.on('SIGTERM', onStop).on('SIGINT', onStop).on('SIGHUP', onHangup)
  // Without this, a server whose plugins only have timers that do not keep the process alive would end.
  const alive = setInterval(() => undefined, 2 ** 30)
  return {
    promise,
    off: () => {
      clearInterval(alive)
      signals.off('SIGTERM', onStop).off('SIGINT', onStop).off('SIGHUP', onHangup)
    },
  }
}

/** What nobody caught: said in full, then the end. What was acknowledged is on stable storage. */
export function dieOnUncaught(say: (text: string) => void): void {
  const die = (error: unknown): void => {
    try {
      say(
        `l=fatal m="uncaught error" err=${JSON.stringify(messageOf(error))} stack=${JSON.stringify((error as Error)?.stack ?? '')}\n`,
      )
    } finally {
      process.exit(1)
    }
  }
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
}
