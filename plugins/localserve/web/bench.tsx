// The bench: the server's clock with buttons that move it, scenarios, and what other plugins have: events, suppressions and
// webhooks, each only when it is there.
import type { JSX } from 'preact'
import {
  advance,
  bench,
  done,
  events,
  moving,
  retryWebhooks,
  scenarios,
  suppress,
  suppressions,
  unsuppress,
  webhooks,
} from './bench-state.ts'
import { ago, at, until } from './format.ts'
import { ahead, now } from './state.ts'

/** Less is a matter of rounding. */
const AHEAD_MS = 1_000

/** In the bar of every view, when the server's time is not the real one. */
export function ClockBadge(): JSX.Element | null {
  if (ahead.value < AHEAD_MS) return null
  return (
    <a href="#bench" class="badge busy clock" title={`The server's clock is ${span(ahead.value)} ahead`}>
      <time>{at(now.value)}</time>
    </a>
  )
}

export function BenchView(): JSX.Element {
  const services = bench.value?.services
  return (
    <main class="bench">
      <h2 class="visually-hidden">Bench</h2>
      <ClockPanel />
      <ScenarioPanel />
      {services?.suppressions ? <SuppressionPanel /> : null}
      {services?.webhooks ? <WebhookPanel /> : null}
      {services?.events ? <EventPanel /> : null}
      <p class="visually-hidden" role="status">
        {done.value}
      </p>
    </main>
  )
}

const STEPS: readonly { by: string; label: string }[] = [
  { by: '10m', label: '+ 10 min' },
  { by: '1h', label: '+ 1 h' },
  { by: '1d', label: '+ 1 day' },
  { by: '3d', label: '+ 3 days' },
]

function ClockPanel(): JSX.Element {
  return (
    <section class="tile" aria-labelledby="tile-clock">
      <h3 id="tile-clock">Clock</h3>
      <p class="time">
        <time>{at(now.value)}</time>
        <small>{ahead.value < AHEAD_MS ? 'the real time' : `${span(ahead.value)} ahead of the real time`}</small>
      </p>
      <div class="buttons">
        {STEPS.map(({ by, label }) => (
          <button type="button" key={by} disabled={moving.value} onClick={() => void advance(by)}>
            {label}
          </button>
        ))}
        <Field label="Duration" button="Advance" placeholder="1h30m" disabled={moving.value} onSubmit={advance} />
      </div>
      <p class="note">
        {moving.value
          ? 'Moving on …'
          : done.value ||
            'Retries, notices, bounces and all else that becomes due on the way happen at once, in order. The clock never goes back.'}
      </p>
    </section>
  )
}

function ScenarioPanel(): JSX.Element {
  const { scenarios: all, problems } = scenarios.value ?? { scenarios: [], problems: [] }
  return (
    <section class="tile" aria-labelledby="tile-scenarios">
      <h3 id="tile-scenarios">Scenarios</h3>
      {problems.map(({ file, problem }) => (
        <p class="wrong" role="alert" key={file}>
          {file}: {problem}
        </p>
      ))}
      {all.length === 0 ? (
        <p class="note">
          None. A file <code>scenarios/slow.example.json</code> beside the configuration says how the server of that
          domain behaves, such as <code>{'{"steps":[{"reply":"451 4.7.1 later","for":"2h"}]}'}</code>
        </p>
      ) : (
        <Rows
          caption="Scenarios"
          columns={['Domain', 'From', 'Step', 'Since']}
          rows={all.map(({ domain, source, step, steps, since }) => [
            domain,
            source,
            step === undefined ? 'over' : `${step} of ${steps}`,
            since === undefined ? 'not begun' : <time title={at(since)}>{ago(since, now.value)}</time>,
          ])}
        />
      )}
    </section>
  )
}

function SuppressionPanel(): JSX.Element {
  return (
    <section class="tile" aria-labelledby="tile-suppressions">
      <h3 id="tile-suppressions">Suppressed recipients</h3>
      <div class="buttons">
        <Field label="Address" button="Suppress" placeholder="ann@example.org" onSubmit={suppress} />
      </div>
      {suppressions.value.length === 0 ? (
        <p class="note">None.</p>
      ) : (
        <Rows
          caption="Suppressed recipients"
          columns={['Address', 'Cause', 'Reason', '']}
          rows={suppressions.value.map(({ address, cause, reason }) => [
            address,
            cause,
            reason,
            <button
              type="button"
              key={address}
              aria-label={`Remove ${address}`}
              onClick={() => void unsuppress(address)}
            >
              Remove
            </button>,
          ])}
        />
      )}
    </section>
  )
}

