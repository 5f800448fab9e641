// Counters of the webmail.
import type { Metrics } from '@mox/plugin-sdk'
import type { CallName } from '../api/calls.ts'

export interface WebmailMetrics {
  /** `result`: "ok" or the code of the error. */
  call(name: CallName, result: string, seconds: number): void
  /** `result`: "ok" or why it failed. */
  login(result: string): void
}

const SECONDS = [0.005, 0.02, 0.1, 0.5, 2, 10] as const

export function webmailMetrics(metrics: Metrics): WebmailMetrics {
  const calls = metrics.counter('mox_webmail_calls_total', 'Calls of the webmail by name and result.')
  const durations = metrics.histogram('mox_webmail_call_duration_seconds', 'Seconds that calls took.', SECONDS)
  const logins = metrics.counter('mox_webmail_logins_total', 'Logins to the webmail by result.')
  return {
    call: (name, result, seconds) => {
      calls.inc({ call: name, result })
      durations.observe(seconds)
    },
    login: result => logins.inc({ result }),
  }
}
