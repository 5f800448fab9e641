// The state of the bench and its talk with the server. The clock is asked about after each change, since all times on the page
// are the server's; the rest only while it is looked at.

import type { MailEvent, SuppressionEntry } from '@mox/plugin-sdk'
import { batch, computed, effect, signal } from '@preact/signals'
import type { BenchStatus, EventList, ScenarioStatus, Table } from '../src/api-types.ts'
import { ahead, attempt, get, now, onChange, refresh, view } from './state.ts'

/** Rows of events and suppressions. */
const ROWS = 100
/** Milliseconds after which webhooks that wait are asked about again. */
const WEBHOOKS_MS = 1_000

export const bench = signal<BenchStatus | undefined>(undefined)
export const scenarios = signal<ScenarioStatus | undefined>(undefined)
/** Newest first. */
export const events = signal<readonly MailEvent[]>([])
export const suppressions = signal<readonly SuppressionEntry[]>([])
export const webhooks = signal<Table | undefined>(undefined)
export const moving = signal(false)
/** What was done last, for everybody to hear. */
export const done = signal('')

export function refreshClock(): Promise<void> {
  return attempt(async () => {
    const status = await get<BenchStatus>('api/bench')
    batch(() => {
      bench.value = status
      ahead.value = status.clock.offset
      now.value = status.clock.now
    })
  })
}

export function refreshBench(): Promise<void> {
  return attempt(async () => {
    await refreshClock()
    const { services } = bench.value ?? { services: { events: false, suppressions: false, webhooks: false } }
    const [s, e, list, hooks] = await Promise.all([
      get<ScenarioStatus>('api/scenarios'),
      services.events ? get<EventList>(`api/mail-events?latest=1&limit=${ROWS}`) : undefined,
      services.suppressions ? get<SuppressionEntry[]>(`api/suppressions?limit=${ROWS}`) : undefined,
      services.webhooks ? get<Table>('api/webhooks') : undefined,
    ])
    batch(() => {
      scenarios.value = s
      events.value = e?.events.toReversed() ?? []
      suppressions.value = list ?? []
      webhooks.value = hooks
    })
  })
}

async function change(method: 'POST' | 'DELETE', path: string, body?: object): Promise<Response> {
  const response = await fetch(path, {
    method,
    headers: { 'X-Mox-Request': '1', 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (response.ok) return response
  const hint = response.status === 401 ? ' (user admin, password moxadmin)' : ''
  throw new Error(`${(await response.text()).trim()}${hint}`)
}

export function advance(by: string): Promise<void> {
  moving.value = true
  return attempt(async () => {
    try {
      const response = await change('POST', 'admin/clock/advance', { by })
      const { timers } = (await response.json()) as { timers: number }
      done.value = `The clock is ${by} further; ${timers} ${timers === 1 ? 'timer' : 'timers'} ran on the way.`
    } finally {
      moving.value = false
    }
    await Promise.all([refresh(), refreshBench()])
  })
}

/** True when it was added. */
export async function suppress(address: string): Promise<boolean> {
  let added = false
  await attempt(async () => {
    await change('POST', 'admin/suppressions', { address, reason: 'added on the page' })
    added = true
    done.value = `${address} is suppressed.`
    await refreshBench()
  })
  return added
}

export function unsuppress(address: string): Promise<void> {
  return attempt(async () => {
    await change('DELETE', `admin/suppressions?${new URLSearchParams({ address })}`)
    done.value = `${address} is not suppressed any more.`
    await refreshBench()
  })
}

export function retryWebhooks(): Promise<void> {
  return attempt(async () => {
    await change('POST', 'admin/webhooks/retry')
    done.value = 'All webhooks are tried now.'
    await refreshBench()
  })
}

effect(() => {
  if (view.value === 'bench') void refreshBench()
})

// Nothing tells when an application took a webhook.
const waiting = computed(() => view.value === 'bench' && (webhooks.value?.rows.length ?? 0) > 0)
effect(() => {
  if (!waiting.value) return
  const ask = (): Promise<void> =>
    get<Table>('api/webhooks').then(
      table => {
        webhooks.value = table
      },
      // Asked again; what the page says of something else stays.
      () => undefined,
    )
  const timer = setInterval(() => void ask(), WEBHOOKS_MS)
  return () => clearInterval(timer)
})

onChange(() => void (view.peek() === 'bench' ? refreshBench() : refreshClock()))
void refreshClock()
