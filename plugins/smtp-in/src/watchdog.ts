// Looks at the deadlines of all sessions once a second: one timer for thousands of sessions, and every wait in a session
// has an end. The timer runs only while there are sessions.
import type { Clock } from '@mox/plugin-sdk'
import { TICK } from './limits.ts'

export interface Watched {
  /** Ends the session when its time is up. */
  tick(now: number): void
}

export class Watchdog {
  readonly #clock: Clock
  readonly #watched = new Set<Watched>()
  #running = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(session: Watched): void {
    this.#watched.add(session)
    if (!this.#running) this.#arm()
  }

  delete(session: Watched): void {
    this.#watched.delete(session)
  }

  #arm(): void {
    this.#running = true
    this.#clock.after(TICK, () => {
      this.#running = false
      const now = this.#clock.now()
      for (const session of this.#watched) session.tick(now)
      if (this.#watched.size > 0) this.#arm()
    })
  }
}
