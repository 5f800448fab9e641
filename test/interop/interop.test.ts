// Mail between our server and those that most of the world runs, each on ports and spools of its own: as the next hop, and as
// the sender. Skipped, and said so, where they are not installed; install.sh in this folder does that.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { smtpSession } from '../kit/smtp.ts'
import { eventually } from '../kit/temp.ts'
import { eximMissing, startExim } from './exim.ts'
import { type Foreign, freePort, SIZE_LIMIT } from './foreign.ts'
import { type Mail, type Ours, parsed, startOurs, transaction } from './ours.ts'
import { postfixMissing, startPostfix } from './postfix.ts'

interface Other {
  readonly name: string
  readonly missing: string | undefined
  readonly start: (oursPort: number, port: number) => Promise<Foreign>
  /** Replies to an unknown recipient and to one that is put off: code and enhanced code. */
  readonly unknown: string
  readonly later: string
  /** What it makes of ENVID=order+2B17, and of ORCPT=rfc822;ca+2Brol@shop.example. */
  readonly envelopeId: string
  readonly original: string
  /** How its Received field names mail that came with TLS, and without. */
  readonly secured: RegExp
  readonly plain: RegExp
}

const OTHERS: readonly Other[] = [
  {
    ...{ name: 'Postfix', missing: postfixMissing, start: startPostfix, unknown: '550 5.1.1', later: '450 4.7.1' },
    ...{ envelopeId: 'order+17', original: 'ca+rol@shop.example' },
    ...{ secured: /with (UTF8)?(E?SMTP|SMTP)S\b/, plain: /with E?SMTP\b/ },
  },
  {
    // It does not announce ENHANCEDSTATUSCODES: its codes are part of the text.
    ...{ name: 'Exim', missing: eximMissing, start: startExim, unknown: '550 ', later: '450 ' },
    // Not decoded, as RFC 3464 §2.2.1 asks for.
    ...{ envelopeId: 'order+2B17', original: 'ca+2Brol@shop.example' },
    ...{ secured: /with (utf8)?esmtps\b/, plain: /with esmtp\b/ },
  },
]

for (const other of OTHERS) suite(other)

