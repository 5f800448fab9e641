// Whatever a caller puts into a value, it comes out as that value or as an error: never as another header, never as content.
import assert from 'node:assert/strict'
import { ComposeError, headerSection } from '@mox/plugin-sdk/compose'
import { decodeWords, parseAddressList, parseHeader } from '@mox/plugin-sdk/mail'
import { samplePath } from '@mox/plugin-sdk/testkit'
import fc from 'fast-check'
import { test } from 'vitest'
import { ApiError } from '../src/send/error.ts'
import * as check from '../src/send/fields.ts'
import { EMPTY_REQUEST } from '../src/send/message.ts'
import { USER_AGENT } from '../src/send/sender.ts'

/** Text with what matters in headers, often. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        '\0',
        '\t',
        ' ',
        ':',
        ';',
        '"',
        '\\',
        '<',
        '>',
        '@',
        ',',
        '(',
        ')',
        '=?utf-8?Q?=0D=0ABcc:?=',
      ),
      fc.constantFrom('Bcc: evil@e.test', 'ü', '漢', '\u2028', '\u0085', '\ud800', '=?', '?='),
      fc.string({ maxLength: 20 }),
    ),
    { maxLength: 12 },
  )
  .map(parts => parts.join(''))

const NAMES = ['From', 'To', 'Subject', 'Date', 'Message-Id', 'MIME-Version', 'X-Value', 'User-Agent']

test('header values', () => {
  fc.assert(
    fc.property(nasty, nasty, nasty, fc.boolean(), (name, subject, value, smtputf8) => {
      let section: string
      try {
        section = headerSection(
          {
            ...{
              from: { name: '', path: samplePath('alice@example.org') },
              cc: [],
              replyTo: [],
              references: [],
              date: 0,
            },
            ...{ text: '', html: '', alternativeFiles: [], inlineFiles: [], attachedFiles: [], smtputf8 },
            to: [check.mailbox({ name, address: 'ann@example.net' }, ['to', 0])],
            subject: check.plainText(subject, ['subject'], 1_000),
            messageId: check.messageId('<1@x>', smtputf8),
            headers: check.headers({ ...EMPTY_REQUEST, headers: [['X-Value', value]] }),
          },
          USER_AGENT,
        )
      } catch (error) {
        assert.ok(error instanceof ApiError || error instanceof ComposeError, String(error))
        return
      }
      const head = parseHeader(Buffer.from(`${section}\r\n`))
      assert.deepEqual(head.problems, [])
      assert.deepEqual(
        head.fields.map(field => field.name),
        NAMES,
      )
      if (!smtputf8) assert.match(section, /^[\t\r\n\x20-\x7e]*$/)
      const to = parseAddressList(head.get('to') ?? '')
      assert.deepEqual(
        to.map(entry => entry.address),
        [samplePath('ann@example.net')],
      )
      const plain = (text: string): string => decodeWords(text).toWellFormed().replace(/\s+/g, ' ').trim()
      if (!smtputf8) assert.equal(plain(head.get('subject') ?? ''), subject.toWellFormed().replace(/\s+/g, ' ').trim())
    }),
    { numRuns: 2_000, seed: 1 },
  )
})

test('bodies keep their lines and never end early', () => {
  fc.assert(
    fc.property(nasty, text => {
      if (text.includes('\0')) return void assert.throws(() => check.body(text, 'text'), ApiError)
      const body = check.body(text, 'text')
      assert.doesNotMatch(body, /(?<!\r)\n|\r(?!\n)/)
      if (text !== '') assert.ok(body.endsWith('\r\n'))
    }),
    { numRuns: 1_000, seed: 1 },
  )
})
