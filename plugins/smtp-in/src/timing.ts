// The time limits of one session: who is being waited for, until when, and what the limit on that wait is called.
import {
  ANSWER_TIME,
  DATA_PAUSE,
  DATA_TIME,
  FINISH_TIME,
  HANDSHAKE_TIME,
  LINE_TIME,
  MIN_RATE,
  RATE_GRACE,
  SESSION_TIME,
  TRANSACTION_TIME,
  WRITE_TIME,
} from './limits.ts'

/**
 * - `command`: the client owes a command or a response.
 * - `content`: the client owes message content.
 * - `us`: we owe an answer.
 * - `output`: the client has to take our output.
 * - `handshake`: TLS is being negotiated.
 */
export type Waiting = 'command' | 'content' | 'us' | 'output' | 'handshake'

export class Timing {
  waiting: Waiting = 'us'
  readonly #idleTime: number
  readonly #sessionEnd: number
  #deadline: number
  #lineEnd = 0
  #transactionEnd = Number.POSITIVE_INFINITY
  #contentStart = 0
  #usSince = 0
  #contentOctets = 0

  /** `idleTime` and `now` in milliseconds. */
  constructor(idleTime: number, now: number) {
    this.#idleTime = idleTime
    this.#sessionEnd = now + SESSION_TIME
    this.#deadline = now + ANSWER_TIME
  }

  /** `partial`: a line has begun; its deadline does not move with every octet. */
  command(now: number, partial: boolean): void {
    this.waiting = 'command'
    if (!partial) this.#lineEnd = 0
    else if (this.#lineEnd === 0) this.#lineEnd = now + LINE_TIME
    this.#deadline = Math.min(partial ? this.#lineEnd : now + this.#idleTime, this.#transactionEnd, this.#sessionEnd)
  }

  us(now: number): void {
    this.waiting = 'us'
    this.#usSince = now
    this.#lineEnd = 0
    this.#deadline = now + ANSWER_TIME
  }

  finishing(now: number): void {
    this.waiting = 'us'
    this.#deadline = now + FINISH_TIME
  }

  output(now: number): void {
    this.waiting = 'output'
    this.#deadline = now + WRITE_TIME
  }

  handshake(now: number): void {
    this.waiting = 'handshake'
    this.#deadline = now + HANDSHAKE_TIME
  }

  contentBegins(now: number): void {
    this.#contentStart = now
    this.#contentOctets = 0
    this.waiting = 'content'
    this.content(now, 0)
  }

  /** The time that we took ourselves does not count against the client. */
  content(now: number, octets: number): void {
    if (this.waiting === 'us') this.#contentStart += now - this.#usSince
    this.waiting = 'content'
    this.#contentOctets += octets
    this.#deadline = Math.min(now + DATA_PAUSE, this.#contentStart + DATA_TIME)
  }

  transaction(now: number | undefined): void {
    this.#transactionEnd = now === undefined ? Number.POSITIVE_INFINITY : now + TRANSACTION_TIME
  }

  /** Whether the wait has lasted too long. */
  expired(now: number): boolean {
    if (now >= this.#deadline) return true
    const elapsed = now - this.#contentStart
    return this.waiting === 'content' && elapsed > RATE_GRACE && this.#contentOctets < (elapsed / 1000) * MIN_RATE
  }
}
