// What operators see of webhooks.
import type { Metrics } from '@mox/plugin-sdk'

export interface WebhookMetrics {
  readonly seconds: { observe(value: number): void }
  readonly results: { inc(labels: { readonly code: string }): void }
}

export function webhookMetrics(metrics: Metrics): WebhookMetrics {
  return {
    seconds: metrics.histogram(
      'mox_webhook_request_duration_seconds',
      'Time of a webhook call, from the connection to the end of the response.',
      [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 60],
    ),
    results: metrics.counter(
      'mox_webhook_results_total',
      'Webhook calls by HTTP status, or "timeout", "refused" (no public address), "error", "unmade" (a plugin failed, or the message is gone).',
    ),
  }
}
