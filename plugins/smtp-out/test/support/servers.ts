// Servers that do what a few words say, behind a fake Connect and a fake Dial: "ok", "refused", "550 5.1.1 at rcpt",
// "io at end", "local 553 5.6.7 at mail", "left" (for another connection), "tls at starttls; ok" (without TLS it is ok).
import { Socket } from 'node:net'
import type { AttemptStage } from '@mox/plugin-sdk'
import {
  type Answer,
  type Client,
  ClientError,
  type ClientMessage,
  type ClientOptions,
  type Connect,
  type Extensions,
  type FailureKind,
  type RecipientAnswer,
} from '../../src/client/types.ts'
import { type Dial, DialError } from '../../src/connect/dial.ts'

/** One behaviour for all recipients, or one for each localpart. */
export type Behaviour = string | Readonly<Record<string, string>>

export interface FakeServers {
  readonly connect: Connect
  readonly dial: Dial
  /** What was done, in order: "dial 192.0.2.1", "mx1.example.net 192.0.2.1 opportunistic", "send bob carol". */
  readonly done: string[]
  /** Options of every session that was asked for. */
  readonly sessions: ClientOptions[]
  readonly messages: ClientMessage[]
  readonly clients: FakeClient[]
  /** By IP address; a list is used up one message or refused session at a time, the last stays. */
  set(ip: string, ...behaviour: Behaviour[]): void
  extensions: Partial<Extensions>
}

export interface FakeClient extends Client {
  usable: boolean
  quits: number
}

const NONE: Extensions = {
  ...{
    starttls: true,
    enhancedStatusCodes: true,
    eightBitMime: true,
    pipelining: true,
    requireTls: true,
    smtputf8: true,
  },
  ...{ dsn: false, auth: [], limits: {} },
}
const SESSION: readonly AttemptStage[] = ['greeting', 'ehlo', 'starttls', 'auth']

export function fakeServers(): FakeServers {
  const behaviours = new Map<string, Behaviour[]>()
  const ips = new WeakMap<Socket, string>()

  const next = (ip: string): Behaviour => {
    const list = behaviours.get(ip) ?? ['ok']
    return (list.length > 1 ? list.shift() : list[0]) ?? 'ok'
  }
  const peek = (ip: string): Behaviour => behaviours.get(ip)?.[0] ?? 'ok'

  const servers: FakeServers = {
    ...{ done: [], sessions: [], messages: [], clients: [], extensions: {} },
    set: (ip, ...behaviour) => {
      behaviours.set(ip, behaviour)
    },
    dial: async ip => {
      servers.done.push(`dial ${ip}`)
      const behaviour = peek(ip)
      if (behaviour === 'refused') throw new DialError('error', `cannot connect to ${ip}:25: ECONNREFUSED`)
      if (behaviour === 'unreachable') throw new DialError('timeout', `cannot connect to ${ip}:25: no answer in 30 s`)
      const socket = new Socket()
      ips.set(socket, ip)
      return socket
    },
    connect: async options => {
      const ip = ips.get(options.socket) ?? ''
      const { mode, serverName, verify, accept } = options.tls
      servers.done.push(`${options.host} ${ip} ${mode}`)
      servers.sessions.push(options)
      const failure = sessionFailure(peek(ip), mode)
      if (failure !== undefined) {
        next(ip)
        throw new ClientError(failure.kind, failure.answer)
      }
      const problem = mode === 'none' ? undefined : accept?.([Buffer.from(ip)])
      const unverified = peek(ip) === 'untrusted' && verify ? 'certificate has expired' : undefined
      const text = problem ?? unverified
      if (text !== undefined) throw new ClientError('tls', { stage: 'starttls', code: 0, enhanced: '4.7.5', text })
      const client: FakeClient = {
        extensions: { ...NONE, ...servers.extensions },
        tls: mode === 'none' ? undefined : { version: 'TLSv1.3', cipher: 'C', serverName, verified: verify },
        ...{ usable: true, quits: 0 },
        send: async message => {
          servers.done.push(`send ${message.recipients.map(({ path }) => path.localpart).join(' ')}`)
          servers.messages.push(message)
          const behaviour = next(ip)
          const answers = message.recipients.map(({ id, path }): RecipientAnswer => {
            const words = typeof behaviour === 'string' ? behaviour : (behaviour[path.localpart] ?? 'ok')
            return { id, dsn: servers.extensions.dsn === true, ...answerOf(words, mode) }
          })
          if (answers.some(({ kind, code }) => kind === 'io' || kind === 'protocol' || code === 421))
            client.usable = false
          return answers
        },
        quit: async () => {
          client.quits++
          client.usable = false
        },
        destroy: () => {
          client.usable = false
        },
      }
      servers.clients.push(client)
      return client
    },
  }
  return servers
}

function sessionFailure(behaviour: Behaviour, mode: string): { kind: FailureKind; answer: Answer } | undefined {
  if (typeof behaviour !== 'string') return undefined
  const { kind, ...answer } = answerOf(behaviour, mode)
  return kind !== 'ok' && SESSION.includes(answer.stage) ? { kind, answer } : undefined
}

function answerOf(behaviour: string, mode: string): Answer & Pick<RecipientAnswer, 'kind' | 'left'> {
  const [secure = '', plain] = behaviour.split('; ')
  const words = mode === 'none' && plain !== undefined ? plain : secure
  if (words === 'ok' || words === 'untrusted')
    return { kind: 'ok', stage: 'end', code: 250, enhanced: '2.0.0', text: 'taken' }
  if (words === 'left')
    return { kind: 'local', stage: 'mail', code: 452, enhanced: '4.5.3', text: 'takes no more', left: true }
  const [, own, code, enhanced = '', stage] = /^(local )?(\d{1,3})(?: (\d\.\d+\.\d+))? at (\w+)$/.exec(words) ?? []
  if (stage !== undefined)
    return {
      ...{ kind: own === undefined ? 'reply' : 'local', stage: stage as AttemptStage, code: Number(code), enhanced },
      text: `${own === undefined ? 'said' : 'decided'} ${code}`,
    }
  const [, kind, at] = /^(io|tls|protocol) at (\w+)$/.exec(words) ?? []
  if (at === undefined) throw new Error(`"${words}" is no behaviour of a server`)
  return { kind: kind as FailureKind, stage: at as AttemptStage, code: 0, enhanced: '4.4.2', text: `${kind} trouble` }
}
