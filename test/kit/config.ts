// Texts of mox.config.ts for tests: a server with accounts of its own, or one like localserve. All ports are free ones,
// read from the log once it listens. The probe plugin lets a test look into the running server.
import { fileURLToPath } from 'node:url'

export interface ConfigOptions {
  /** `serve`: domain example.org with accounts alice and bob; `local`: like localserve, anybody's mail is accepted. Default `serve`. */
  readonly kind?: 'serve' | 'local'
  /** Start with delivery stopped. */
  readonly paused?: boolean
  /** Seconds between delivery attempts. */
  readonly retrySchedule?: readonly number[]
  readonly logLevel?: string
  /** Further entries of `plugins`, as source text. */
  readonly plugins?: readonly string[]
  /** Lines in front of the config, for their imports. */
  readonly imports?: readonly string[]
  /** Further properties of the config, as source text. */
  readonly more?: readonly string[]
  /** Source text of the options of storageSqlite. */
  readonly storage?: string
  /** Source text of further options of smtpIn. */
  readonly smtpIn?: readonly string[]
  /** Port of the listener for other servers; default 0, a free one. */
  readonly smtpPort?: number
  readonly dataDir?: string
}

export const PASSWORD = 'correct horse battery'
/** Who may log in, by kind of config. */
export const LOGIN = {
  serve: { user: 'alice@example.org', password: PASSWORD },
  local: { user: 'mox@localhost', password: 'moxmoxmox' },
} as const

const ACCOUNTS = {
  serve: `accounts({
      domains: { 'example.org': { separators: ['+'] } },
      accounts: {
        alice: { addresses: ['alice@example.org'], password: '${PASSWORD}', maxOutgoingPerDay: 0, maxFirstTimeRecipientsPerDay: 0 },
        bob: { addresses: ['bob@example.org'], password: '${PASSWORD}', maxOutgoingPerDay: 0, maxFirstTimeRecipientsPerDay: 0 },
      },
      postmaster: 'alice',
      loginLimits: false,
    })`,
  local: `accounts({
      domains: { localhost: {} },
      accounts: {
        mox: {
          addresses: ['mox@localhost', '@localhost'],
          fullName: 'mox',
          password: 'moxmoxmox',
          maxOutgoingPerDay: 0, maxFirstTimeRecipientsPerDay: 0,
        },
      },
      postmaster: 'mox',
      fallbackAccount: 'mox',
      loginLimits: false,
    })`,
} as const

/** The text of a config file. */
export function configText(options: ConfigOptions = {}): string {
  const kind = options.kind ?? 'serve'
  const probe = fileURLToPath(new URL('./probe.ts', import.meta.url))
  const queue = [
    ...(options.paused === undefined ? [] : [`paused: ${options.paused}`]),
    ...(options.retrySchedule === undefined ? [] : [`retrySchedule: [${options.retrySchedule.join(', ')}]`]),
  ]
  return `import { accounts } from '@mox/plugin-accounts'
import { certificates } from '@mox/plugin-certificates'
import { http } from '@mox/plugin-http'
import { localserve } from '@mox/plugin-localserve'
import { mailboxes } from '@mox/plugin-mailboxes'
import { defineConfig } from '@mox/plugin-sdk'
import { smtpIn } from '@mox/plugin-smtp-in'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { probe } from ${JSON.stringify(probe)}
${(options.imports ?? []).join('\n')}
export default defineConfig({
  hostname: 'localhost',
  dataDir: ${JSON.stringify(options.dataDir ?? 'data')},
  log: { level: '${options.logLevel ?? 'info'}', format: 'json' },
  queue: { ${queue.join(', ')} },
  ${(options.more ?? []).map(line => `${line},`).join('\n  ')}
  plugins: [
    storageSqlite(${options.storage ?? ''}),
    certificates({ selfSigned: { names: ['localhost', '127.0.0.1'] } }),
    ${ACCOUNTS[kind]},
    mailboxes(),
    smtpIn({
      listeners: {
        smtp: { ip: '127.0.0.1', port: ${options.smtpPort ?? 0}, kind: 'delivery', tls: 'starttls' },
        submission: { ip: '127.0.0.1', port: 0, kind: 'submission', tls: 'starttls' },
        submissions: { ip: '127.0.0.1', port: 0, kind: 'submission', tls: 'implicit' },
      },
      allowPlainAuth: 'loopback',
      limits: false,
      ${(options.smtpIn ?? []).map(line => `${line},`).join('\n      ')}
    }),
    http({
      listeners: {
        http: { ip: '127.0.0.1', port: 0, serves: ['public', 'internal', 'admin', 'metrics'] },
      },
      adminPassword: 'moxadmin',
      requestsPerMinute: false,
    }),
    ${kind === 'local' ? 'localserve(),' : ''}
    probe(),
    ${(options.plugins ?? []).map(text => `${text},`).join('\n    ')}
  ],
})
`
}
