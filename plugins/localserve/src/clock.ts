// The clock of the server as people and tests see it: how far it is ahead, and moving it on. How far is kept in a file, so
// that after a restart time does not go back and everything is due when it was.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ADVANCE_LIMIT,
  type Advanced,
  type Clock,
  type ClockControl,
  type Command,
  parseDuration,
  type System,
  UsageError,
} from '@mox/plugin-sdk'
import type { ClockStatus } from './api-types.ts'

/** In the data directory: milliseconds ahead, as text. */
const FILE = 'clock-offset'

export class BenchClock {
  readonly #clock: Clock
  readonly #control: ClockControl
  readonly #file: string
  readonly #moved: () => void
  #advancing = 0

  /** `moved` is called after each move. */
  constructor(clock: Clock, control: ClockControl, { dataDir }: System, moved: () => void) {
    this.#moved = moved
    this.#clock = clock
    this.#control = control
    this.#file = join(dataDir, FILE)
  }

  /** Goes on where the last start ended. A file that cannot be read is an error: time would go back. */
  async start(): Promise<void> {
    let text: string
    try {
      text = await readFile(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    if (!/^\d{1,15}\n?$/.test(text))
      throw new UsageError(`${this.#file} is not a number of milliseconds; remove it to return to the real time`)
    this.#control.restore(Number(text))
  }

  status(): ClockStatus {
    return { now: this.#clock.now(), offset: Math.round(this.#control.offset()), advancing: this.#advancing > 0 }
  }

  /** "3d", "1h30m". Resolves when everything that became due has happened. Throws a UsageError for another text. */
  async advance(by: string): Promise<Advanced> {
    const ms = parseDuration(by)
    if (ms === undefined)
      throw new UsageError(`${JSON.stringify(by)} is no duration; write one such as 90s, 1h30m or 3d`)
    this.#advancing++
    try {
      // Where it will be, first: what a crash on the way leaves behind is then not in the future.
      if (ms > 0 && ms <= ADVANCE_LIMIT) await this.#keep(this.#control.offset() + ms)
      return await this.#control.advance(ms)
    } finally {
      this.#advancing--
      this.#moved()
      await this.#keep(this.#control.offset())
    }
  }

  async #keep(offset: number): Promise<void> {
    const next = `${this.#file}.new`
    await writeFile(next, `${Math.round(offset)}\n`)
    await rename(next, this.#file)
  }

  commands(): readonly Command[] {
    return [
      {
        path: ['clock', 'advance'],
        summary: 'move the clock on; what becomes due on the way happens, in order',
        arguments: [{ name: 'DURATION', help: 'such as 90s, 1h30m or 3d; at most 31d' }],
        offline: false,
        run: async ({ arguments: [by = ''] }) => {
          const { now, timers } = await this.advance(by)
          return { kind: 'text', text: `it is ${new Date(now).toISOString()} now; ${timers} timers ran on the way` }
        },
      },
      {
        path: ['clock', 'show'],
        summary: 'what time it is for the server, and how far that is ahead',
        offline: false,
        run: async () => {
          const { now, offset } = this.status()
          return {
            kind: 'value',
            value: { now: new Date(now).toISOString(), offsetSeconds: Math.round(offset / 1_000) },
          }
        },
      },
    ]
  }
}
