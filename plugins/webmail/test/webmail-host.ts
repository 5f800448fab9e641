// The real program in this process with the webmail over HTTP: SQLite in a directory of its own, which close() removes, accounts
// alice and bob, a queue that stands still, a virtual clock. A client logs in and calls as the page does.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApplication, resolveConfig } from '@mox/core'
import { accounts } from '@mox/plugin-accounts'
import { http } from '@mox/plugin-http'
import { mailboxes as mailboxesPlugin } from '@mox/plugin-mailboxes'
import {
  type CommandResult,
  type MailStore,
  mailboxes,
  type Plugin,
  receiver,
  type ServiceOf,
  type ServiceToken,
  UsageError,
} from '@mox/plugin-sdk'
import { parseAddress } from '@mox/plugin-sdk/mail'
import { type CollectingLog, collectingLog, seededRandom, VirtualClock } from '@mox/plugin-sdk/testkit'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { type CallName, calls, type ErrorCode, errorBody, type Params, type Result } from '../src/api/calls.ts'
import { webmail } from '../src/index.ts'

export const PASSWORD = 'correct horse battery'

export interface WebmailHostOptions {
  readonly webmail?: Parameters<typeof webmail>[0]
  /** More plugins, such as ones with extensions. */
  readonly plugins?: readonly Plugin[]
  readonly mailboxes?: Parameters<typeof mailboxesPlugin>[0]
  readonly loginLimits?: { readonly perMinute: number; readonly perDay: number } | false
  readonly quota?: number
  /** Of alice; default none. */
  readonly limits?: { readonly maxOutgoingPerDay: number; readonly maxFirstTimeRecipientsPerDay: number }
  /** The time of the machine: a browser has no other. `clock` stands still then, and nothing looks at it. */
  readonly realTime?: boolean
}

export interface WebmailHost {
  readonly clock: VirtualClock
  readonly log: CollectingLog
  /** http://127.0.0.1:PORT/webmail/ */
  readonly url: string
  service<S extends ServiceToken<unknown>>(token: S): ServiceOf<S>
  store(account: string): Promise<MailStore>
  /** Brings a message in over SMTP; the ids of what was stored. Line ends may be LF. */
  deliver(message: string, options?: { readonly from?: string; readonly to?: string }): Promise<number[]>
  mox(line: string, flags?: Readonly<Record<string, string | number | boolean>>): Promise<CommandResult>
  /** A browser without a session. */
  client(): WebmailClient
  /** A browser that is logged in. */
  login(address?: string): Promise<WebmailClient>
  /** Stops and starts with the same data; clients stay usable. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** A call was answered with an error. */
export class CallFailure extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly response: Response
  constructor(code: ErrorCode, message: string, response: Response) {
    super(message)
    this.code = code
    this.status = response.status
    this.response = response
  }
}

/** A browser: keeps cookies, sends the CSRF token. */
export class WebmailClient {
  readonly cookies = new Map<string, string>()
  csrf = ''
  /** Of a login that needs a code. */
  proof = ''
  readonly #url: () => string

  constructor(url: () => string) {
    this.#url = url
  }

