// The counters of the SMTP server. Labels come from fixed sets: nothing a client says becomes one.
import type { Metrics, ReceiveKind } from '@mox/plugin-sdk'

export interface SmtpMetrics {
  connection(kind: ReceiveKind): void
  /** `seconds`: from the command's end to its reply. */
  command(kind: ReceiveKind, command: string, code: number, enhanced: string, seconds: number): void
  /** One message at the end of DATA. */
  message(kind: ReceiveKind, code: number, reason: string): void
  error(error: string): void
  starttls(): void
  starttlsFailed(reason: string): void
}

const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 60, 120]

export function smtpMetrics(metrics: Metrics): SmtpMetrics {
  const name = (suffix: string): string => `mox_smtpserver_${suffix}`
  const connections = metrics.counter(name('connection_total'), 'SMTP connections by kind.')
  const durations = metrics.histogram(name('command_duration_seconds'), 'Time from command to reply.', SECONDS)
  const delivery = metrics.counter(name('delivery_total'), 'Incoming messages by result and reason.')
  const submission = metrics.counter(name('submission_total'), 'Submitted messages by result.')
  const errors = metrics.counter(name('errors_total'), 'Sessions and commands that failed on our side or were cut off.')
  const starttls = metrics.counter(name('delivery_starttls_total'), 'STARTTLS handshakes begun for incoming mail.')
  const failed = metrics.counter(name('delivery_starttls_errors_total'), 'STARTTLS handshakes that failed, by reason.')
  return {
    connection: kind => connections.inc({ kind }),
    command: (kind, cmd, code, ecode, seconds) => durations.observe(seconds, { kind, cmd, code: String(code), ecode }),
    message: (kind, code, reason) => {
      const result = code < 300 ? 'ok' : code < 500 ? 'tempfail' : 'reject'
      if (kind === 'delivery') delivery.inc({ result, reason })
      else submission.inc({ result })
    },
    error: error => errors.inc({ error }),
    starttls: () => starttls.inc(),
    starttlsFailed: reason => failed.inc({ reason }),
  }
}
