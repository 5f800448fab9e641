// The message pane in a real browser: head, text, HTML in its frame, attachments, what is known of the message, and what can be
// done with it. Skipped, and says so, where Chromium is not installed.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { storage } from '@mox/plugin-sdk'
import { ZipWriter } from '@mox/plugin-sdk/io'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { eventually } from '../kit/temp.ts'
import { fits, noViolations } from './checks.ts'
import { CHROMIUM } from './page.ts'
import { done, PHONE, row, type Shown, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const HTML =
  '<h1>Big news</h1><script>document.title="ran"</script><p onclick="alert(1)">Read <a href="https://shop.test/x">more</a></p>' +
  `<img src="cid:logo" alt="logo"><img src="http://tracker.test/p.gif" alt="tracked"><img src="http://pixel.test/o.gif" width="1" height="1" alt="">${'<p>line</p>'.repeat(80)}`

const multipart = (head: string, parts: readonly string[], kind = 'mixed'): string =>
  `${head}MIME-Version: 1.0\nContent-Type: multipart/${kind}; boundary=B\n\n${parts.map(p => `--B\n${p}\n`).join('')}--B--\n`
const head = (subject: string, from = 'Ann Example <ann@remote.example>'): string =>
  `From: ${from}\nTo: alice@example.org\nDate: Fri, 20 Nov 2026 10:00:00 +0100\nMessage-ID: <${subject.replaceAll(' ', '-')}@x.test>\nSubject: ${subject}\n`
const ALTERNATIVE = [
  'Content-Type: text/plain\n\nBig news in text\n',
  multipart(
    '',
    [
      `Content-Type: text/html\n\n${HTML}`,
      `Content-Type: image/png\nContent-ID: <logo>\nContent-Transfer-Encoding: base64\n\n${PIXEL}`,
    ],
    'related',
  )
    .replaceAll('--B', '--C')
    .replace('boundary=B', 'boundary=C'),
]

async function open(page: Page, subject: string): Promise<void> {
  await row(page, subject).click()
  await page.getByRole('article', { name: subject }).waitFor()
}

/** Opens a new tab with a press of keys, and gives its page. */
async function tab({ page }: Shown, press: () => Promise<void>): Promise<Page> {
  const opened = page.context().waitForEvent('page')
  await press()
  return await opened
}

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'a message (skipped: Chromium is not installed)' : 'a message',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({})
      await t.put('Read', multipart(head('news'), ALTERNATIVE, 'alternative'), { flags: { seen: true } })
      const long = Array.from({ length: 200 }, (_, i) => `line ${i}`).join('\n')
      await t.put(
        'Read',
        `${head('plain')}X-Mailer: Writer 1\nCc: bob@example.org\n\nHello https://example.test/path.\n> quoted\n>> twice\n${long}\n`,
      )
      await t.put(
        'Read',
        multipart(head('files'), [
          'Content-Type: text/plain\n\nSee the files.\n',
          `Content-Type: image/png; name=a.png\nContent-Disposition: attachment; filename=a.png\nContent-Transfer-Encoding: base64\n\n${PIXEL}`,
          'Content-Type: text/plain; name=notes.txt\nContent-Disposition: attachment; filename=notes.txt\n\nsome notes\n',
          'Content-Type: application/x-thing; name="../../evil.exe"\nContent-Disposition: attachment; filename="../../evil.exe"\n\nMZ\n',
        ]),
      )
    })
    afterAll(async () => await t?.stop())
    beforeEach(async () => await t.settings())

    test('text: quotes, links, headers that were chosen, all of them by key', async () => {
      await t.settings({ showHeaders: ['X-Mailer'] })
      const w = await t.open({}, '#Read')
      const { page } = w
      await open(page, 'plain')
      const article = page.getByRole('article')
      await article.getByText('Writer 1').waitFor()
      const link = article.getByRole('link', { name: 'https://example.test/path' })
      assert.equal(await link.getAttribute('rel'), 'noopener noreferrer')
      assert.equal(await link.getAttribute('target'), '_blank')
      assert.equal(await article.getByText('Message-ID').count(), 0)
      await page.keyboard.press('Control+i')
      await article.getByRole('table', { name: 'All header fields' }).getByText('<plain@x.test>').waitFor()
      await noViolations(page, 'all headers')
      await page.keyboard.press('Control+i')
      assert.match((await article.locator('time').getAttribute('title')) ?? '', /Received: .*\nDate in the message: /)
      // Scrolling without leaving the list.
      const body = page.locator('#message-body')
      const top = async () => await body.evaluate(e => e.scrollTop)
      for (const [key, holds] of [
        ['Alt+j', (y: number) => y > 50],
        ['Alt+ArrowDown', (y: number) => y > 100],
        ['Alt+Shift+J', (y: number) => y > 500],
        ['Alt+k', (y: number) => y > 100],
        ['Alt+Shift+K', (y: number) => y === 0],
      ] as const) {
        await page.keyboard.press(key)
        await eventually(async () => assert.ok(holds(await top()), `${key}: ${await top()}`))
      }
      // What can be done with an address.
      await article.getByRole('button', { name: /Ann Example/ }).click()
      const menu = page.getByRole('dialog', { name: 'Ann Example <ann@remote.example>' })
      await noViolations(page, 'an address')
      await menu.getByRole('button', { name: 'Search messages from' }).click()
      await page.getByRole('row').first().waitFor()
      assert.match(page.url(), /#search/)
      await done(w)
    })

    test('HTML: text first; a frame that can do nothing; from elsewhere only when asked, and remembered for the sender', async () => {
      const w = await t.open({}, '#Read')
      const { page } = w
      const asked: string[] = []
      page.context().on('request', request => asked.push(request.url()))
      await page.route('http://tracker.test/**', route => route.abort())
      await open(page, 'news')
      await page.locator('#message-body').getByText('Big news in text').waitFor()
      await page.keyboard.press('Shift+T')
      const frame = page.frameLocator('iframe.message-frame')
      await frame.getByRole('heading', { name: 'Big news' }).waitFor()
      await frame.getByRole('img', { name: 'logo' }).waitFor()
      await page.getByText('Images from elsewhere are not loaded.').waitFor()
      await page.getByText('An invisible image of pixel.test would tell that you opened this').waitFor()
      const src = (await page.locator('iframe.message-frame').getAttribute('src')) ?? ''
      const response = await w.client.request(src)
      assert.equal(
        response.headers.get('content-security-policy'),
        "sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'; default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'",
      )
      const served = await response.text()
      assert.doesNotMatch(served, /<script|onclick/)
      assert.match(served, /<a [^>]*href="https:\/\/shop\.test\/x"/)
      await noViolations(page, 'HTML')
      await t.shot(page, 'html')
      assert.deepEqual(
        asked.filter(url => !url.startsWith(t.host.url) && !url.startsWith('data:')),
        [],
      )
      await page.getByRole('button', { name: 'HTML with external resources' }).click()
      await eventually(() => assert.ok(asked.includes('http://tracker.test/p.gif')))
      assert.ok(!asked.some(url => url.includes('pixel.test')))
      // The same way the next time, and for nobody else.
      await page.reload()
      await page.getByRole('row').first().waitFor()
      await open(page, 'news')
      await frame.getByRole('heading', { name: 'Big news' }).waitFor()
      assert.match((await page.locator('iframe.message-frame').getAttribute('src')) ?? '', /htmlexternal$/)
      await page.getByRole('button', { name: 'Text', exact: true }).click()
      await page.locator('#message-body').getByText('Big news in text').waitFor()
      // The keys that scroll are for the frame as well.
      await page.keyboard.press('Shift+T')
      await frame.getByRole('heading', { name: 'Big news' }).waitFor()
      await page.keyboard.press('Alt+j')
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'IFRAME')
      await done(w)
    })

    test('attachments: looked at by keys and mouse, downloaded, all as zip', async () => {
      const w = await t.open({}, '#Read')
      const { page } = w
      await open(page, 'files')
      const list = page.getByRole('region', { name: 'Attachments' })
      await noViolations(page, 'attachments')
      await page.keyboard.press('v')
      const viewer = page.getByRole('dialog', { name: /^Attachment / })
      await viewer.getByText('1 of 3').waitFor()
      await noViolations(page, 'viewer')
      await t.shot(page, 'viewer')
      await page.keyboard.press('l')
      await viewer.getByText('2 of 3').waitFor()
      await page.frameLocator('iframe[title="notes.txt"]').getByText('some notes').waitFor()
      await page.keyboard.press('$')
      await viewer.getByText('3 of 3').waitFor()
      await page.keyboard.press('0')
      await viewer.getByText('1 of 3').waitFor()
      await viewer.getByRole('button', { name: 'Next' }).click()
      await viewer.getByText('2 of 3').waitFor()
      const download = page.waitForEvent('download')
      await page.keyboard.press('d')
      assert.equal((await download).suggestedFilename(), 'notes.txt')
      await page.keyboard.press('Escape')
      await viewer.waitFor({ state: 'detached' })
      const evil = page.waitForEvent('download')
      await list.getByRole('link', { name: /evil\.exe/ }).click()
      assert.doesNotMatch((await evil).suggestedFilename(), /[/\\]/)
      const zip = page.waitForEvent('download')
      await list.getByRole('link', { name: 'All as zip' }).click()
      assert.match((await zip).suggestedFilename(), /\.zip$/)
      await done(w)
    })

    test('what is in a zip archive can be looked at without saving it', async () => {
      const zip = new ZipWriter()
      const written = buffer(zip.output)
      const add = async (name: string, bytes: string | Buffer): Promise<void> =>
        await zip.stream(name, Date.UTC(2026, 1, 3), Readable.from([Buffer.from(bytes)]))
      await add('notes/read me.txt', 'text in a zip')
      await add('page.html', '<script>document.title="ran"</script>')
      await add('../../up.png', Buffer.from(PIXEL, 'base64'))
      await zip.finish()
      const encoded = (await written).toString('base64').replace(/.{76}/g, '$&\n')
      const type = 'Content-Type: application/zip; name=a.zip\nContent-Disposition: attachment; filename=a.zip'
      await t.put(
        'Read',
        multipart(head('zipped'), [
          'Content-Type: text/plain\n\nSee.\n',
          `${type}\nContent-Transfer-Encoding: base64\n\n${encoded}`,
        ]),
      )
      const w = await t.open({}, '#Read')
      const { page } = w
      await open(page, 'zipped')
      await page.keyboard.press('v')
      const viewer = page.getByRole('dialog', { name: 'Attachment a.zip' })
      await viewer.getByText('3 files').waitFor()
      assert.deepEqual(await viewer.getByRole('row').locator('a[target]').allTextContents(), [
        'notes/read me.txt',
        'page.html',
        '../../up.png',
      ])
      await noViolations(page, 'a zip archive')
      await t.shot(page, 'zip')
      const look = async (name: string): Promise<Page> => {
        const opened = await tab(w, () => viewer.getByRole('link', { name, exact: true }).click())
        await opened.waitForLoadState()
        return opened
      }
      const text = await look('notes/read me.txt')
      assert.equal(await text.locator('body').textContent(), 'text in a zip')
      await text.close()
      const html = await look('page.html')
      assert.match((await html.locator('body').textContent()) ?? '', /<script>/)
      assert.notEqual(await html.title(), 'ran')
      await html.close()
      const saved = page.waitForEvent('download')
      await viewer.getByRole('link', { name: 'save ../../up.png' }).press('Enter')
      assert.equal((await saved).suggestedFilename(), 'up.png')
      await page.keyboard.press('Escape')
      await done(w)
    })

    test('a message that is attached is shown as a message', async () => {
      const inner = `From: Eve <eve@remote.example>\nSubject: the original\nContent-Type: text/html\n\n<p>as it came</p>${'<script>alert(1)</script>'}`
      await t.put(
        'Read',
        multipart(head('with a message'), [
          'Content-Type: text/plain\n\nSee below.\n',
          `Content-Type: message/rfc822; name=original.eml\n\n${inner}\n`,
        ]),
      )
      const w = await t.open({}, '#Read')
      const { page } = w
      await open(page, 'with a message')
      await page.keyboard.press('v')
      const frame = page.frameLocator('iframe[title="original.eml"]')
      await frame.getByRole('heading', { name: 'the original' }).waitFor()
      await frame.getByText('eve@remote.example').waitFor()
      await frame.getByText('as it came').waitFor()
      await noViolations(page, 'an attached message')
      await done(w)
    })

    test('print, raw, decoded, a tab of its own, internals', async () => {
      const w = await t.open({}, '#Read')
      const { page } = w
      await open(page, 'plain')
      const raw = await tab(w, () => page.keyboard.press('Shift+O'))
      await raw.getByText('X-Mailer: Writer 1').waitFor()
      await raw.close()
      const own = await tab(w, () => page.keyboard.press('o'))
      await own.getByText('line 199').waitFor()
      assert.equal(await own.evaluate(() => window.opener), null)
      await noViolations(own, 'a tab of its own')
      await own.close()
      const printed = await tab(w, () => page.keyboard.press('Control+p'))
      await printed.getByText('line 199').waitFor()
      assert.match(printed.url(), /#print$/)
      await printed.close()
      await page.keyboard.press('Shift+I')
      const insides = page.getByRole('dialog', { name: 'Internals' })
      await insides.getByText('MIME structure').waitFor()
      await insides.getByText('"text/plain"').first().waitFor()
      await noViolations(page, 'internals')
      await page.keyboard.press('Escape')
      // The same from the menu.
      await page.getByRole('button', { name: 'More…' }).click()
      await noViolations(page, 'more')
      const decoded = await tab(w, () =>
        page.getByRole('button', { name: 'Show as decoded text in a new tab' }).click(),
      )
      await decoded.getByText('line 199').waitFor()
      await decoded.close()
      await done(w)
    })

    test('what is known of it: list, forwarded, signed, encrypted, without TLS; who is behind From', async () => {
      const signed =
        'MIME-Version: 1.0\nContent-Type: multipart/signed; boundary=B; protocol="application/pgp-signature"\n\n--B\n\nx\n--B\nContent-Type: application/pgp-signature\n\ny\n--B--\n'
      await t.put('Facts', `${head('to many')}List-Id: <l.lists.test>\nList-Post: <mailto:l@lists.test>\n\nx\n`)
      await t.put('Facts', `${head('signed')}${signed}`)
      await t.put('Facts', `${head('sealed')}${signed.replaceAll('signed', 'encrypted')}`)
      await t.put('Facts', `${head('sent on')}Resent-From: b@b.test\n\nx\n`)
      const w = await t.open({}, '#Facts')
      const { page } = w
      const chips = page.locator('.attributes .chip')
      for (const [subject, expected] of [
        ['to many', ['Mailing list']],
        ['signed', ['Signed']],
        ['sealed', ['Encrypted']],
        ['sent on', ['Forwarded']],
      ] as const) {
        await open(page, subject)
        await eventually(async () => assert.deepEqual(await chips.allTextContents(), expected, subject))
        await noViolations(page, subject)
      }
      // As delivery found it.
      await t.host.deliver(`${head('over the wire')}\nx\n`)
      for (const [subject, verifiedDomains] of [
        ['vouched for', ['remote.example']],
        ['somebody else', ['other.example']],
      ] as const)
        await deliverVerified(subject, verifiedDomains)
      await page.goto(`${t.host.url}#Inbox`)
      for (const [subject, word] of [
        ['over the wire', ''],
        ['vouched for', '✓ verified'],
        ['somebody else', '⚠ not verified'],
      ] as const) {
        await open(page, subject)
        assert.equal((await page.locator('.verdict').allTextContents()).join(), word)
        await noViolations(page, subject)
      }
      await open(page, 'over the wire')
      assert.deepEqual(await chips.allTextContents(), ['Without TLS'])
      await page.keyboard.press('Alt+t')
      const way = page.getByRole('dialog', { name: 'The way of this message' })
      await way
        .getByText(/checks? passed|accepted|delivered/i)
        .first()
        .waitFor()
      await noViolations(page, 'the way of a message')
      await t.shot(page, 'way')
      await done(w)
    })

    test('leaving a list: by a message that is sent, by one press, and why that failed', async () => {
      await t.put(
        'Lists',
        `${head('by mail')}List-Id: <l.lists.test>\nList-Unsubscribe: <mailto:leave@lists.test?subject=leave>\n\nx\n`,
      )
      await t.put(
        'Lists',
        `${head('by press')}List-Unsubscribe: <https://localhost/leave>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n\nx\n`,
      )
      const w = await t.open({}, '#Lists')
      const { page } = w
      await open(page, 'by mail')
      await page.getByRole('button', { name: 'Unsubscribe…' }).click()
      const dialog = page.getByRole('dialog').filter({ hasText: 'Leave' })
      await noViolations(page, 'leaving a list')
      await dialog.getByRole('button', { name: 'Unsubscribe' }).click()
      await dialog.locator('.buttons').getByRole('button', { name: 'Close' }).waitFor()
      const queued = await t.host.service(storage).queue.list({}, { limit: 10 })
      assert.deepEqual(
        queued.map(q => `${q.recipient.localpart}@${q.recipient.domain}`),
        ['leave@lists.test'],
      )
      await page.keyboard.press('Escape')
      await open(page, 'by press')
      await page.getByRole('button', { name: 'Unsubscribe…' }).click()
      await dialog.getByRole('button', { name: 'Unsubscribe' }).click()
      await dialog.getByRole('button', { name: 'Try again' }).waitFor()
      assert.notEqual(await dialog.locator('.problem').textContent(), '')
      await noViolations(page, 'leaving a list failed')
      await done(w)
    })

    test('words of the search are marked; labels narrow the list; a draft can be gone on with', async () => {
      await t.put('Read', `${head('about otters')}\nAn otter swims.\n`, { keywords: ['nature'] })
      await t.put('Drafts', `${head('half done', 'alice@example.org')}\nDear\n`, { flags: { draft: true, seen: true } })
      const w = await t.open({}, '#search%20otter')
      const { page } = w
      await open(page, 'about otters')
      assert.deepEqual(await page.locator('#message-body mark').allTextContents(), ['otter'])
      await page.goto(`${t.host.url}#Read`)
      await open(page, 'about otters')
      await page.getByRole('article').getByRole('button', { name: 'nature' }).click()
      await eventually(async () => assert.equal(await page.getByRole('row').count(), 1))
      await page.getByRole('button', { name: 'Show all' }).click()
      await eventually(async () => assert.ok((await page.getByRole('row').count()) > 1))
      await page.goto(`${t.host.url}#Drafts`)
      await open(page, 'half done')
      await page.keyboard.press('e')
      const compose = page.locator('section.compose')
      await compose.waitFor()
      assert.equal(await compose.getByLabel('Subject', { exact: true }).inputValue(), 'half done')
      await done(w)
    })

    test('dark, and on a phone', async () => {
      const w = await t.open({ ...PHONE, colorScheme: 'dark' }, '#Read')
      const { page } = w
      for (const subject of ['plain', 'files', 'news']) {
        await row(page, subject).tap()
        await page.getByRole('article', { name: subject }).waitFor()
        await fits(page, `${subject} on a phone`)
        await noViolations(page, `${subject} on a phone`)
        await t.shot(page, `phone-${subject}`)
        await page.getByRole('button', { name: 'More…' }).tap()
        await page.getByRole('dialog', { name: 'More' }).waitFor()
        await fits(page, 'more on a phone')
        await page.keyboard.press('Escape')
        await page.getByRole('button', { name: 'Back to the list' }).tap()
      }
      await done(w)
    })
  },
)

/** A message for which SPF or DKIM vouched at delivery, as a plugin that checks them says. */
async function deliverVerified(subject: string, verifiedDomains: readonly string[]): Promise<void> {
  const store = t.host.service(storage)
  const [id = 0] = await t.host.deliver(`${head(subject)}\nx\n`)
  await store.write(async db => {
    await db('mailboxes_message')
      .where({ id })
      .update({ verified_domains: ` ${verifiedDomains.join(' ')} ` })
  })
}