  /** A request below the webmail with cookies and CSRF token; give '' to leave the token out. */
  async request(path: string, init: RequestInit & { readonly csrf?: string } = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.cookies.size > 0) headers.set('Cookie', [...this.cookies].map(pair => pair.join('=')).join('; '))
    const csrf = init.csrf ?? this.csrf
    if (csrf !== '') headers.set('x-mox-csrf', csrf)
    const response = await fetch(new URL(path, this.#url()), { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return response
  }

  /** Parameters and result are checked as the page does. Throws CallFailure. */
  async call<N extends CallName>(name: N, params: Params<N>): Promise<Result<N>> {
    return await this.raw(name, calls[name].params.parse(params))
  }

  /** Parameters as they are. */
  async raw<N extends CallName>(name: N, params: unknown): Promise<Result<N>> {
    const response = await this.request(`api/${name}`, {
      method: 'POST',
      body: JSON.stringify(params),
      headers: { 'Content-Type': 'application/json' },
    })
    const body: unknown = await response.json()
    if (response.ok) return calls[name].result.parse(body) as Result<N>
    const { code, message } = errorBody.parse(body).error
    throw new CallFailure(code, message, response)
  }

  async login(address: string, password: string = PASSWORD): Promise<void> {
    const { loginToken } = await this.call('loginPrepare', {})
    const { csrf, proof } = await this.call('login', { loginToken, address, password })
    this.csrf = csrf
    this.proof = proof
  }
}

/** "code: message" of the failure of a call; "done" when it did not fail. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    if (error instanceof CallFailure) return `${error.code}: ${error.message}`
    throw error
  }
}

export async function openWebmail(options: WebmailHostOptions = {}): Promise<WebmailHost> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mox-webmail-'))
  const clock = new VirtualClock()
  const log = collectingLog()
  const random = seededRandom()
  const limits = options.limits ?? { maxOutgoingPerDay: 0, maxFirstTimeRecipientsPerDay: 0 }
  const base = options.realTime === true ? { log, random } : { clock, log, random }
  const quota = options.quota === undefined ? {} : { quota: options.quota }
  const config = {
    ...{ hostname: 'mail.example.org', dataDir, queue: { paused: true } },
    plugins: [
      storageSqlite(),
      accounts({
        domains: { 'example.org': { separators: ['+'] } },
        accounts: {
          alice: {
            addresses: ['alice@example.org', { address: 'work@example.org', mailbox: 'Work' }],
            ...{ fullName: 'Alice A.', ...limits, ...quota, password: PASSWORD },
          },
          gone: { addresses: ['gone@example.org'], password: PASSWORD, loginDisabled: 'moved away' },
        },
        postmaster: 'alice',
        loginLimits: options.loginLimits ?? false,
      }),
      mailboxesPlugin(options.mailboxes),
      http({ listeners: { http: { ip: '127.0.0.1', port: 0, serves: ['public'] } }, requestsPerMinute: false }),
      webmail(options.webmail),
      ...(options.plugins ?? []),
    ],
  }
  let app = createApplication(resolveConfig(config, join(dataDir, 'mox.config.ts')), base)
  let url = ''
  const start = async (): Promise<void> => {
    app = createApplication(resolveConfig(config, join(dataDir, 'mox.config.ts')), base)
    await app.open()
    await app.serve()
    url = `${String(log.lines.findLast(line => line.text === 'listening')?.fields['url'])}webmail/`
  }
  const stop = async (): Promise<void> => {
    await app.drain(AbortSignal.abort())
    await app.close()
  }
  const run: WebmailHost['mox'] = async (line, flags = {}) => {
    const words = line.split(' ')
    const command = app.commands.find(c => c.path.every((word, i) => words[i] === word))
    if (command === undefined) throw new UsageError(`no command: ${line}`)
    const given = words.slice(command.path.length).map(word => word.replaceAll('_', ' '))
    return await command.run({ arguments: given, flags: new Map(Object.entries(flags)), limit: 100 })
  }
  try {
    await start()
    // An account of the database: its password can be changed.
    await run('account add bob bob@example.org')
    await run(`account password bob ${PASSWORD.replaceAll(' ', '_')}`)
  } catch (error) {
    await app.close().catch(() => undefined)
    await rm(dataDir, { recursive: true })
    throw error
  }
  const client = (): WebmailClient => new WebmailClient(() => url)
  return {
    ...{ clock, log, client },
    get url() {
      return url
    },
    service: token => app.host.service(token),
    store: account => app.host.service(mailboxes).store(account),
    deliver: async (message, { from = 'sender@remote.example', to = 'alice@example.org' } = {}) => {
      const service = app.host.service(mailboxes)
      const before = (await service.recent({ limit: 1 }))[0]?.id ?? 0
      const { session } = await app.host.service(receiver).open(
        {
          ...{ id: random.id(), kind: 'delivery', listener: 'test', hostname: 'mail.example.org' },
          ...{ localIp: '192.0.2.25', remoteIp: '198.51.100.7', remotePort: 4_000, connectedAt: clock.now() },
          ...{ helo: 'client.example', protocol: 'ESMTP' },
        },
        new AbortController().signal,
      )
      const path = (text: string) => {
        const parsed = parseAddress(text)
        if (!parsed.ok) throw new Error(`${text} is no address`)
        return parsed.path
      }
      const replies = [await session.mail(from === '' ? null : path(from), {}), await session.rcpt({ path: path(to) })]
      const sink = session.data({ maxSize: 100_000_000 })
      await sink.write(Buffer.from(message.replace(/\r?\n/g, '\r\n'), 'latin1'))
      replies.push(await sink.finish())
      session.close()
      const refused = replies.find(reply => reply.code >= 400)
      if (refused !== undefined) throw new Error(`not delivered: ${refused.code} ${refused.text}`)
      return (await service.recent({ limit: 10 })).map(m => m.id).filter(id => id > before)
    },
    mox: run,
    login: async (address = 'alice@example.org') => {
      const browser = client()
      await browser.login(address)
      return browser
    },
    restart: async () => {
      await stop()
      await start()
    },
    close: async () => {
      await stop()
      await rm(dataDir, { recursive: true })
    },
  }
}
