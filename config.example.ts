// A complete mox.config.ts for one mail server. Copy it, change the names, and run `mox config check` before `mox serve`.
// Every plugin's README explains all of its options; docs/reference/options.md has them in one place.
import { accounts } from '@mox/plugin-accounts'
import { certificates } from '@mox/plugin-certificates'
import { http } from '@mox/plugin-http'
import { mailboxes } from '@mox/plugin-mailboxes'
import { defineConfig } from '@mox/plugin-sdk'
import { smtpIn } from '@mox/plugin-smtp-in'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { webapi } from '@mox/plugin-webapi'

export default defineConfig({
  // The name that other servers see. It should resolve to this machine's address, and the address back to it.
  hostname: 'mail.example.org',

  // Everything is stored here; relative paths start from this file. Back up this directory.
  dataDir: 'data',

  // Started as root, mox binds its ports and then becomes this user, which must exist: useradd --system mox
  // user: 'mox',

  log: { level: 'info', format: 'logfmt' },

  queue: {
    concurrency: 100, // deliveries at the same time, in all
    concurrencyPerDomain: 5, // and to one domain
    // Seconds between attempts: 7.5 min, 15 min, 30 min, 1 h, 2 h, 4 h, 8 h, then every 12 h until four days have passed.
    retrySchedule: [450, 900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 43_200, 43_200, 43_200, 43_200, 43_200],
    keepRetiredDays: 7, // how long `mox queue retired` shows what was delivered or failed
  },

  plugins: [
    // One SQLite database in the data directory, synced before any message is acknowledged.
    storageSqlite(),

    // A self-signed certificate works at once, and other servers accept it for opportunistic TLS. For mail programs use a
    // real one; the files are read again when they change:
    // certificates({ files: [{ certificate: '/etc/ssl/mail.example.org.crt', key: '/etc/ssl/private/mail.example.org.key' }] }),
    certificates({ selfSigned: { names: ['mail.example.org'] } }),

    // Domains and accounts may be here, in the database (`mox domain add`, `mox account add`), or some in each.
    // Passwords are never here: `mox account password alice`.
    accounts({
      domains: {
        'example.org': {
          separators: ['+'], // alice+shop@example.org is alice@example.org
          aliases: { team: { members: ['alice@example.org', 'bob@example.org'], postPublic: true } },
        },
      },
      accounts: {
        alice: { addresses: ['alice@example.org'], fullName: 'Alice Example' },
        bob: { addresses: ['bob@example.org'], fullName: 'Bob Example', quota: 10_000_000_000 },
      },
      postmaster: 'alice', // takes mail for postmaster@ every domain
    }),

    mailboxes(),

    smtpIn({
      listeners: {
        // From other servers. Never relays.
        smtp: { ip: ['0.0.0.0', '::'], port: 25, kind: 'delivery', tls: 'starttls' },
        // From our users: login required, TLS required before the login.
        submissions: { ip: ['0.0.0.0', '::'], port: 465, kind: 'submission', tls: 'implicit' },
        submission: { ip: ['0.0.0.0', '::'], port: 587, kind: 'submission', tls: 'required-starttls' },
      },
    }),

    http({
      listeners: {
        // For programs on this machine that send mail. For the world, add `tls: true` on port 443, and a real certificate.
        api: { ip: '127.0.0.1', port: 8080, serves: ['public'] },
        // Metrics for Prometheus, on this machine only.
        metrics: { ip: '127.0.0.1', port: 8010, serves: ['metrics'] },
      },
    }),

    // Sending mail over HTTP. Keys for it: `mox webapi key add alice shop`.
    webapi(),
  ],
})
