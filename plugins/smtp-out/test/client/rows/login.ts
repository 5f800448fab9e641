// AUTH: every class of reply, and servers that do not keep to the mechanism.
import { createHmac } from 'node:crypto'
import { AUTH_OCTETS } from '../../../src/client/limits.ts'
import { type Row, TAKEN } from './row.ts'

const offers = (...names: string[]): readonly string[] => [
  'PIPELINING',
  'ENHANCEDSTATUSCODES',
  `AUTH ${names.join(' ')}`,
]
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const PLAIN = `AUTH PLAIN ${base64('\0user\0pencil')}`
const cram = createHmac('md5', 'pencil').update('<1@mx>').digest('hex')
// The name, two NULs, and all of it in base64.
const LONGEST = Math.floor((AUTH_OCTETS - 2) / 4) * 3 - '\0user\0'.length
const scramFirst = 'r=x,s=QSXCR+Q6sek8bf92,i=4096'

export const login: readonly Row[] = [
  { name: 'PLAIN', server: { extensions: offers('PLAIN') }, login: { mechanisms: ['PLAIN'] }, answers: TAKEN },
  {
    name: 'PLAIN announced the old way',
    server: { extensions: ['AUTH=PLAIN LOGIN', 'PIPELINING', 'ENHANCEDSTATUSCODES'] },
    login: { mechanisms: ['PLAIN'] },
    answers: TAKEN,
  },
  {
    name: 'LOGIN',
    server: {
      extensions: offers('LOGIN'),
      auth: `334 ${base64('Username:')}`,
      authLines: [`334 ${base64('Password:')}`, '235 ok'],
      mail: '550 5.7.1 stop here',
    },
    login: { mechanisms: ['LOGIN'] },
    answers: 'reply mail 550 5.7.1 stop here',
    commands: [
      'EHLO mail.example.org',
      'AUTH LOGIN',
      base64('user'),
      base64('pencil'),
      'MAIL FROM:<alice@example.org>',
      'RCPT TO:<bob@example.com>',
      'RCPT TO:<carol@example.com>',
      'DATA',
    ],
    usable: true,
  },
  {
    name: 'CRAM-MD5',
    server: { extensions: offers('CRAM-MD5'), auth: `334 ${base64('<1@mx>')}`, authLines: '235 ok' },
    login: { mechanisms: ['CRAM-MD5'] },
    answers: TAKEN,
    commands: [
      'EHLO mail.example.org',
      'AUTH CRAM-MD5',
      base64(`user ${cram}`),
      'MAIL FROM:<alice@example.org>',
      'RCPT TO:<bob@example.com>',
      'RCPT TO:<carol@example.com>',
      'DATA',
    ],
  },
  {
    name: 'the first of ours that is offered',
    server: { extensions: offers('LOGIN', 'PLAIN'), auth: '535 5.7.8 no' },
    login: { mechanisms: ['SCRAM-SHA-256', 'PLAIN', 'LOGIN'] },
    session: 'reply auth 535 5.7.8 no',
    commands: ['EHLO mail.example.org', PLAIN],
  },
  {
    name: 'AUTH 535',
    server: { extensions: offers('PLAIN'), auth: '535 5.7.8 wrong' },
    login: { mechanisms: ['PLAIN'] },
    session: 'reply auth 535 5.7.8 wrong',
  },
  {
    name: 'AUTH 454',
    server: { extensions: offers('PLAIN'), auth: '454 4.7.0 later' },
    login: { mechanisms: ['PLAIN'] },
    session: 'reply auth 454 4.7.0 later',
  },
  {
    name: 'AUTH 421',
    server: { extensions: offers('PLAIN'), auth: '421 bye!close' },
    login: { mechanisms: ['PLAIN'] },
    session: 'reply auth 421 - bye',
  },
  {
    name: 'AUTH 250',
    server: { extensions: offers('PLAIN'), auth: '250 ok' },
    login: { mechanisms: ['PLAIN'] },
    session: 'protocol auth 0 - 250 is no answer to AUTH: ok',
  },
  {
    name: 'AUTH is not answered',
    server: { extensions: offers('PLAIN'), auth: '!stall' },
    login: { mechanisms: ['PLAIN'] },
    session: 'io auth 0 - mx.example.com did not answer AUTH within 30 seconds',
  },
  {
    name: 'AUTH is answered by an end',
    server: { extensions: offers('PLAIN'), auth: '!close' },
    login: { mechanisms: ['PLAIN'] },
    session: 'io auth 0 - mx.example.com closed the connection',
  },
  {
    name: 'AUTH is answered by garbage',
    server: { extensions: offers('PLAIN'), auth: 'welcome' },
    login: { mechanisms: ['PLAIN'] },
    session: 'protocol auth 0 - mx.example.com: not a reply',
  },
  {
    name: 'no login offered',
    server: {},
    login: { mechanisms: ['SCRAM-SHA-256', 'PLAIN'] },
    session: 'local auth 454 4.7.0 no way to log in: the server offers none, allowed are SCRAM-SHA-256 PLAIN',
  },
  {
    name: 'nothing in common',
    server: { extensions: offers('GSSAPI', 'XOAUTH2') },
    login: { mechanisms: ['SCRAM-SHA-256'] },
    session: 'local auth 454 4.7.0 no way to log in: the server offers GSSAPI XOAUTH2, allowed are SCRAM-SHA-256',
  },
  {
    name: 'channel binding without TLS',
    server: { extensions: offers('SCRAM-SHA-256-PLUS') },
    login: { mechanisms: ['SCRAM-SHA-256-PLUS'] },
    session:
      'local auth 454 4.7.0 no way to log in: the server offers SCRAM-SHA-256-PLUS, allowed are SCRAM-SHA-256-PLUS',
  },
  {
    name: 'a password that cannot be',
    server: { extensions: offers('SCRAM-SHA-256') },
    login: { mechanisms: ['SCRAM-SHA-256'], password: 'a\u0007b' },
    session:
      'local auth 454 4.7.0 the user name or password of the relay has a character that no login may have, or is empty',
  },
  {
    name: 'PLAIN with a challenge first',
    server: { extensions: offers('PLAIN'), auth: `334 ${base64('go')}`, authLines: '501 5.7.0 cancelled' },
    login: { mechanisms: ['PLAIN'] },
    session: 'protocol auth 0 - PLAIN login to mx.example.com: the server asks for more than the mechanism has',
    commands: ['EHLO mail.example.org', PLAIN, '*'],
  },
  {
    name: 'a long name goes after the command',
    server: { extensions: offers('PLAIN'), auth: '334 ', authLines: '235 ok' },
    login: { mechanisms: ['PLAIN'], username: 'u'.repeat(400) },
    answers: TAKEN,
    commands: [
      'EHLO mail.example.org',
      'AUTH PLAIN',
      base64(`\0${'u'.repeat(400)}\0pencil`),
      'MAIL FROM:<alice@example.org>',
      'RCPT TO:<bob@example.com>',
      'RCPT TO:<carol@example.com>',
      'DATA',
    ],
  },
  {
    name: 'the longest password',
    server: { extensions: offers('PLAIN'), auth: '334 ', authLines: '235 ok' },
    login: { mechanisms: ['PLAIN'], password: 'p'.repeat(LONGEST) },
    answers: TAKEN,
  },
  {
    name: 'a password that is too long',
    server: { extensions: offers('PLAIN'), auth: '334 ' },
    login: { mechanisms: ['PLAIN'], password: 'p'.repeat(LONGEST + 1) },
    session: 'local auth 454 4.7.0 the user name or password is too long for a login',
  },
  {
    name: 'a challenge that is no base64',
    server: { extensions: offers('CRAM-MD5'), auth: '334 ???', authLines: '501 cancelled' },
    login: { mechanisms: ['CRAM-MD5'] },
    session: 'protocol auth 0 - CRAM-MD5 login to mx.example.com: the server sends what is no base64',
  },
  {
    name: 'SCRAM with a nonce of its own',
    server: { extensions: offers('SCRAM-SHA-1'), auth: `334 ${base64(scramFirst)}`, authLines: '501 cancelled' },
    login: { mechanisms: ['SCRAM-SHA-1'] },
    session: 'protocol auth 0 - SCRAM-SHA-1 login to mx.example.com: the server answers a login that is not ours',
  },
  {
    name: 'SCRAM that only says yes',
    server: { extensions: offers('SCRAM-SHA-256'), auth: '235 2.7.0 welcome' },
    login: { mechanisms: ['SCRAM-SHA-256'] },
    session: 'protocol auth 0 - SCRAM-SHA-256 login to mx.example.com: the server says yes before it proved itself',
  },
  {
    name: 'an end in the middle of a login',
    server: { extensions: offers('LOGIN'), auth: `334 ${base64('Username:')}`, authLines: '!close' },
    login: { mechanisms: ['LOGIN'] },
    session: 'io auth 0 - mx.example.com closed the connection',
  },
]
