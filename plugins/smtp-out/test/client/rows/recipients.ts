// RCPT: each recipient is told what the server said about it; "too many" goes into a further transaction.
import { type Row, TAKEN } from './row.ts'

const closed = 'mx.example.com closed the connection'
const PLAIN = ['ENHANCEDSTATUSCODES']
const BOB = 'reply rcpt 550 5.1.1 no bob'
const to = (count: number): string[] => Array.from({ length: count }, (_, i) => `r${i + 1}@example.com`)
const rcpt = (n: number): string => `RCPT TO:<r${n}@example.com>`
const MAIL = 'MAIL FROM:<alice@example.org>'
const EHLO = 'EHLO mail.example.org'
const OK = '250 2.1.5 ok'
const MANY = '452 4.5.3 too many recipients'

function both(row: Row): Row[] {
  return [row, { ...row, name: `${row.name}, one by one`, server: { ...row.server, extensions: PLAIN } }]
}

export const recipients: readonly Row[] = [
  ...both({ name: 'one of two', server: { rcpt: ['550 5.1.1 no bob', OK] }, answers: [BOB, TAKEN] }),
  ...both({
    name: 'the other of two',
    server: { rcpt: [OK, '450 4.2.0 busy'] },
    answers: [TAKEN, 'reply rcpt 450 4.2.0 busy'],
  }),
  ...both({ name: 'forwarded', server: { rcpt: ['251 2.1.5 forwarded', '252 2.1.5 perhaps'] }, answers: TAKEN }),
  ...both({
    name: 'each its own',
    server: { rcpt: ['550 5.1.1 no bob', '451 4.3.0 later', '553 5.1.3 bad', OK] },
    to: to(4),
    answers: [BOB, 'reply rcpt 451 4.3.0 later', 'reply rcpt 553 5.1.3 bad', TAKEN],
  }),
  {
    name: 'none, and DATA refused',
    server: { rcpt: ['550 5.1.1 no bob', '550 5.1.1 no carol'], data: '554 5.5.1 no valid recipients' },
    answers: [BOB, 'reply rcpt 550 5.1.1 no carol'],
  },
  {
    name: 'none, and DATA wanted',
    server: { rcpt: '550 5.1.1 no', end: '554 5.5.1 no recipients' },
    answers: 'reply rcpt 550 5.1.1 no',
    messages: [''],
  },
  {
    name: 'none, DATA wanted and the empty message taken',
    server: { rcpt: '450 4.2.0 busy' },
    answers: 'reply rcpt 450 4.2.0 busy',
    messages: [''],
  },
  {
    name: 'none, DATA wanted and the connection closed',
    server: { rcpt: '550 5.1.1 no', end: '!close' },
    answers: 'reply rcpt 550 5.1.1 no',
    usable: false,
  },
  {
    name: 'none, DATA wanted and no answer to the empty message',
    server: { rcpt: '550 5.1.1 no', end: '!stall' },
    answers: 'reply rcpt 550 5.1.1 no',
    usable: false,
  },
  {
    name: 'none, one by one',
    server: { rcpt: '550 5.1.1 no', extensions: PLAIN },
    answers: 'reply rcpt 550 5.1.1 no',
    commands: [EHLO, MAIL, 'RCPT TO:<bob@example.com>', 'RCPT TO:<carol@example.com>'],
  },
  {
    name: 'none and closed before the answer to DATA',
    server: { rcpt: ['550 5.7.1 blocked', '550 5.7.1 blocked!close'] },
    answers: 'reply rcpt 550 5.7.1 blocked',
    usable: false,
  },
  ...both({
    name: 'refused and closed',
    server: { rcpt: '550 5.1.1 no bob!close' },
    answers: [BOB, `io rcpt 0 - ${closed}`],
    usable: false,
  }),
  ...both({
    name: 'taken and closed',
    server: { rcpt: [OK, `${OK}!close`] },
    answers: `io data 0 - ${closed}`,
    usable: false,
  }),
  ...both({
    name: '421 at the first',
    server: { rcpt: '421 4.7.0 too fast!close' },
    answers: 'reply rcpt 421 4.7.0 too fast',
    usable: false,
  }),
  ...both({
    name: '421 at the second',
    server: { rcpt: [OK, '421 4.7.0 too fast!close'] },
    answers: 'reply rcpt 421 4.7.0 too fast',
    usable: false,
  }),
  ...both({
    name: '421 after a refusal',
    server: { rcpt: ['550 5.1.1 no bob', '421 4.7.0 too fast!close'] },
    answers: [BOB, 'reply rcpt 421 4.7.0 too fast'],
    usable: false,
  }),
  ...both({
    name: 'RCPT 354',
    server: { rcpt: [OK, '354 go'] },
    answers: 'protocol rcpt 0 - 354 is no answer to RCPT: go',
    usable: false,
  }),
  ...both({
    name: 'RCPT with two codes',
    server: { rcpt: ['550 5.1.1 no bob', '250-a\n550 b'] },
    answers: [BOB, 'protocol rcpt 0 - mx.example.com: lines of one reply with different codes'],
    usable: false,
  }),
  ...both({
    name: 'RCPT is answered by garbage',
    server: { rcpt: 'OK' },
    answers: 'protocol rcpt 0 - mx.example.com: not a reply',
    usable: false,
  }),
  ...both({
    name: 'RCPT is not answered',
    server: { rcpt: [OK, '!stall'] },
    answers: 'io rcpt 0 - mx.example.com did not answer RCPT within 30 seconds',
    usable: false,
  }),
  ...both({
    name: 'reset at RCPT',
    server: { rcpt: ['550 5.1.1 no bob', '!reset'] },
    answers: [BOB, 'io rcpt 0 - the connection to mx.example.com broke: ECONNRESET'],
    usable: false,
  }),
  {
    name: 'an answer too many',
    server: { rcpt: [OK, `${OK}\n${OK}`], data: '354 go' },
    answers: `protocol data 0 - 250 is no answer to DATA: ok`,
    usable: false,
  },
  {
    name: 'a refusal where DATA should be answered',
    server: { rcpt: ['550 5.1.1 no bob', '550 5.1.1 no carol\n550 5.1.1 nobody'], data: '554 5.5.1 none' },
    answers: [BOB, 'reply rcpt 550 5.1.1 no carol'],
    usable: false,
  },

  ...both({
    name: '452 for the first',
    server: { rcpt: ['452 4.2.2 full', OK] },
    answers: ['reply rcpt 452 4.2.2 full', TAKEN],
  }),
  ...both({
    name: '552 for the first',
    server: { rcpt: ['552 5.2.2 full', OK] },
    answers: ['reply rcpt 552 5.2.2 full', TAKEN],
  }),
  ...both({
    name: 'a full mailbox is not too many',
    server: { rcpt: [OK, '452 4.2.2 mailbox full', OK] },
    to: to(3),
    answers: [TAKEN, 'reply rcpt 452 4.2.2 mailbox full', TAKEN],
    messages: ['Subject: hello\r\n\r\nhello\r\n'],
  }),
  {
    name: '452 after two',
    server: { rcpt: [OK, OK, MANY, MANY, OK, OK] },
    to: to(4),
    answers: TAKEN,
    commands: [EHLO, MAIL, rcpt(1), rcpt(2), rcpt(3), rcpt(4), 'DATA', MAIL, rcpt(3), rcpt(4), 'DATA'],
  },
  {
    name: '452 after two, one by one: no more are tried',
    server: { rcpt: [OK, OK, MANY, OK, OK], extensions: PLAIN },
    to: to(4),
    answers: TAKEN,
    commands: [EHLO, MAIL, rcpt(1), rcpt(2), rcpt(3), 'DATA', MAIL, rcpt(3), rcpt(4), 'DATA'],
  },
  {
    name: '552 after one, again and again',
    server: { rcpt: [OK, '552 5.5.3 too many', '552 5.5.3 too many', OK, OK] },
    to: to(3),
    answers: TAKEN,
    commands: [EHLO, MAIL, rcpt(1), rcpt(2), rcpt(3), 'DATA', MAIL, rcpt(2), 'DATA', MAIL, rcpt(3), 'DATA'],
  },
  {
    name: '452 after one, and then again for it alone',
    server: { rcpt: [OK, MANY, '452 4.3.1 no space'], data: ['354 go', '554 5.5.1 none'] },
    answers: [TAKEN, 'reply rcpt 452 4.3.1 no space'],
  },
  {
    name: '452 after one, and the message refused',
    server: { rcpt: [OK, MANY, OK], end: ['554 5.7.1 spam', '250 2.0.0 taken'] },
    answers: ['reply end 554 5.7.1 spam', TAKEN],
  },
  {
    name: '452 after one, and the connection closed',
    server: { rcpt: [OK, MANY], end: '250 2.0.0 taken!close' },
    answers: [TAKEN, 'io mail 0 - mx.example.com closed the connection'],
    usable: false,
  },
  {
    name: '452 after one, and lost after the final dot',
    server: { rcpt: [OK, MANY], end: '!close' },
    answers: [
      'io end 0 - mx.example.com closed the connection; the message may have been delivered',
      'io mail 0 - mx.example.com closed the connection',
    ],
    usable: false,
  },
  {
    name: '452 after one, and MAIL refused',
    server: {
      rcpt: [OK, MANY, '503 5.5.1 no'],
      mail: ['250 2.1.0 ok', '451 4.7.1 slow down'],
      data: ['354 go', '503 5.5.1 no'],
    },
    answers: [TAKEN, 'reply mail 451 4.7.1 slow down'],
  },
  {
    name: 'a transaction left open is reset',
    server: {
      rcpt: [OK, MANY, '550 5.1.1 no', OK],
      data: ['554 5.6.0 no', '554 5.5.1 none', '354 go'],
      extensions: ['PIPELINING', 'ENHANCEDSTATUSCODES', 'LIMITS RCPTMAX=2'],
    },
    to: to(3),
    answers: ['reply data 554 5.6.0 no', 'reply rcpt 550 5.1.1 no', TAKEN],
    commands: [EHLO, MAIL, rcpt(1), rcpt(2), 'DATA', 'RSET', MAIL, rcpt(2), 'DATA', 'RSET', MAIL, rcpt(3), 'DATA'],
  },
  {
    name: 'RSET is not answered',
    server: { rcpt: [OK, MANY], data: '554 5.6.0 no', rset: '!stall' },
    answers: ['reply data 554 5.6.0 no', 'io mail 0 - mx.example.com did not answer RSET within 30 seconds'],
    usable: false,
  },
  {
    name: 'RSET 421',
    server: { rcpt: [OK, MANY], data: '554 5.6.0 no', rset: '421 4.3.2 bye!close' },
    answers: ['reply data 554 5.6.0 no', 'reply mail 421 4.3.2 bye'],
    usable: false,
  },
]
