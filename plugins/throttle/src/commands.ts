// `mox throttle …`.
import { type Clock, type Command, UsageError } from '@mox/plugin-sdk'
import type { Throttle } from './throttle.ts'

export function throttleCommands(throttle: Throttle, clock: Clock): readonly Command[] {
  return [
    {
      path: ['throttle', 'list'],
      summary: 'destinations that were slowed down or are being delivered to, and addresses that warm up',
      // What is in memory of the server.
      offline: false,
      run: async ({ limit }) => {
        const now = clock.now()
        const warming = throttle.warmUps.flatMap(warmUp => {
          const { day, sent, limit } = warmUp.state(now)
          if (limit === undefined) return []
          return [
            {
              destination: `from ${warmUp.ip}`,
              connections: '',
              rate: `${sent} of ${limit} today`,
              paused: '',
              since: '',
              why: `day ${day} of its warm-up`,
            },
          ]
        })
        const paces = throttle.list().map(({ name, busy, concurrency, perMinute, learned }) => ({
          destination: name,
          connections: `${busy} of ${concurrency}`,
          rate: Number.isFinite(perMinute) ? `${perMinute} a minute` : '',
          paused: learned !== undefined && learned.pausedUntil > now ? `until ${formatTime(learned.pausedUntil)}` : '',
          since: learned === undefined ? '' : formatTime(learned.slowedAt),
          why: learned?.words ?? '',
        }))
        const rows = [...warming, ...paces]
        const columns = ['destination', 'connections', 'rate', 'paused', 'since', 'why']
        return { kind: 'rows', columns, rows: rows.slice(0, limit), more: rows.length > limit }
      },
    },
    {
      path: ['throttle', 'forget'],
      summary: 'deliver to a destination as if it had never asked us to be slower',
      arguments: [{ name: 'destination', help: 'as `mox throttle list` names it' }],
      offline: false,
      run: async ({ arguments: [name = ''] }) => {
        if (!(await throttle.forget(name)))
          throw new UsageError(`${JSON.stringify(name)} was not slowed down; see mox throttle list`)
        return {
          kind: 'text',
          text: `${name} has its full pace; those that wait come at their time, or now with mox queue schedule`,
        }
      },
    },
  ]
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
}
