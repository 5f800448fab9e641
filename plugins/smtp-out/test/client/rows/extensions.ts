// What the server announced and what the message needs: parameters of MAIL and RCPT, and answers of our own where it does not fit.
import { type Row, TAKEN } from './row.ts'

const EHLO = 'EHLO mail.example.org'
const MAIL = 'MAIL FROM:<alice@example.org>'
const DATA = 'DATA'
const OK = '250 2.1.5 ok'
const MANY = '452 4.5.3 too many recipients'
const LEFT = 'local mail 452 4.5.3 the server takes no more on this connection'
const to = (count: number): string[] => Array.from({ length: count }, (_, i) => `r${i + 1}@example.com`)
const rcpt = (n: number): string => `RCPT TO:<r${n}@example.com>`
const with_ = (...keywords: string[]): Row['server'] => ({
  extensions: ['PIPELINING', 'ENHANCEDSTATUSCODES', ...keywords],
})
const path = (localpart: string, domain: string = 'example.com') => ({ localpart, domain })

/** One recipient, and the commands that are expected. */
function sent(
  name: string,
  server: Row['server'],
  message: Row['message'],
  mail: string,
  more: Partial<Row> = {},
): Row {
  return {
    name,
    server,
    ...(message === undefined ? {} : { message }),
    to: to(1),
    answers: TAKEN,
    commands: [EHLO, mail, rcpt(1), DATA],
    ...more,
  }
}

