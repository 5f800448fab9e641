// What strangers wrote is read in a process of its own, with limits of time and memory: a message that takes too much ends
// that process and nothing else. A thread would not do: most ways to run out of memory in one end the whole program.
import { type ChildProcess, fork } from 'node:child_process'
import type { Clock } from '../services/base.ts'

export interface ConfinedLimits {
  /** Milliseconds that one request may take. */
  readonly ms: number
  /** MiB of memory for what a request makes, beside the bytes that it has. */
  readonly mib: number
}

/** Milliseconds without a request after which the process ends. */
const IDLE_MS = 600_000
const READY = 'ready'

interface Started {
  readonly child: ChildProcess
  readonly ready: Promise<void>
}

/**
 * A module that answers requests with `answerRequests` in a process of its own, which is started for the first request and
 * ends when there are none. Requests and answers are what `v8.serialize` takes.
 */
export class Confined<Request, Answer> {
  readonly #module: URL
  readonly #limits: ConfinedLimits
  readonly #clock: Clock
  #started: Started | undefined
  #cancelIdle: () => void = () => {}
  #closed = false

  /** `module`: beside the caller, .ts or .js like it. */
  constructor(module: URL, limits: ConfinedLimits, clock: Clock) {
    this.#module = module
    this.#limits = limits
    this.#clock = clock
  }

  /**
   * Rejects when it failed, took too long or too much memory; the next request has a new process then. Ask when the answer
   * before is there.
   */
  async ask(request: Request): Promise<Answer> {
    if (this.#closed) throw new Error('the server is stopping')
    this.#cancelIdle()
    this.#started ??= this.#start()
    const { child, ready } = this.#started
    try {
      // Loading its code takes long on a busy machine, and says nothing of the request.
      await ready
      return await this.#answer(child, request)
    } catch (error) {
      this.#end()
      throw error
    } finally {
      hold(child, false)
      this.#cancelIdle = this.#clock.after(IDLE_MS, () => this.#end())
    }
  }

  close(): void {
    this.#closed = true
    this.#end()
  }

  #start(): Started {
    const started = start(this.#module, this.#limits.mib)
    started.child.once('exit', () => {
      if (this.#started === started) this.#started = undefined
    })
    return started
  }

  async #answer(child: ChildProcess, request: Request): Promise<Answer> {
    const { ms, mib } = this.#limits
    let cancel = (): void => {}
    const answers = listen<Answer>(child, `it failed, or needs more than ${mib} MiB`)
    try {
      hold(child, true)
      cancel = this.#clock.after(ms, () => answers.fail(new Error(`it takes longer than ${ms} ms`)))
      child.send(request as never, error => {
        if (error !== null) answers.fail(error)
      })
      return await answers.first
    } finally {
      cancel()
      answers.stop()
    }
  }

  #end(): void {
    this.#cancelIdle()
    // Nothing in it is to be saved, and it may be in a loop.
    this.#started?.child.kill('SIGKILL')
    this.#started = undefined
  }
}

function start(module: URL, mib: number): Started {
  const source = module.pathname.endsWith('.ts')
  // Nothing of ours but where compiled code is kept.
  const { NODE_COMPILE_CACHE: cache } = process.env
  const child = fork(module, {
    execArgv: [`--max-old-space-size=${mib}`, ...(source ? ['--conditions=mox-source'] : [])],
    // What it says when it runs out of memory is long, and known.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    ...{ serialization: 'advanced', env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache } },
  })
  const { first, stop } = listen(child, 'it could not be started')
  return { child, ready: first.then(stop) }
}

/** Waits for one message of a process. */
function listen<T>(child: ChildProcess, ended: string) {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onMessage = (message: unknown): void => resolve(message as T)
  const onExit = (): void => reject(new Error(ended))
  child.on('message', onMessage).on('error', reject).on('exit', onExit)
  const stop = (): void => {
    child.off('message', onMessage).off('exit', onExit).off('error', reject)
    // One that comes late, as the process is killed, is no reason to stop the server.
    if (child.listenerCount('error') === 0) child.on('error', () => {})
  }
  return { first: promise, fail: reject, stop }
}

/** Whether the program goes on for its sake. */
function hold(child: ChildProcess, on: boolean): void {
  if (on) {
    child.ref()
    child.channel?.ref()
  } else {
    child.unref()
    child.channel?.unref()
  }
}

/** For the module of a `Confined`: says that it is ready, then answers one request after the other. */
export function answerRequests<Request>(answer: (request: Request) => unknown): void {
  process.on('message', async (request: Request) => {
    process.send?.(await answer(request))
  })
  process.send?.(READY)
}
