// A mail server for development on this machine, made by `mox localserve`. Change what you like and restart.
import { accounts } from '@mox/plugin-accounts'
import { certificates } from '@mox/plugin-certificates'
import { dsn } from '@mox/plugin-dsn'
import { events } from '@mox/plugin-events'
import { extraData } from '@mox/plugin-extra-data'
import { fromid } from '@mox/plugin-fromid'
import { holdRules } from '@mox/plugin-hold-rules'
import { http } from '@mox/plugin-http'
import { localserve } from '@mox/plugin-localserve'
import { mailboxes } from '@mox/plugin-mailboxes'
import { defineConfig } from '@mox/plugin-sdk'
import { smtpIn } from '@mox/plugin-smtp-in'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { suppression } from '@mox/plugin-suppression'
import { webapi } from '@mox/plugin-webapi'
import { webhooks } from '@mox/plugin-webhooks'
import { webmail } from '@mox/plugin-webmail'
import { webmailInvitations } from '@mox/plugin-webmail-invitations'

const ip = ['127.0.0.1', '::1']

export default defineConfig({
  hostname: 'localhost',
  dataDir: 'data',
  log: { level: 'info' },
  queue: { keepRetiredDays: 3 },
  plugins: [
    storageSqlite(),
    certificates({ selfSigned: { names: ['localhost', '127.0.0.1', '::1'] } }),
    accounts({
      domains: { localhost: { separators: ['+'] } },
      accounts: {
        mox: {
          addresses: ['mox@localhost', '@localhost'],
          fullName: 'mox',
          password: 'moxmoxmox',
          maxOutgoingPerDay: 0, // no limits: a test may send thousands
          maxFirstTimeRecipientsPerDay: 0,
        },
      },
      postmaster: 'mox',
      fallbackAccount: 'mox', // mail to any other address or domain ends here
      loginLimits: false,
    }),
    mailboxes(),
    dsn(),
    fromid({ loginAddresses: { mox: ['mox+fromid@localhost'] } }), // this login sends with unique sender addresses
    extraData(),
    events(),
    suppression(),
    holdRules(),
    webhooks({ allowNetworks: ['127.0.0.0/8', '::1'] }), // mox webhook endpoint add mox app http://localhost:3000/hook
    smtpIn({
      listeners: {
        smtp: { ip, port: 1025, kind: 'delivery', tls: 'starttls' },
        submission: { ip, port: 1587, kind: 'submission', tls: 'starttls' },
        submissions: { ip, port: 1465, kind: 'submission', tls: 'implicit' },
      },
      allowPlainAuth: 'loopback',
      limits: false,
    }),
    http({
      listeners: {
        http: { ip, port: 1080, serves: ['public', 'internal', 'admin'] },
        https: { ip, port: 1443, tls: true, serves: ['public', 'internal', 'admin'] },
        metrics: { ip, port: 1081, serves: ['metrics'] },
      },
      adminPassword: 'moxadmin',
      requestsPerMinute: false,
    }),
    webapi({ url: 'http://localhost:1080/webapi/' }), // sending over HTTP: log in as mox@localhost
    webmail(), // in the browser: log in as mox@localhost
    webmailInvitations(),
    localserve({ home: '/webmail/' }),
  ],
})
