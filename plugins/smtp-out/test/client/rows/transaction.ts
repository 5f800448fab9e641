// MAIL, DATA and the end of the message: every class of reply, silence, and broken connections, with and without PIPELINING.
import { type Row, TAKEN } from './row.ts'

const closed = 'mx.example.com closed the connection'
const reset = 'the connection to mx.example.com broke: ECONNRESET'
const perhaps = '; the message may have been delivered'
const PLAIN = ['ENHANCEDSTATUSCODES']
const unanswered = (what: string, seconds: number): string =>
  `mx.example.com did not answer ${what} within ${seconds} seconds`

/** The same with and without PIPELINING. */
function both(row: Row): Row[] {
  return [row, { ...row, name: `${row.name}, one by one`, server: { ...row.server, extensions: PLAIN } }]
}

export const transaction: readonly Row[] = [
  { name: 'one by one', server: { extensions: PLAIN }, answers: TAKEN },
  { name: 'octet by octet, one by one', server: { extensions: PLAIN, octets: true }, answers: TAKEN },
  ...both({
    name: 'MAIL 550',
    server: { mail: '550 5.7.1 no', rcpt: '503 5.5.1 MAIL first', data: '503 5.5.1 MAIL first' },
    answers: 'reply mail 550 5.7.1 no',
  }),
  ...both({
    name: 'MAIL 451',
    server: { mail: '451 4.3.0 later', rcpt: '503 5.5.1 MAIL first', data: '503 5.5.1 MAIL first' },
    answers: 'reply mail 451 4.3.0 later',
  }),
  ...both({ name: 'MAIL 251', server: { mail: '251 2.1.0 as you like' }, answers: TAKEN }),
  ...both({
    name: 'MAIL 354',
    server: { mail: '354 go' },
    answers: 'protocol mail 0 - 354 is no answer to MAIL: go',
    usable: false,
  }),
  ...both({
    name: 'MAIL 421',
    server: { mail: '421 4.3.2 closing!close' },
    answers: 'reply mail 421 4.3.2 closing',
    usable: false,
  }),
  ...both({
    name: 'MAIL is answered by garbage',
    server: { mail: 'ok' },
    answers: 'protocol mail 0 - mx.example.com: not a reply',
    usable: false,
  }),
  ...both({
    name: 'MAIL with two codes',
    server: { mail: '250-a\n550 b' },
    answers: 'protocol mail 0 - mx.example.com: lines of one reply with different codes',
    usable: false,
  }),
  ...both({
    name: 'MAIL is not answered',
    server: { mail: '!stall' },
    answers: `io mail 0 - ${unanswered('MAIL', 30)}`,
    usable: false,
  }),
  ...both({ name: 'closed at MAIL', server: { mail: '!close' }, answers: `io mail 0 - ${closed}`, usable: false }),
  ...both({ name: 'reset at MAIL', server: { mail: '!reset' }, answers: `io mail 0 - ${reset}`, usable: false }),
  ...both({
    name: 'refused at MAIL and closed',
    server: { mail: '554 5.7.1 blocked!close' },
    answers: 'reply mail 554 5.7.1 blocked',
    usable: false,
  }),
  {
    name: 'MAIL is answered twice',
    server: { mail: '250 2.1.0 ok\n250 2.1.0 ok', extensions: PLAIN },
    answers: 'protocol rcpt 0 - unasked reply from mx.example.com: ok',
    usable: false,
  },
  {
    name: 'MAIL refused, a server that wants the message all the same',
    server: { mail: '550 5.7.1 no', rcpt: '503 5.5.1 no' },
    answers: 'reply mail 550 5.7.1 no',
    messages: [''],
  },

  ...both({ name: 'DATA 554', server: { data: '554 5.6.0 no' }, answers: 'reply data 554 5.6.0 no' }),
  ...both({ name: 'DATA 451', server: { data: '451 4.3.0 later' }, answers: 'reply data 451 4.3.0 later' }),
  ...both({
    name: 'DATA 250',
    server: { data: '250 2.0.0 ok' },
    answers: 'protocol data 0 - 250 is no answer to DATA: ok',
    usable: false,
  }),
  ...both({
    name: 'DATA 334',
    server: { data: '334 more' },
    answers: 'protocol data 0 - 334 is no answer to DATA: more',
    usable: false,
  }),
  ...both({
    name: 'DATA 421',
    server: { data: '421 4.3.2 closing!close' },
    answers: 'reply data 421 4.3.2 closing',
    usable: false,
  }),
  ...both({
    name: 'DATA is answered by garbage',
    server: { data: 'go ahead' },
    answers: 'protocol data 0 - mx.example.com: not a reply',
    usable: false,
  }),
  ...both({
    name: 'DATA is not answered',
    server: { data: '!stall' },
    answers: `io data 0 - ${unanswered('DATA', 30)}`,
    usable: false,
  }),
  ...both({ name: 'closed at DATA', server: { data: '!close' }, answers: `io data 0 - ${closed}`, usable: false }),
  ...both({ name: 'reset at DATA', server: { data: '!reset' }, answers: `io data 0 - ${reset}`, usable: false }),

  ...both({ name: 'the message 554', server: { end: '554 5.7.1 spam' }, answers: 'reply end 554 5.7.1 spam' }),
  ...both({
    name: 'the message 451',
    server: { end: '451 4.7.1 greylisted' },
    answers: 'reply end 451 4.7.1 greylisted',
  }),
  ...both({ name: 'the message 552', server: { end: '552 5.3.4 too big' }, answers: 'reply end 552 5.3.4 too big' }),
  ...both({
    name: 'the message 550 in many lines',
    server: { end: '550-5.7.1 a\n550-5.7.1 b\n550 5.7.1 c' },
    answers: 'reply end 550 5.7.1 a/b/c',
  }),
  ...both({ name: 'the message 251', server: { end: '251 2.0.0 taken' }, answers: 'ok end 251 2.0.0 taken' }),
  ...both({
    name: 'the message 354',
    server: { end: '354 more' },
    answers: `protocol end 0 - 354 is no answer to the message: more${perhaps}`,
    usable: false,
  }),
  ...both({
    name: 'the message 421',
    server: { end: '421 4.3.2 closing!close' },
    answers: 'reply end 421 4.3.2 closing',
    usable: false,
  }),
  ...both({
    name: 'the message is answered by garbage',
    server: { end: 'thanks' },
    answers: `protocol end 0 - mx.example.com: not a reply${perhaps}`,
    usable: false,
  }),
  ...both({
    name: 'the message with two codes',
    server: { end: '250-a\n550 b' },
    answers: `protocol end 0 - mx.example.com: lines of one reply with different codes${perhaps}`,
    usable: false,
  }),
  ...both({
    name: 'the message is not answered',
    server: { end: '!stall' },
    answers: `io end 0 - ${unanswered('the message', 600)}${perhaps}`,
    usable: false,
  }),
  ...both({
    name: 'closed after the final dot',
    server: { end: '!close' },
    answers: `io end 0 - ${closed}${perhaps}`,
    usable: false,
  }),
  ...both({
    name: 'reset after the final dot',
    server: { end: '!reset' },
    answers: `io end 0 - ${reset}${perhaps}`,
    usable: false,
  }),
  ...both({
    name: 'half an answer after the final dot',
    server: { end: '250-2.0.0 taken!close' },
    answers: `io end 0 - ${closed}${perhaps}`,
    usable: false,
  }),
  { name: 'taken and closed', server: { end: '250 2.0.0 taken!close' }, answers: TAKEN, usable: false },
  {
    name: 'taken, and then 421',
    server: { end: '250 2.0.0 taken\n421 4.3.2 idle!close' },
    answers: TAKEN,
    usable: false,
  },
  { name: 'taken, and then more', server: { end: '250 2.0.0 taken\n250 2.0.0 taken' }, answers: TAKEN, usable: false },
  { name: 'taken, and then garbage', server: { end: '250 2.0.0 taken\nxyz' }, answers: TAKEN, usable: false },
  { name: 'taken, and then half a reply', server: { end: '250 2.0.0 taken\n250-' }, answers: TAKEN, usable: false },
  { name: 'taken, and then reset', server: { end: '250 2.0.0 taken!reset' }, answers: TAKEN, usable: false },
]
