// The content: dots, what must not be sent, large messages, and servers that interrupt.
import { type Row, TAKEN } from './row.ts'

const HEAD = 'Subject: x\r\n\r\n'
/** More than the kernel's buffers hold on both ends. */
const LARGE = 24 * 1024 * 1024
const LINE = Buffer.from(`${'.'.padEnd(1022 - 32, 'x')}\r\n`)

/** So many octets, about, in chunks of 64 KiB. */
function large(octets: number): () => AsyncIterable<Buffer> {
  const chunk = Buffer.concat(Array<Buffer>(66).fill(LINE))
  return async function* () {
    for (let sent = 0; sent < octets; sent += chunk.length) yield chunk
  }
}

async function* broken(): AsyncGenerator<Buffer> {
  yield Buffer.from(HEAD)
  throw new Error('disk')
}

/** Good the first time, when it is looked at, and broken when it is sent. */
function brokenLater(): () => AsyncIterable<Buffer> {
  let opened = 0
  return async function* () {
    yield* large(1024 * 1024)()
    if (++opened > 1) throw new Error('disk')
  }
}

const early = (say: string): Row['server'] => ({ during: { octets: 1000, say } })

export const content: readonly Row[] = [
  {
    name: 'dots',
    server: {},
    content: `${HEAD}.\r\n..\r\n.a\r\nb.\r\n`,
    answers: TAKEN,
    messages: [`${HEAD}..\r\n...\r\n..a\r\nb.\r\n`],
  },
  { name: 'no line end at the end', server: {}, content: `${HEAD}a`, answers: TAKEN, messages: [`${HEAD}a\r\n`] },
  { name: 'nothing', server: {}, content: '', answers: TAKEN, messages: [''] },
  { name: 'a megabyte in chunks', server: {}, content: large(1024 * 1024), answers: TAKEN },
  {
    name: 'a megabyte in chunks, over TLS',
    server: { extensions: ['STARTTLS', 'ENHANCEDSTATUSCODES'] },
    tls: { mode: 'required' },
    content: large(1024 * 1024),
    answers: TAKEN,
  },
  {
    name: 'bare LF',
    server: {},
    content: `${HEAD}a\n.\r\nMAIL FROM:<>\r\n`,
    answers: 'local data 554 5.6.0 the message has a CR or LF that is not part of a CRLF',
    commands: ['EHLO mail.example.org'],
  },
  {
    name: 'bare CR',
    server: {},
    content: `${HEAD}a\rb\r\n`,
    answers: 'local data 554 5.6.0 the message has a CR or LF that is not part of a CRLF',
  },
  { name: 'NUL', server: {}, content: `${HEAD}a\0\r\n`, answers: 'local data 554 5.6.0 the message has a NUL octet' },
  { name: 'a line of 998 octets', server: {}, content: `${HEAD}${'x'.repeat(998)}\r\n`, answers: TAKEN },
  {
    name: 'a line of 999 octets',
    server: {},
    content: `${HEAD}${'x'.repeat(999)}\r\n`,
    answers: 'local data 554 5.6.0 the message has a line of more than 998 octets',
    commands: ['EHLO mail.example.org'],
  },
  {
    name: 'it cannot be read',
    server: {},
    content: broken,
    answers: 'local data 451 4.3.0 the message cannot be read',
    commands: ['EHLO mail.example.org'],
  },
  {
    name: 'it cannot be read a second time',
    server: {},
    content: brokenLater(),
    answers: 'local data 451 4.3.0 the message cannot be read',
    usable: false,
    messages: [],
  },
  {
    name: '552 in the middle',
    server: early('552 5.3.4 too big'),
    content: large(LARGE),
    answers: 'reply data 552 5.3.4 too big',
    usable: false,
  },
  {
    name: '451 in the middle, and an end',
    server: early('451 4.3.1 disk full!close'),
    content: large(LARGE),
    answers: 'reply data 451 4.3.1 disk full',
    usable: false,
  },
  {
    name: '421 in the middle',
    server: early('421 4.3.2 closing!close'),
    content: large(LARGE),
    answers: 'reply data 421 4.3.2 closing',
    usable: false,
  },
  {
    name: '250 in the middle',
    server: early('250 2.0.0 taken'),
    content: large(LARGE),
    answers: 'protocol data 0 - 250 is no answer to half a message: taken',
    usable: false,
  },
  {
    name: 'garbage in the middle',
    server: early('stop!'),
    content: large(LARGE),
    answers: 'protocol data 0 - mx.example.com: not a reply',
    usable: false,
  },
  {
    name: 'an end in the middle',
    server: early('!close'),
    content: large(LARGE),
    answers: 'io data 0 - mx.example.com closed the connection',
    usable: false,
  },
  {
    name: 'a reset in the middle',
    server: early('!reset'),
    content: large(LARGE),
    answers: 'io data 0 - the connection to mx.example.com broke: ECONNRESET',
    usable: false,
  },
  {
    name: 'a server that reads no more',
    server: early('!stall'),
    content: large(LARGE),
    answers: 'io data 0 - mx.example.com did not take the message within 40 seconds',
    usable: false,
  },
  {
    name: 'a server that reads no more, over TLS',
    server: { ...early('!stall'), extensions: ['STARTTLS'] },
    tls: { mode: 'required' },
    content: large(LARGE),
    answers: 'io data 0 - mx.example.com did not take the message within 40 seconds',
    usable: false,
  },
]
