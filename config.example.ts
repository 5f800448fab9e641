// A complete mox.config.ts for one mail server. Copy it, change the names, and run `mox config check` before `mox serve`.
// Every plugin's README explains all of its options; docs/reference/options.md has them in one place.
import { accounts } from '@mox/plugin-accounts'
import { certificates } from '@mox/plugin-certificates'
import { dns } from '@mox/plugin-dns'
import { dsn } from '@mox/plugin-dsn'
import { events } from '@mox/plugin-events'
import { extraData } from '@mox/plugin-extra-data'
import { fromid } from '@mox/plugin-fromid'
import { holdRules } from '@mox/plugin-hold-rules'
import { http } from '@mox/plugin-http'
import { mailboxes } from '@mox/plugin-mailboxes'
import { routes } from '@mox/plugin-routes'
import { defineConfig } from '@mox/plugin-sdk'
import { smtpIn } from '@mox/plugin-smtp-in'
import { smtpOut } from '@mox/plugin-smtp-out'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { suppression } from '@mox/plugin-suppression'
import { throttle } from '@mox/plugin-throttle'
import { webapi } from '@mox/plugin-webapi'
import { webhooks } from '@mox/plugin-webhooks'
import { webmail } from '@mox/plugin-webmail'
import { webmailInvitations } from '@mox/plugin-webmail-invitations'

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

    // What became of each message, kept for a month: `mox event list`.
    events({ days: 30 }),

    // Events of an account, posted to an application. Endpoints may also be added while the server runs; `mox webhook endpoint
    // add` makes the secret that calls are signed with.
    webhooks({
      accounts: {
        alice: {
          outgoing: { url: 'https://app.example.com/mail/events', events: ['delivered', 'failed', 'complained'] },
        },
      },
    }),

    smtpIn({
      listeners: {
        // From other servers. Never relays.
        smtp: { ip: ['0.0.0.0', '::'], port: 25, kind: 'delivery', tls: 'starttls' },
        // From our users: login required, TLS required before the login.
        submissions: { ip: ['0.0.0.0', '::'], port: 465, kind: 'submission', tls: 'implicit' },
        submission: { ip: ['0.0.0.0', '::'], port: 587, kind: 'submission', tls: 'required-starttls' },
      },
    }),

    // Mail to the rest of the world: to the MX hosts of the recipients' domains, found with the resolvers of
    // /etc/resolv.conf. A resolver on this machine that validates DNSSEC, such as unbound, is best.
    dns(),
    smtpOut({
      transports: {
        // A relay, for a network that closes port 25: MOX_SECRET_SMARTHOST has its password.
        // smarthost: { kind: 'submissions', host: 'smtp.provider.example', auth: { username: 'mail@example.org', passwordSecret: 'smarthost' } },
        // Addresses that must never be written to.
        closed: { kind: 'fail', code: 550, message: 'mail to this address is switched off' },
      },
    }),
    // Which transport takes what; without a route mail goes to its domain directly.
    routes({ global: [{ toDomain: ['.invalid'], transport: 'closed' }] }),
    // Tells senders that their mail failed or is late, and understands what other servers report.
    dsn(),

    // Recipients that are not written to any more: they do not exist, complained or unsubscribed. Two more policies: what an
    // operator holds, and a pace that other servers can bear.
    suppression(),
    holdRules(),
    throttle(),
    // A sender address of its own for each recipient of these logins, so that every bounce says whom it is about.
    fromid({ loginAddresses: { alice: ['alice+app@example.org'] } }),
    // X-Mox-Extra-* fields of submissions come back in webhooks.
    extraData(),

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

    // Reading and writing mail in the browser, at /webmail/ on the listeners above. Passwords go over it: give it TLS.
    // With `imageProxy: {}` images from elsewhere that a reader asks for are fetched by this server, not by the browser.
    webmail(),
    webmailInvitations(), // calendar invitations in it
  ],
})
