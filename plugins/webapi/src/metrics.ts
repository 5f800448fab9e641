// The counters of the webapi. Labels come from fixed sets: nothing a client says becomes one.
import type { Metrics } from '@mox/plugin-sdk'

export interface ApiMetrics {
  /** One message: "ok", "test", or an error code. */
  submission(result: string): void
  /** Our side failed. */
  error(error: string): void
  /** One call: the method's name, "ok" or an error code, and how long it took. */
  result(method: string, result: string, seconds: number): void
}

const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 60, 120]

export function apiMetrics(metrics: Metrics): ApiMetrics {
  const submissions = metrics.counter('mox_webapi_submission_total', 'Messages sent over HTTP, by result.')
  const errors = metrics.counter('mox_webapi_errors_total', 'Requests that failed on our side.')
  const results = metrics.counter('mox_webapi_results_total', 'Calls by method and result.')
  const durations = metrics.histogram('mox_webapi_duration_seconds', 'Time of a call by method.', SECONDS)
  return {
    submission: result => submissions.inc({ result }),
    error: error => errors.inc({ error }),
    result: (method, result, seconds) => {
      results.inc({ method, result })
      durations.observe(seconds, { method })
    },
  }
}
