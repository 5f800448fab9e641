// Every time limit, just before it and when it is reached.
import { expect, test } from 'vitest'
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
} from '../src/limits.ts'
import { Timing } from '../src/timing.ts'

const IDLE = 300_000

function check(limit: number, begin: (timing: Timing) => void): void {
  const timing = new Timing(IDLE, 0)
  begin(timing)
  expect([timing.expired(limit - 1), timing.expired(limit)]).toEqual([false, true])
}

test('each wait', () => {
  check(ANSWER_TIME, () => {})
  check(IDLE, timing => timing.command(0, false))
  check(LINE_TIME, timing => timing.command(0, true))
  check(10_000 + ANSWER_TIME, timing => timing.us(10_000))
  check(FINISH_TIME, timing => timing.finishing(0))
  check(WRITE_TIME, timing => timing.output(0))
  check(HANDSHAKE_TIME, timing => timing.handshake(0))
  check(DATA_PAUSE, timing => timing.contentBegins(0))
})

test('more octets of one line do not move its deadline, a new line does', () => {
  check(LINE_TIME, timing => {
    timing.command(0, true)
    timing.command(20_000, true)
  })
  check(20_000 + LINE_TIME, timing => {
    timing.command(0, true)
    timing.command(10_000, false)
    timing.command(20_000, true)
  })
})

test('the transaction and the session end however busy the client is', () => {
  check(TRANSACTION_TIME, timing => {
    timing.transaction(0)
    timing.command(TRANSACTION_TIME - 1000, false)
  })
  check(TRANSACTION_TIME - 1000 + IDLE, timing => {
    timing.transaction(0)
    timing.transaction(undefined)
    timing.command(TRANSACTION_TIME - 1000, false)
  })
  check(SESSION_TIME, timing => timing.command(SESSION_TIME - 1000, false))
})

/** Content at a steady rate, a piece each second. */
function steady(timing: Timing, rate: number, until: number): void {
  timing.contentBegins(0)
  for (let now = 1000; now <= until; now += 1000) timing.content(now, rate)
}

test('a whole message, and its rate', () => {
  check(DATA_TIME, timing => steady(timing, MIN_RATE + 1, DATA_TIME - 1000))
  const timing = new Timing(IDLE, 0)
  steady(timing, MIN_RATE - 1, RATE_GRACE)
  expect([timing.expired(RATE_GRACE), timing.expired(RATE_GRACE + 1)]).toEqual([false, true])
})

test('our own time does not count against the client', () => {
  const timing = new Timing(IDLE, 0)
  timing.contentBegins(0)
  timing.content(1000, 10_000)
  timing.us(1000)
  timing.content(91_000, 0)
  expect(timing.expired(110_000)).toBe(false)
})
