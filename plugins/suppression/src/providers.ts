// Domains whose servers are known to ignore parts of a localpart: what their own help pages promise their users. Anything else
// is compared as written, since elsewhere anna-marie@ and anna-lena@ are two people.

export interface Rule {
  /** From the first of these on, the localpart does not count. */
  readonly separators: readonly string[]
  /** Dots in the localpart do not count. */
  readonly dots: boolean
  /** Another name of that domain: both have the same mailboxes. */
  readonly sameAs?: string | undefined
}

const PLUS: Rule = { separators: ['+'], dots: false }
const GMAIL: Rule = { separators: ['+'], dots: true }

const PLUS_DOMAINS = [
  'outlook.com',
  'hotmail.com',
  'live.com',
  'msn.com',
  'icloud.com',
  'me.com',
  'mac.com',
  'fastmail.com',
  'fastmail.fm',
  'proton.me',
  'protonmail.com',
  'pm.me',
  'zoho.com',
  'yandex.com',
  'yandex.ru',
  'mailbox.org',
  'posteo.de',
]

export const PROVIDERS: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['gmail.com', GMAIL],
  ['googlemail.com', { ...GMAIL, sameAs: 'gmail.com' }],
  ...PLUS_DOMAINS.map(domain => [domain, PLUS] as const),
])