export const extensions: readonly Row[] = [
  sent('SIZE', with_('SIZE 1000'), { size: 1000 }, `${MAIL} SIZE=1000`),
  sent('SIZE without a limit', with_('SIZE 0'), { size: 9e9 }, `${MAIL} SIZE=9000000000`),
  sent('SIZE without a number', with_('SIZE'), { size: 1000 }, `${MAIL} SIZE=1000`),
  sent('SIZE that is no number', with_('SIZE big'), { size: 1000 }, MAIL),
  sent('in small letters', with_('size 2000', '8bitmime'), { size: 5, has8bit: true }, `${MAIL} SIZE=5 BODY=8BITMIME`),
  {
    name: 'too large',
    server: with_('SIZE 999'),
    message: { size: 1000 },
    answers: 'local mail 552 5.3.4 the message has 1000 octets; the server takes 999',
    commands: [EHLO],
  },
  sent('8BITMIME', with_('8BITMIME'), { has8bit: true }, `${MAIL} BODY=8BITMIME`),
  sent('8BITMIME for ASCII', with_('8BITMIME'), {}, MAIL),
  sent('8 bit without 8BITMIME', with_(), { has8bit: true }, MAIL),
  sent('SMTPUTF8', with_('SMTPUTF8'), { smtputf8: true }, `${MAIL} SMTPUTF8`),
  sent('SMTPUTF8 with parameters', with_('SMTPUTF8 x'), { smtputf8: true }, `${MAIL} SMTPUTF8`),
  sent('SMTPUTF8 that is not needed', with_('SMTPUTF8'), {}, MAIL),
  {
    name: 'SMTPUTF8 is missing',
    server: with_(),
    message: { smtputf8: true },
    answers: 'local mail 553 5.6.7 the message needs SMTPUTF8, which the server does not have',
    commands: [EHLO],
  },
  {
    name: 'SMTPUTF8 is missing for the sender',
    server: with_(),
    message: { reversePath: path('jürgen') },
    answers: 'local mail 553 5.6.7 the message needs SMTPUTF8, which the server does not have',
  },
  {
    name: 'SMTPUTF8 is missing for one recipient',
    server: with_(),
    to: ['jürgen@example.com', 'r1@example.com'],
    answers: ['local rcpt 553 5.6.7 the address needs SMTPUTF8, which the server does not have', TAKEN],
    commands: [EHLO, MAIL, rcpt(1), DATA],
  },
  {
    name: 'SMTPUTF8 for one recipient',
    server: with_('SMTPUTF8'),
    to: ['jürgen@bücher.example'],
    answers: TAKEN,
    commands: [EHLO, `${MAIL} SMTPUTF8`, 'RCPT TO:<j\u00c3\u00bcrgen@xn--bcher-kva.example>', DATA],
  },
  {
    name: 'an international domain needs no SMTPUTF8',
    server: with_(),
    to: ['info@bücher.example'],
    answers: TAKEN,
    commands: [EHLO, MAIL, 'RCPT TO:<info@xn--bcher-kva.example>', DATA],
  },
  {
    name: 'REQUIRETLS',
    server: { extensions: ['STARTTLS'], extensionsInTls: ['REQUIRETLS', 'PIPELINING', 'ENHANCEDSTATUSCODES'] },
    tls: { mode: 'required' },
    message: { requireTls: true },
    to: to(1),
    answers: TAKEN,
    commands: [EHLO, 'STARTTLS', EHLO, `${MAIL} REQUIRETLS`, rcpt(1), DATA],
  },
  {
    name: 'REQUIRETLS is missing',
    server: with_('STARTTLS'),
    tls: { mode: 'required' },
    message: { requireTls: true },
    answers: 'local mail 554 5.7.30 the message needs REQUIRETLS, which the server does not have',
    commands: [EHLO, 'STARTTLS', EHLO],
  },
  {
    name: 'REQUIRETLS in the clear',
    server: with_('REQUIRETLS'),
    message: { requireTls: true },
    answers: 'local mail 554 5.7.30 the message needs REQUIRETLS, which the server does not have',
  },
  sent('DSN', with_('DSN'), { ret: 'HDRS', envid: 'a+b=c d' }, `${MAIL} RET=HDRS ENVID=a+2Bb+3Dc+20d`, {
    to: [{ address: 'r1@example.com', notify: ['success', 'failure'], orcpt: 'rfc822;r+1@example.com' }],
    commands: [
      EHLO,
      `${MAIL} RET=HDRS ENVID=a+2Bb+3Dc+20d`,
      'RCPT TO:<r1@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;r+2B1@example.com',
      DATA,
    ],
  }),
  sent('DSN never', with_('DSN'), {}, MAIL, {
    to: [{ address: 'r1@example.com', notify: [] }],
    commands: [EHLO, MAIL, 'RCPT TO:<r1@example.com> NOTIFY=NEVER', DATA],
  }),
  sent('DSN is missing', with_(), { ret: 'FULL', envid: 'x' }, MAIL, {
    to: [{ address: 'r1@example.com', notify: ['delay'], orcpt: 'rfc822;r1@example.com' }],
  }),
  sent('the null reverse-path', with_('SIZE'), { reversePath: null, size: 7 }, 'MAIL FROM:<> SIZE=7'),
  sent(
    'a quoted localpart',
    with_(),
    { reversePath: path('a b"c', 'example.org') },
    'MAIL FROM:<"a b\\"c"@example.org>',
  ),
  sent(
    'all at once',
    with_('SIZE 0', '8BITMIME', 'SMTPUTF8', 'DSN'),
    { has8bit: true, smtputf8: true, size: 3, ret: 'FULL' },
    `${MAIL} SIZE=3 BODY=8BITMIME SMTPUTF8 RET=FULL`,
  ),
  {
    name: 'a control character in the sender',
    server: with_(),
    message: { reversePath: path('a\r\nRCPT TO:<evil@example.com>') },
    answers: 'local mail 553 5.1.3 an address or parameter has a control character',
    commands: [EHLO],
  },
  {
    name: 'a control character in one recipient',
    server: with_(),
    to: [{ address: 'x@example.com', path: path('a\nb') }, 'r1@example.com'],
    answers: ['local rcpt 553 5.1.3 an address or parameter has a control character', TAKEN],
    commands: [EHLO, MAIL, rcpt(1), DATA],
  },
  {
    name: 'ORCPT that is too long',
    server: with_('DSN'),
    to: [{ address: 'x@example.com', orcpt: `rfc822;${'x'.repeat(1100)}` }, 'r1@example.com'],
    answers: ['local rcpt 500 5.5.2 the command would be too long', TAKEN],
  },

  {
    name: 'RCPTMAX',
    server: with_('LIMITS RCPTMAX=2'),
    to: to(3),
    answers: TAKEN,
    commands: [EHLO, MAIL, rcpt(1), rcpt(2), DATA, MAIL, rcpt(3), DATA],
  },
  {
    name: 'MAILMAX',
    server: with_('LIMITS MAILMAX=1'),
    answers: TAKEN,
    usable: false,
  },
  {
    name: 'MAILMAX that is not reached',
    server: with_('LIMITS MAILMAX=2'),
    answers: TAKEN,
  },
  {
    name: 'RCPTMAX and MAILMAX',
    server: with_('LIMITS RCPTMAX=1 MAILMAX=2'),
    to: to(3),
    answers: [TAKEN, TAKEN, LEFT],
    usable: false,
    commands: [EHLO, MAIL, rcpt(1), DATA, MAIL, rcpt(2), DATA],
  },
  {
    name: 'RCPTMAX and MAILMAX of one',
    server: with_('LIMITS RCPTMAX=2 MAILMAX=1'),
    to: to(5),
    answers: [TAKEN, TAKEN, ...Array(3).fill(LEFT)],
    usable: false,
    commands: [EHLO, MAIL, rcpt(1), rcpt(2), DATA],
  },
  {
    name: 'MAILMAX, and 452 after one',
    server: { ...with_('LIMITS MAILMAX=1'), rcpt: [OK, MANY, OK] },
    to: to(2),
    answers: [TAKEN, `reply rcpt ${MANY}`],
    usable: false,
    commands: [EHLO, MAIL, rcpt(1), rcpt(2), DATA],
  },
  {
    name: 'MAILMAX, and no second connection',
    server: {
      ...with_('LIMITS RCPTMAX=1 MAILMAX=1'),
      greeting: ['220 ok', '421 4.7.0 too many connections!close', '220 ok'],
    },
    to: to(2),
    answers: [TAKEN, LEFT],
    usable: false,
  },
  {
    name: 'MAILMAX, and another refusal on the second connection',
    server: { ...with_('LIMITS RCPTMAX=1 MAILMAX=1'), rcpt: [OK, '550 5.1.1 nobody', OK] },
    to: to(3),
    answers: [TAKEN, ...Array(2).fill(LEFT)],
    usable: false,
  },
  {
    name: 'MAILMAX, and the second connection lost after the final dot',
    server: { ...with_('LIMITS RCPTMAX=1 MAILMAX=1'), end: ['250 2.0.0 taken', '!close', '250 2.0.0 taken'] },
    to: to(2),
    answers: [TAKEN, LEFT],
    usable: false,
  },
  ...[
    'LIMITS RCPTMAX=1 rcptmax=2',
    'LIMITS RCPTMAX=0',
    'LIMITS RCPTMAX=1000000',
    'LIMITS RCPTMAX=x',
    'LIMITS RCPTMAX=1;MAILMAX=1',
    'LIMITS RCPTMAX=01',
    'LIMITS RCPTMAX=1 MAILMAX=',
    'LIMITS RCPTMAX=1  MAILMAX=9',
    'LIMITS',
  ].map(
    (line): Row => ({
      name: `discarded: ${line}`,
      server: with_(line),
      to: to(2),
      answers: TAKEN,
      commands: [EHLO, MAIL, rcpt(1), rcpt(2), DATA],
    }),
  ),
  {
    name: 'LIMITS with a name that we do not know',
    server: with_('LIMITS FUTURE=x RCPTMAX=1 FLAG'),
    to: to(2),
    answers: TAKEN,
    commands: [EHLO, MAIL, rcpt(1), DATA, MAIL, rcpt(2), DATA],
  },
  {
    name: 'no enhanced codes announced',
    server: { extensions: ['PIPELINING'], end: '250 2.0.0 taken' },
    answers: 'ok end 250 - 2.0.0 taken',
  },
  {
    name: 'a keyword in the greeting line is none',
    server: { ehlo: '250 PIPELINING', extensions: [] },
    answers: 'ok end 250 - 2.0.0 taken',
  },
]
