// Counters of delivery attempts.
import type { Attempt, Metrics } from '@mox/plugin-sdk'
import type { StageDeps } from '../stages.ts'
import type { Cut } from './run.ts'

const SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 60, 120, 300, 1_800]

/** Seconds of an attempt. Declared when the stages are made, so that the reference has it. */
export function deliveryDurations(metrics: Metrics): ReturnType<Metrics['histogram']> {
  return metrics.histogram(
    'mox_queue_delivery_duration_seconds',
    'Time of a delivery attempt to one destination, by attempt, transport, TLS and result.',
    SECONDS,
  )
}

/** One observation per batch, as all its recipients shared the time. */
export function observeAttempts(deps: StageDeps, attempts: readonly Attempt[], cut: Cut | undefined): void {
  const [first] = attempts
  if (first === undefined) return
  const seconds = ((first.endedAt ?? first.startedAt) - first.startedAt) / 1_000
  deliveryDurations(deps.metrics).observe(seconds, {
    attempt: String(first.number),
    transport: first.transport ?? '',
    tlsmode: first.tls === undefined ? 'none' : first.tls.verified ? 'verified' : 'unverified',
    result: batchResult(attempts, cut),
  })
}

/** What was delivered before an attempt was cut off counts first. */
function batchResult(attempts: readonly Attempt[], cut: Cut | undefined): string {
  const delivered = attempts.filter(({ outcome }) => outcome === 'delivered').length
  if (delivered > 0) return delivered === attempts.length ? 'ok' : 'okpartial'
  if (cut !== undefined) return cut
  if (attempts.every(({ code }) => code === 0)) return 'error'
  return attempts.some(({ outcome }) => outcome === 'temporary') ? 'temperror' : 'permerror'
}