function suite({ name, missing, start, unknown, later, envelopeId, original, secured, plain }: Other): void {
  if (missing !== undefined) {
    test.skip(`${name}: ${missing}`, () => {})
    return
  }
  describe(name, () => {
    let ours: Ours
    let theirs: Foreign
    const at = (localpart: string): string => `${localpart}@${theirs.domain}`

    beforeAll(async () => {
      const port = await freePort()
      ours = await startOurs(port)
      theirs = await start(ours.server.port('smtp'), port)
    })
    afterAll(async () => {
      await theirs?.[Symbol.asyncDispose]()
      await ours?.[Symbol.asyncDispose]()
    })

    /** The message in their mailbox; waits for it. */
    const arrived = (...words: readonly string[]) =>
      eventually(async () => {
        const found = (await theirs.mail()).find(({ text }) => words.every(word => text.includes(word)))
        if (found === undefined) throw new Error(`nothing with ${words.join(' and ')}:\n${await theirs.log()}`)
        return found
      })
    /** Waits until the recipient has left our queue: status, and each attempt's code and enhanced code. */
    const ended = async (localpart: string, subject: string): Promise<string> => {
      const { status, results } = await ours.fate(
        at(localpart),
        one => one.status !== 'queued' && one.subject === subject,
      )
      return [status, ...results.map(({ code, enhanced }) => `${code} ${enhanced}`)].join(', ')
    }
    /** In alice's mailbox, as a report; waits for it. */
    const told = async (...words: readonly string[]) => {
      const text = await ours.message(
        'alice',
        text => /report-type=delivery-status/.test(text) && words.every(word => text.includes(word)),
      )
      const file = join(ours.server.dir, 'report.eml')
      await writeFile(file, text)
      return await parsed(ours.server, file)
    }
    const inject = async (mail: Mail): Promise<void> => {
      const session = await smtpSession({ port: theirs.port })
      await session.ehlo()
      await transaction(session, { from: at('sender'), ...mail })
      await session.quit()
    }

    describe('as the next hop', () => {
      test('with STARTTLS', async () => {
        await ours.submit({ subject: 'secured', to: [at('bob')] })
        assert.match((await arrived('Subject: secured')).text, secured)
        const { results } = await ours.fate(at('bob'), one => one.status === 'delivered')
        assert.equal(results[0]?.tls?.version, 'TLSv1.3')
      })

      test('without TLS, through a relay', async () => {
        await ours.submit({ subject: 'plain', from: 'bob@example.org', to: [at('bob')] })
        const { text } = await arrived('Subject: plain')
        assert.match(text, plain)
        assert.doesNotMatch(text.slice(0, text.indexOf('by mail.example.org')), secured)
      })

      test('several recipients, one refused: the others get it, and the sender is told', async () => {
        await ours.submit({ subject: 'several', to: [at('bob'), at('nobody'), at('carol')] })
        assert.match(await ended('bob', 'several'), /^delivered, 250 /)
        assert.match(await ended('carol', 'several'), /^delivered, 250 /)
        assert.equal(await ended('nobody', 'several'), `failed, ${unknown}`)
        const { recipients } = await told('<several@interop.test>')
        assert.deepEqual(
          recipients.map(one => `${one.finalRecipient} ${one.action} ${one.status}`),
          [`${at('nobody')} failed 5.1.1`],
        )
      })

      test('put off with 450: tried again until it is taken', async () => {
        await theirs.later(true)
        await ours.submit({ subject: 'later', to: [at('later')] })
        const { results } = await ours.fate(
          at('later'),
          one => one.results.filter(({ code }) => code === 450).length > 1,
        )
        assert.equal(`${results[0]?.code} ${results[0]?.enhanced}`, later)
        await theirs.later(false)
        assert.match(await ended('later', 'later'), /, 250 [\d.]*$/)
        await arrived('Subject: later')
      })

      test('too large: not sent, and the sender is told', async () => {
        await ours.submit({ subject: 'large', to: [at('bob')], size: 2 * SIZE_LIMIT })
        assert.match(await ended('bob', 'large'), /^failed, 552 5\.3\.4$/)
        const { recipients } = await told('<large@interop.test>')
        assert.deepEqual(
          recipients.map(({ action, status }) => `${action} ${status}`),
          ['failed 5.3.4'],
        )
        assert.doesNotMatch(await theirs.log(), /MAIL FROM.*SIZE=2\d{5}/)
      })

      test('SMTPUTF8', async () => {
        await ours.submit({ subject: 'grüße', to: [at('grün')], parameters: ' SMTPUTF8' })
        assert.match(await ended('grün', 'grüße'), /^delivered, 250 /)
        await arrived('Subject: grüße')
      })

      test('NOTIFY=SUCCESS: its DSN is understood, and the recipient has it in its history', async () => {
        await ours.submit({
          subject: 'success',
          to: [`${at('carol')} NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;ca+2Brol@shop.example`],
          parameters: ' RET=HDRS ENVID=order+2B17',
        })
        const report = await told('<success@interop.test>')
        assert.equal(report.kind, 'success')
        assert.equal(report.envelopeId, envelopeId)
        assert.deepEqual(
          report.recipients.map(one => `${one.finalRecipient} ${one.originalRecipient} ${one.action}`),
          [`${at('carol')} ${original} delivered`],
        )
        const { status } = await ours.fate(
          at('carol'),
          one =>
            one.subject === 'success' &&
            one.results.some(({ number, outcome }) => number === 0 && outcome === 'delivered'),
        )
        assert.equal(status, 'delivered')
      })

      test('a failure after it was taken: its DSN makes the recipient failed', async () => {
        await ours.submit({ subject: 'closed', to: [at('closed')] })
        const { results } = await ours.fate(at('closed'), one => one.subject === 'closed' && one.status === 'failed')
        assert.deepEqual(
          results.map(({ number, outcome }) => `${number} ${outcome}`),
          ['1 delivered', '0 permanent'],
        )
      })
    })

    describe('as the sender', () => {
      test('a message that we refuse is bounced, and the bounce is understood', async () => {
        await inject({ subject: 'refused', to: ['nobody@example.org'] })
        const { file } = await arrived('<refused@interop.test>', 'multipart/report')
        const { kind, reportingMta, recipients } = await parsed(ours.server, file)
        assert.deepEqual([kind, reportingMta], ['bounce', theirs.domain])
        assert.deepEqual(
          recipients.map(one => `${one.finalRecipient} ${one.action} ${one.status}`),
          ['nobody@example.org failed 5.1.1'],
        )
      })

      test('one of several recipients is unknown here: refused by itself, and the others get the message', async () => {
        await inject({ subject: 'one-of-two', to: ['bob@example.org', 'nobody@example.org'] })
        await ours.message('bob', text => text.includes('Subject: one-of-two'))
        const { file } = await arrived('<one-of-two@interop.test>', 'multipart/report')
        const { kind, reportingMta, recipients } = await parsed(ours.server, file)
        assert.deepEqual([kind, reportingMta], ['bounce', theirs.domain])
        assert.deepEqual(
          recipients.map(one => `${one.finalRecipient} ${one.action} ${one.status}`),
          ['nobody@example.org failed 5.1.1'],
        )
      })

      test('NOTIFY=SUCCESS comes through to us, and we tell the sender', async () => {
        await inject({
          subject: 'please-tell',
          to: ['bob@example.org NOTIFY=SUCCESS ORCPT=rfc822;robert@example.com'],
          parameters: ' ENVID=parcel-9',
        })
        const { file } = await arrived('parcel-9', 'multipart/report')
        const report = await parsed(ours.server, file)
        assert.deepEqual([report.kind, report.reportingMta, report.envelopeId], ['success', 'localhost', 'parcel-9'])
        assert.deepEqual(
          report.recipients.map(one => `${one.finalRecipient} ${one.originalRecipient} ${one.action}`),
          ['bob@example.org robert@example.com delivered'],
        )
      })

      test('mail with TLS and in UTF-8', async () => {
        await inject({ subject: 'größe', to: ['bob@example.org'], parameters: ' SMTPUTF8' })
        const text = await ours.message('bob', text => text.includes('Subject: größe'))
        assert.match(text, /by localhost [^;]*with\s+UTF8SMTPS/)
      })
    })
  })
}
