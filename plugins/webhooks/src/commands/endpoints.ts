// `mox webhook …`: endpoints, test calls, and sending again.
import { type Clock, type Command, type EventKind, UsageError, type Webhooks } from '@mox/plugin-sdk'
import { ALL_KINDS } from '../options.ts'
import { parseTime } from './times.ts'

const ACCOUNT = { name: 'ACCOUNT', help: 'name of the account' }
const NAME = { name: 'NAME', help: 'name of the endpoint' }

export function endpointCommands(webhooks: Webhooks, clock: Clock): readonly Command[] {
  return [
    {
      path: ['webhook', 'endpoint', 'list'],
      summary: 'where events are posted',
      flags: [{ name: 'account', type: 'string', help: 'only endpoints of this account' }],
      offline: true,
      run: async ({ flags, limit }) => {
        const account = flags.get('account')
        const all = await webhooks.endpoints(typeof account === 'string' ? account : undefined)
        const rows = all.slice(0, limit).map(one => ({
          account: one.account,
          name: one.name,
          url: one.url,
          events: one.events.length === ALL_KINDS.length ? 'all' : one.events.join(' '),
          signed: one.signed,
          waiting: one.waiting,
          source: one.source,
          disabled: one.disabled?.reason ?? '',
        }))
        const columns = ['account', 'name', 'url', 'events', 'signed', 'waiting', 'source', 'disabled']
        return { kind: 'rows', columns, rows, more: all.length > limit }
      },
    },
    {
      path: ['webhook', 'endpoint', 'add'],
      summary: 'post events of an account to a URL; prints the secret that calls are signed with',
      arguments: [ACCOUNT, NAME, { name: 'URL', help: 'https://host/path' }],
      flags: [
        { name: 'events', type: 'string', help: `kinds separated by commas; default all: ${ALL_KINDS.join(', ')}` },
        { name: 'authorization', type: 'string', help: 'value of the Authorization field' },
        { name: 'concurrency', type: 'number', help: 'calls under way at a time; more than 1 gives up the order' },
      ],
      offline: false,
      run: async ({ arguments: [account = '', name = '', url = ''], flags }) => {
        const events = flags.get('events')
        const authorization = flags.get('authorization')
        const concurrency = flags.get('concurrency')
        const { secret } = await webhooks.addEndpoint({
          ...{ account, name, url },
          ...(typeof events === 'string' ? { events: events.split(',').map(parseKind) } : {}),
          ...(typeof authorization === 'string' ? { authorization } : {}),
          ...(typeof concurrency === 'number' ? { concurrency } : {}),
        })
        return { kind: 'text', text: secret }
      },
    },
    {
      path: ['webhook', 'endpoint', 'rotate'],
      summary: 'a new secret beside the last one; prints it. The last one is good until the next rotation',
      arguments: [ACCOUNT, NAME],
      offline: false,
      run: async ({ arguments: [account = '', name = ''] }) => {
        const { secret } = await webhooks.rotateSecret(account, name)
        return { kind: 'text', text: secret }
      },
    },
    {
      path: ['webhook', 'endpoint', 'remove'],
      summary: 'post no more there; calls that wait end',
      arguments: [ACCOUNT, NAME],
      offline: false,
      run: async ({ arguments: [account = '', name = ''] }) => {
        if (!(await webhooks.removeEndpoint(account, name)))
          throw new UsageError(
            `account ${account} has no endpoint ${name} in the database; those of the config are removed there`,
          )
        return { kind: 'text', text: 'removed' }
      },
    },
    {
      path: ['webhook', 'endpoint', 'enable'],
      summary: 'post again to an endpoint that had answered 410; `mox webhook replay` sends what was missed',
      arguments: [ACCOUNT, NAME],
      offline: false,
      run: async ({ arguments: [account = '', name = ''] }) => {
        if (!(await webhooks.enableEndpoint(account, name)))
          throw new UsageError(`endpoint ${name} of account ${account} is not disabled; see mox webhook endpoint list`)
        return { kind: 'text', text: 'enabled' }
      },
    },
    {
      path: ['webhook', 'test'],
      summary: 'post a sample event to an endpoint now',
      arguments: [ACCOUNT, NAME],
      flags: [{ name: 'event', type: 'string', help: 'kind of event; default delivered' }],
      offline: false,
      run: async ({ arguments: [account = '', endpoint = ''], flags }) => {
        const event = flags.get('event')
        const result = await webhooks.test({
          ...{ account, endpoint },
          ...(typeof event === 'string' ? { event: parseKind(event) } : {}),
        })
        const { success, code, error, response, durationMs } = result
        const text = success ? `HTTP status ${code} after ${durationMs} ms` : error
        return { kind: 'text', text: response === '' ? text : `${text}: ${response}`, failed: !success }
      },
    },
    replayCommand(webhooks, clock),
  ]
}

function replayCommand(webhooks: Webhooks, clock: Clock): Command {
  return {
    path: ['webhook', 'replay'],
    summary: 'send events again: one with --event, a time with --from and --to, what failed with --failed-since',
    flags: [
      { name: 'event', type: 'string', help: 'stable id of an event, as `mox event list` shows it' },
      { name: 'from', type: 'string', help: 'events from this time on: 2026-03-01T08:00:00Z, 2026-03-01, or -2d' },
      { name: 'to', type: 'string', help: 'and before this time; default now' },
      { name: 'failed-since', type: 'string', help: 'calls that ended without success since this time' },
      { name: 'account', type: 'string', help: 'only events of this account' },
      { name: 'endpoint', type: 'string', help: 'only to endpoints of this name' },
    ],
    offline: false,
    run: async ({ flags }) => {
      const text = (name: string): string | undefined => {
        const value = flags.get(name)
        return typeof value === 'string' ? value : undefined
      }
      const [event, from, to, since] = ['event', 'from', 'to', 'failed-since'].map(text)
      if ([event, from, since].filter(given => given !== undefined).length !== 1)
        throw new UsageError('give one of --event, --from and --failed-since')
      const [account, endpoint] = ['account', 'endpoint'].map(text)
      const only = { ...(account === undefined ? {} : { account }), ...(endpoint === undefined ? {} : { endpoint }) }
      const now = clock.now()
      const made = await webhooks.replay(
        event !== undefined
          ? { eventId: event, ...(endpoint === undefined ? {} : { endpoint }) }
          : since !== undefined
            ? { ...only, failedSince: parseTime(since, now) }
            : { ...only, from: parseTime(from ?? '', now), until: to === undefined ? now + 1 : parseTime(to, now) },
      )
      return { kind: 'text', text: `${made} ${made === 1 ? 'call' : 'calls'} made` }
    },
  }
}

function parseKind(text: string): EventKind {
  const kind = ALL_KINDS.find(known => known === text.trim())
  if (kind === undefined)
    throw new UsageError(`${JSON.stringify(text.trim())} is no kind of event; choose from ${ALL_KINDS.join(', ')}`)
  return kind
}