/** Of what the command lists, the part that has room here. */
const WEBHOOK_COLUMNS = ['endpoint', 'url', 'event', 'next', 'last']

function WebhookPanel(): JSX.Element {
  const { columns: all, rows } = webhooks.value ?? { columns: [], rows: [] }
  const columns = all.filter(name => WEBHOOK_COLUMNS.includes(name))
  return (
    <section class="tile" aria-labelledby="tile-webhooks">
      <h3 id="tile-webhooks">Webhooks that wait</h3>
      <div class="buttons">
        <button type="button" disabled={rows.length === 0} onClick={() => void retryWebhooks()}>
          Send all now
        </button>
      </div>
      {rows.length === 0 ? (
        <p class="note">None.</p>
      ) : (
        <Rows caption="Webhooks" columns={columns} rows={rows.map(row => columns.map(name => shown(row[name])))} />
      )}
    </section>
  )
}

function EventPanel(): JSX.Element {
  return (
    <section class="tile wide" aria-labelledby="tile-events">
      <h3 id="tile-events">Events</h3>
      {events.value.length === 0 ? (
        <p class="note">None yet.</p>
      ) : (
        <Rows
          caption="Events, newest first"
          columns={['Event', 'Recipient', 'Subject', 'When', 'Reply']}
          rows={events.value.map(event => [
            <span class={`badge ${TONES[event.kind] ?? ''}`} key="kind">
              {event.kind}
            </span>,
            event.recipient,
            <a href={`#${event.messageId}`} key="subject">
              {event.subject || '(no subject)'}
            </a>,
            <time title={at(event.at)} key="at">
              {ago(event.at, now.value)}
            </time>,
            [event.code === 0 ? '' : String(event.code), event.enhanced, event.error].filter(Boolean).join(' '),
          ])}
        />
      )}
    </section>
  )
}

const TONES: Readonly<Record<string, string>> = {
  ...{ delivered: 'good', relayed: 'good', expanded: 'good', incoming: 'good', delayed: 'busy', failed: 'bad' },
  ...{ suppressed: 'bad', complained: 'bad' },
}

function Rows({
  caption,
  columns,
  rows,
}: {
  caption: string
  columns: readonly string[]
  rows: readonly (readonly (JSX.Element | string)[])[]
}): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section class="scroll" tabIndex={0} aria-label={`Table: ${caption}`}>
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(name => (
              <th scope="col" key={name}>
                {name === '' ? <span class="visually-hidden">Actions</span> : name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, n) => (
            <tr key={n}>
              {row.map((value, column) => (
                <td key={columns[column]}>{value}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Field(props: {
  label: string
  button: string
  placeholder: string
  disabled?: boolean
  onSubmit: (value: string) => Promise<unknown>
}): JSX.Element {
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        const input = event.currentTarget.elements.namedItem('value') as HTMLInputElement
        if (input.value.trim() === '') return
        void props.onSubmit(input.value.trim()).then(result => {
          if (result !== false) input.value = ''
        })
      }}
    >
      <input name="value" aria-label={props.label} placeholder={props.placeholder} autocomplete="off" maxLength={320} />
      <button type="submit" disabled={props.disabled ?? false}>
        {props.button}
      </button>
    </form>
  )
}

function shown(value: unknown): string {
  // Commands write times in UTC.
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return until(Date.parse(value), now.value)
  return value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** "3 days", "2 days 4 h", "15 min". */
function span(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1) return `${Math.round(ms / 1_000)} s`
  const days = Math.floor(minutes / 1_440)
  const hours = Math.floor((minutes % 1_440) / 60)
  const rest = minutes % 60
  const parts = [
    days === 0 ? '' : `${days} ${days === 1 ? 'day' : 'days'}`,
    hours === 0 ? '' : `${hours} h`,
    rest === 0 || days > 0 ? '' : `${rest} min`,
  ]
  return parts.filter(Boolean).join(' ')
}
