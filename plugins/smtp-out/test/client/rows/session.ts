// Greeting, EHLO and HELO: every class of reply, silence, and broken connections.
import { type Row, TAKEN } from './row.ts'

const closed = 'mx.example.com closed the connection'
const reset = 'the connection to mx.example.com broke: ECONNRESET'

export const session: readonly Row[] = [
  {
    name: 'an ordinary delivery',
    server: {},
    answers: TAKEN,
    commands: [
      'EHLO mail.example.org',
      'MAIL FROM:<alice@example.org>',
      'RCPT TO:<bob@example.com>',
      'RCPT TO:<carol@example.com>',
      'DATA',
    ],
    messages: ['Subject: hello\r\n\r\nhello\r\n'],
  },
  { name: 'octet by octet', server: { octets: true }, answers: TAKEN },
  { name: 'greeting of many lines', server: { greeting: '220-mx\n220-no spam\n220 ready' }, answers: TAKEN },
  { name: 'greeting 554', server: { greeting: '554 go away' }, session: 'reply greeting 554 - go away' },
  {
    name: 'greeting 554 and an end',
    server: { greeting: '554 5.7.1 blocked!close' },
    session: 'reply greeting 554 - 5.7.1 blocked',
  },
  { name: 'greeting 421', server: { greeting: '421 too busy!close' }, session: 'reply greeting 421 - too busy' },
  { name: 'greeting 450', server: { greeting: '450 later' }, session: 'reply greeting 450 - later' },
  {
    name: 'greeting 250',
    server: { greeting: '250 hello' },
    session: 'protocol greeting 0 - 250 is no answer to the connection: hello',
  },
  {
    name: 'greeting 354',
    server: { greeting: '354 go' },
    session: 'protocol greeting 0 - 354 is no answer to the connection: go',
  },
  {
    name: 'greeting of another protocol',
    server: { greeting: 'SSH-2.0-OpenSSH_9.6' },
    session: 'protocol greeting 0 - mx.example.com: not a reply',
  },
  {
    name: 'greeting with two codes',
    server: { greeting: '220-a\n554 b' },
    session: 'protocol greeting 0 - mx.example.com: lines of one reply with different codes',
  },
  {
    name: 'greeting without an end',
    server: { greeting: Buffer.from('2'.repeat(5000)) },
    session: 'protocol greeting 0 - mx.example.com: a line of the reply is too long',
  },
  {
    name: 'two greetings',
    server: { greeting: '220 a\n220 b' },
    session: 'protocol ehlo 0 - unasked reply from mx.example.com: b',
  },
  {
    name: 'no greeting',
    server: { greeting: '!stall' },
    session: 'io greeting 0 - mx.example.com did not answer the connection within 60 seconds',
  },
  {
    name: 'half a greeting',
    server: { greeting: '220-wait!stall' },
    session: 'io greeting 0 - mx.example.com did not answer the connection within 60 seconds',
  },
  { name: 'closed instead of a greeting', server: { greeting: '!close' }, session: `io greeting 0 - ${closed}` },
  { name: 'reset instead of a greeting', server: { greeting: '!reset' }, session: `io greeting 0 - ${reset}` },
  { name: 'half closed after the greeting', server: { greeting: '220 a!half' }, session: `io ehlo 0 - ${closed}` },

  { name: 'EHLO 550', server: { ehlo: '550 5.7.1 not you' }, session: 'reply ehlo 550 - 5.7.1 not you' },
  { name: 'EHLO 421', server: { ehlo: '421 closing!close' }, session: 'reply ehlo 421 - closing' },
  { name: 'EHLO 451', server: { ehlo: '451 later' }, session: 'reply ehlo 451 - later' },
  {
    name: 'EHLO 354',
    server: { ehlo: '354 what' },
    session: 'protocol ehlo 0 - 354 is no answer to EHLO: what',
  },
  {
    name: 'EHLO with two codes',
    server: { ehlo: '250-a\n251 PIPELINING' },
    session: 'protocol ehlo 0 - mx.example.com: lines of one reply with different codes',
  },
  {
    name: 'EHLO is not answered',
    server: { ehlo: '!stall' },
    session: 'io ehlo 0 - mx.example.com did not answer EHLO within 30 seconds',
  },
  { name: 'EHLO is answered by an end', server: { ehlo: '!close' }, session: `io ehlo 0 - ${closed}` },
  { name: 'EHLO is answered by a reset', server: { ehlo: '!reset' }, session: `io ehlo 0 - ${reset}` },
  {
    name: 'EHLO is answered by garbage',
    server: { ehlo: Buffer.from([0, 1, 2, 255, 13, 10]) },
    session: 'protocol ehlo 0 - mx.example.com: not a reply',
  },
  ...[500, 501, 502, 503, 504].map(
    (code): Row => ({
      name: `EHLO ${code}, then HELO`,
      server: { ehlo: `${code} unknown`, mail: '250 2.1.0 ok', end: '250 2.0.0 taken' },
      answers: 'ok end 250 - 2.0.0 taken',
      commands: [
        'EHLO mail.example.org',
        'HELO mail.example.org',
        'MAIL FROM:<alice@example.org>',
        'RCPT TO:<bob@example.com>',
        'RCPT TO:<carol@example.com>',
        'DATA',
      ],
    }),
  ),
  { name: 'HELO 550', server: { ehlo: '502 no', helo: '550 not you' }, session: 'reply ehlo 550 - not you' },
  { name: 'HELO 502', server: { ehlo: '502 no', helo: '502 no' }, session: 'reply ehlo 502 - no' },
  { name: 'HELO 421', server: { ehlo: '502 no', helo: '421 bye!close' }, session: 'reply ehlo 421 - bye' },
  {
    name: 'HELO is not answered',
    server: { ehlo: '502 no', helo: '!stall' },
    session: 'io ehlo 0 - mx.example.com did not answer HELO within 30 seconds',
  },
  { name: 'closed after EHLO was refused', server: { ehlo: '502 no!close' }, session: `io ehlo 0 - ${closed}` },
]
