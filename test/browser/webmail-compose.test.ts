// Writing mail in a real browser: by keyboard and mouse, on a desktop and on a phone, in both themes. Skipped, and says so, where
// Chromium is not installed.
import assert from 'node:assert/strict'
import { definePlugin, webmailExtensions } from '@mox/plugin-sdk'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { fits, noViolations } from './checks.ts'
import { CHROMIUM } from './page.ts'
import { chips, done, field, PHONE, paste, saved, WebmailTest } from './webmail-page.ts'

/** Bytes: small, so that too large a file need not be large. */
const MAX_MESSAGE = 2 * 1024 * 1024

const careful = definePlugin({
  name: 'careful',
  provides: { webmailExtensions },
  setup: () => ({
    services: {
      webmailExtensions: {
        name: 'careful',
        title: 'Careful',
        script: `export default registry => registry.composeCheck({
          id: 'careful.salary',
          check: ({ text }) => text.includes('salary') ? { text: 'You write about money.', ask: true } : undefined,
        })`,
      },
    },
  }),
})

let t: WebmailTest

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'writing mail (skipped: Chromium is not installed)' : 'writing mail',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({
        webmail: { maxMessageSize: MAX_MESSAGE },
        plugins: [careful()],
        limits: { maxOutgoingPerDay: 1_000, maxFirstTimeRecipientsPerDay: 40 },
      })
    })
    afterAll(async () => await t?.stop())
    beforeEach(async () => await t.settings({ showAddressSecurity: false }))

    test('a new message by keyboard: recipients, completion, chips, subject, text, send', async () => {
      const w = await t.open()
      const { page } = w
      const compose = await w.write()
      const to = field(compose, 'To')
      await page.keyboard.type('Ann Example <ann@remote.test>, bob@remote.test;')
      assert.deepEqual(await chips(compose, 'to').allTextContents(), ['Ann Example', 'bob@remote.test'])
      // The last one becomes text again.
      await page.keyboard.press('Backspace')
      assert.equal(await to.inputValue(), 'bob@remote.test')
      await page.keyboard.press('Home')
      await page.keyboard.type('big')
      await page.keyboard.press('Enter')
      assert.deepEqual(await chips(compose, 'to').allTextContents(), ['Ann Example', 'bigbob@remote.test'])
      await page.keyboard.press('Control+Shift+C')
      await page.keyboard.type('nonsense,')
      await compose.getByText('(not a mail address)').waitFor()
      await page.keyboard.press('Control+Enter')
      await compose.getByText('"nonsense" is not a mail address.').waitFor()
      await compose.getByRole('button', { name: 'Remove nonsense' }).click()
      await page.keyboard.press('Control+Shift+B')
      await page.keyboard.type('hidden@remote.test')
      await page.keyboard.press('Control+Shift+Y')
      await page.keyboard.type('answers@remote.test')
      await field(compose, 'Subject').fill('By keys')
      await field(compose, 'Message').fill('Hello\n')
      await t.shot(page, 'new')
      await noViolations(page, 'compose')
      await page.keyboard.press('Control+Enter')
      await page.getByText('Message sent').waitFor()
      assert.equal(await page.locator('section.compose').count(), 0)
      const source = await t.source('Sent', 'By keys')
      assert.match(source, /^To: Ann Example <ann@remote\.test>, bigbob@remote\.test\r$/m)
      assert.match(source, /^Bcc: hidden@remote\.test\r$/m)
      assert.match(source, /^Reply-To: answers@remote\.test\r$/m)
      assert.doesNotMatch(source, /^Cc:/m)
      // Names are found as well as addresses; a whole address is meant as it stands.
      await w.write()
      await page.keyboard.type('EXAMP')
      await compose.getByRole('option', { name: 'Ann Example <ann@remote.test>' }).waitFor()
      await t.shot(page, 'completion')
      await page.keyboard.press('Tab')
      await page.keyboard.type('bob@remote.test')
      await compose.getByRole('option', { name: 'bigbob@remote.test' }).waitFor()
      await page.keyboard.press('Tab')
      assert.deepEqual(await chips(compose, 'to').allTextContents(), ['Ann Example', 'bob@remote.test'])
      await done(w)
    })

    test('what is pasted becomes one entry for each address; an entry is pressed to change it', async () => {
      const w = await t.open()
      const { page } = w
      const compose = await w.write()
      await paste(page, '[data-field="to"] input', {
        'text/plain': '"Doe, Jo" <jo@remote.test>, b@remote.test\nTeam: c@remote.test;',
      })
      await chips(compose, 'to').nth(2).waitFor()
      assert.deepEqual(await chips(compose, 'to').allTextContents(), ['Doe, Jo', 'b@remote.test', 'c@remote.test'])
      await chips(compose, 'to').nth(1).click()
      assert.equal(await field(compose, 'To').inputValue(), 'b@remote.test')
      await field(compose, 'To').fill('bb@remote.test')
      // Taken when the field is left; an entry that is removed at that moment stays away.
      await compose.getByRole('button', { name: 'Remove c@remote.test' }).click()
      await chips(compose, 'to').nth(1).waitFor()
      assert.deepEqual(await chips(compose, 'to').allTextContents(), ['Doe, Jo', 'bb@remote.test'])
      await compose.getByRole('button', { name: 'Discard' }).click()
      await done(w)
    })

    test('identities: who writes, with signature, Reply-To and Bcc of the address; any address as text', async () => {
      await t.settings({
        showAddressSecurity: false,
        signature: '-- \nAlice',
        identities: [
          {
            address: 'work@example.org',
            name: 'Alice at work',
            signature: '-- \nThe $& Office',
            replyTo: 'desk@example.org',
            bcc: 'log@remote.test',
          },
        ],
      })
      const w = await t.open()
      const { page } = w
      const compose = await w.write('x@remote.test')
      assert.equal(await field(compose, 'Message').inputValue(), '\n\n-- \nAlice\n')
      await compose.getByLabel('From', { exact: true }).selectOption('Alice at work <work@example.org>')
      assert.equal(await field(compose, 'Message').inputValue(), '\n\n-- \nThe $& Office\n')
      assert.deepEqual(await chips(compose, 'reply-to').allTextContents(), ['desk@example.org'])
      assert.deepEqual(await chips(compose, 'bcc').allTextContents(), ['log@remote.test'])
      await field(compose, 'Subject').fill('From an address')
      await compose.getByRole('button', { name: 'Write another address' }).click()
      await compose.getByLabel('From', { exact: true }).fill('Somebody <nobody@elsewhere.test>')
      await page.keyboard.press('Control+Enter')
      await compose
        .getByText('Not sent: you may not send from nobody@elsewhere.test; choose an address of yours')
        .waitFor()
      await t.shot(page, 'not-sent')
      await compose.getByLabel('From', { exact: true }).fill('Alice <work+suffix@example.org>')
      await page.keyboard.press('Control+Enter')
      await page.getByText('Message sent').waitFor()
      assert.match(await t.source('Sent', 'From an address'), /^From: Alice <work\+suffix@example\.org>\r$/m)
      await done(w)
    })

    test('asks before it sends without subject, without the file that it speaks of, and what an extension asks', async () => {
      const w = await t.open()
      const { page } = w
      const compose = await w.write('x@remote.test')
      await field(compose, 'Message').fill('The salary is attached.')
      await compose.getByText('You write about money.').waitFor()
      await compose.getByText('The text speaks of an attachment, and there is none.').waitFor()
      await page.keyboard.press('Control+Enter')
      const question = page.getByRole('dialog', { name: 'Send it like this?' })
      for (const text of ['There is no subject.', 'an attachment', 'about money'])
        await question.getByText(text).waitFor()
      await t.shot(page, 'ask')
      await page.keyboard.press('Escape')
      await question.waitFor({ state: 'detached' })
      assert.equal(await field(compose, 'Message').inputValue(), 'The salary is attached.')
      await compose.getByRole('button', { name: 'Send', exact: true }).click()
      await question.getByRole('button', { name: 'Send' }).click()
      await page.getByText('Message sent').waitFor()
      await done(w)
    })

    test('files: picked, dropped and pasted, with progress; removed, cancelled, too large', async () => {
      const w = await t.open()
      const { page } = w
      const compose = await w.write('x@remote.test')
      await field(compose, 'Subject').fill('With files')
      const picker = compose.locator('input[type=file]')
      const names = compose.locator('.files .file-name')
      await picker.setInputFiles([{ name: 'one.txt', mimeType: 'text/plain', buffer: Buffer.from('one') }])
      await compose.getByRole('button', { name: 'Remove one.txt' }).waitFor()
      await compose.evaluate(element => {
        const dataTransfer = new DataTransfer()
        dataTransfer.items.add(new File(['two'], 'two.txt', { type: 'text/plain' }))
        for (const type of ['dragenter', 'dragover', 'drop'])
          element.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }))
      })
      await compose.getByRole('button', { name: 'Remove two.txt' }).waitFor()
      await compose.locator('.compose-text').evaluate(element => {
        const clipboardData = new DataTransfer()
        clipboardData.items.add(new File(['three'], 'three.png', { type: 'image/png' }))
        element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
      })
      await compose.getByRole('button', { name: 'Remove three.png' }).waitFor()
      await compose.getByRole('button', { name: 'Remove two.txt' }).click()
      await compose.getByRole('button', { name: 'Remove two.txt' }).waitFor({ state: 'detached' })
      // An upload that goes on: shown, in the way of sending, and cancelled.
      const held = Promise.withResolvers<void>()
      await page.route('**/upload/*', async route => {
        await held.promise
        await route.abort().catch(() => undefined)
      })
      await picker.setInputFiles([
        { name: 'slow.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(1_000) },
      ])
      await compose.getByRole('progressbar', { name: 'Uploading slow.bin' }).waitFor()
      await t.shot(page, 'files')
      await compose.getByRole('button', { name: 'Send', exact: true }).click()
      await compose.getByText('A file is still on its way').waitFor()
      await compose.getByRole('button', { name: 'Cancel slow.bin' }).click()
      held.resolve()
      await page.unroute('**/upload/*')
      // Too large by what the page knows: nothing is sent.
      const requests: string[] = []
      page.on('request', request => requests.push(request.url()))
      await picker.setInputFiles([
        { name: 'large.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(MAX_MESSAGE) },
      ])
      await compose.getByText('too large: a message has at most').waitFor()
      assert.deepEqual(
        requests.filter(url => url.includes('/upload/')),
        [],
      )
      await t.shot(page, 'too-large')
      await compose.getByRole('button', { name: 'Dismiss large.bin' }).click()
      assert.deepEqual(await names.allTextContents(), ['one.txt', 'three.png'])
      await page.keyboard.press('Control+Enter')
      await page.getByText('Message sent').waitFor()
      const source = await t.source('Sent', 'With files')
      assert.match(source, /filename="?one\.txt/)
      assert.match(source, /filename="?three\.png/)
      assert.doesNotMatch(source, /two\.txt|slow\.bin|large\.bin/)
      await done(w)
    })

    test('a file of 100 MB that the page would have let through is refused by the server before it is read', async () => {
      const w = await t.open()
      const { page } = w
      const compose = await w.write('x@remote.test')
      await page.evaluate(`{
        const { send } = XMLHttpRequest.prototype
        XMLHttpRequest.prototype.send = function (body) {
          this.upload.addEventListener('load', () => { globalThis.uploaded = true })
          send.call(this, body)
        }
      }`)
      await compose.evaluate(() => {
        // The limit is checked against the size that a file says it has.
        Object.defineProperty(File.prototype, 'size', { get: () => 1_000, configurable: true })
      })
      await compose.evaluate(element => {
        const dataTransfer = new DataTransfer()
        dataTransfer.items.add(new File([new Uint8Array(100 * 1024 * 1024)], 'huge.bin'))
        element.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
      })
      const problem = compose.locator('.files [role=alert]')
      await problem.waitFor()
      assert.match((await problem.textContent()) ?? '', /too large/)
      assert.equal(await page.evaluate('globalThis.uploaded'), undefined, 'the upload has ended')
      await t.shot(page, 'refused-by-server')
      await compose.getByRole('button', { name: 'Dismiss huge.bin' }).click()
      await compose.getByRole('button', { name: 'Discard' }).click()
      await done(w)
    })

    test('drafts: saved by themselves, found again by address and in Drafts, edited, discarded with a way back', async () => {
      const w = await t.open()
      const { page } = w
      const compose = await w.write('x@remote.test')
      await field(compose, 'Subject').fill('A draft')
      await field(compose, 'Message').fill('first')
      // Nothing is asked for: it saves itself.
      await compose.getByText('Draft saved').waitFor()
      assert.match(page.url(), /,compose:[a-z2-7]{26}$/)
      await field(compose, 'Message').fill('second')
      // Left before it was saved again.
      await page.reload()
      await compose.waitFor()
      await page.waitForFunction("document.querySelector('.compose-text')?.value === 'second'")
      assert.equal(await page.locator('section.compose').count(), 1)
      await saved(compose)
      const drafts = (await t.sources('Drafts')).filter(source => source.includes('Subject: A draft'))
      assert.equal(drafts.length, 1)
      // Closed, it is in Drafts, and comes to a list that is open.
      await page.keyboard.press('Control+Shift+S')
      await compose.waitFor({ state: 'detached' })
      await page.getByRole('treeitem', { name: /Drafts/ }).click()
      await page
        .getByRole('row', { name: /A draft/ })
        .first()
        .click()
      await page.getByRole('button', { name: 'Edit', exact: true }).waitFor()
      await page.keyboard.press('e')
      await compose.waitFor()
      assert.equal(await field(compose, 'Message').inputValue(), 'second')
      // Saved, it is another message; it stays the one that is selected.
      await field(compose, 'Message').fill('third')
      await saved(compose)
      await page.locator('[role=row][aria-selected=true]', { hasText: 'third' }).waitFor()
      await compose.getByRole('button', { name: 'Discard' }).click()
      await compose.waitFor({ state: 'detached' })
      await page.getByRole('row', { name: /A draft/ }).waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Undo' }).click()
      await compose.waitFor()
      assert.equal(await field(compose, 'Message').inputValue(), 'third')
      await compose.getByText('Draft saved').waitFor()
      await page
        .getByRole('row', { name: /A draft/ })
        .first()
        .waitFor()
      await compose.getByRole('button', { name: 'Discard' }).click()
      await done(w)
    })

    test('a draft in two windows: the later save says so, and goes on as another draft', async () => {
      const [one, two] = [await t.open(), await t.open()]
      const compose = await one.write('x@remote.test')
      await field(compose, 'Subject').fill('Twice')
      await saved(compose)
      await two.page.goto(one.page.url())
      await two.page.reload()
      await two.compose.waitFor()
      await field(two.compose, 'Message').fill('of two')
      await saved(two.compose)
      await field(compose, 'Message').fill('of one')
      await compose.press('Control+s')
      await compose.getByText('Not saved: this draft was changed in another window').waitFor()
      await t.shot(one.page, 'conflict')
      await compose.getByRole('button', { name: 'Keep this as another draft' }).click()
      await compose.getByText('Draft saved').waitFor()
      const drafts = (await t.sources('Drafts')).filter(source => source.includes('Subject: Twice'))
      assert.deepEqual(drafts.map(source => source.trimEnd().split('\r\n').at(-1)).sort(), ['of one', 'of two'])
      for (const writer of [one, two]) {
        await writer.compose.getByRole('button', { name: 'Discard' }).click()
        await writer.compose.waitFor({ state: 'detached' })
        await done(writer)
      }
    })

    test('several windows: minimised, filling the page, of a size that is remembered', async () => {
      const w = await t.open()
      const { page } = w
      const first = await w.write('one@remote.test')
      await first.getByRole('button', { name: 'Minimise' }).click()
      await page.locator('section.compose.minimised').waitFor()
      const second = await w.write('two@remote.test')
      await t.shot(page, 'several')
      await noViolations(page, 'several windows')
      await second.getByRole('button', { name: 'Maximise' }).click()
      await page.locator('section.compose.maximised').waitFor()
      assert.ok(((await second.boundingBox())?.width ?? 0) > 1_200)
      await t.shot(page, 'maximised')
      await second.getByRole('button', { name: 'Restore the size' }).click()
      await page.locator('section.compose.maximised').waitFor({ state: 'detached' })
      const before = await second.boundingBox()
      assert.ok(before !== null)
      const corner = second.getByRole('button', { name: /^Size of the window/ })
      const box = await corner.boundingBox()
      assert.ok(box !== null)
      await page.mouse.move(box.x + 6, box.y + 6)
      await page.mouse.down()
      await page.mouse.move(box.x - 94, box.y + 56, { steps: 3 })
      await page.mouse.up()
      const dragged = await second.boundingBox()
      assert.deepEqual([dragged?.width, dragged?.height], [before.width + 100, before.height - 50])
      assert.equal((dragged?.x ?? 0) + (dragged?.width ?? 0), before.x + before.width)
      await corner.focus()
      await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('ArrowUp')
      const keyed = await second.boundingBox()
      assert.deepEqual([keyed?.width, keyed?.height], [before.width + 124, before.height - 26])
      for (const window of [second, page.locator('section.compose.minimised')])
        await window.getByRole('button', { name: 'Save and close' }).click()
      await page.locator('section.compose').first().waitFor({ state: 'detached' })
      await page.reload()
      const again = await w.write()
      assert.equal((await again.boundingBox())?.width, before.width + 124)
      await again.getByRole('button', { name: 'Save and close' }).click()
      await again.waitFor({ state: 'detached' })
      // Of a page of another size it is not.
      await page.setViewportSize({ width: 1_200, height: 800 })
      await w.write()
      assert.equal((await again.boundingBox())?.width, before.width)
      await again.getByRole('button', { name: 'Save and close' }).click()
      await done(w)
    })

    test('rich text: bold, lists, links, quotes; what is pasted is cleaned; a plain text goes along', async () => {
      await t.settings({
        showAddressSecurity: false,
        signature: '-- \nA & <b>',
        templates: [{ name: 'Thanks', subject: 'Thank you', text: 'Thanks a lot!' }],
      })
      const w = await t.open()
      const { page } = w
      const loaded: string[] = []
      page.on('request', request => loaded.push(request.url()))
      const compose = await w.write('x@remote.test')
      await compose.getByRole('button', { name: 'More' }).click()
      await page.getByRole('button', { name: 'Write with formatting' }).click()
      const text = compose.getByRole('textbox', { name: 'Message' })
      await text.waitFor()
      assert.ok(loaded.some(url => /editor.*\.js$/.test(url)))
      await page.keyboard.press('Control+Home')
      await page.keyboard.type('Hello ')
      await page.keyboard.press('Control+b')
      await page.keyboard.type('bold')
      await page.keyboard.press('Control+b')
      await page.keyboard.press('Enter')
      await compose.getByRole('button', { name: 'List', exact: true }).click()
      await page.keyboard.type('one')
      await page.keyboard.press('Enter')
      await page.keyboard.type('two')
      await page.keyboard.press('Enter')
      await page.keyboard.press('Enter')
      await compose.getByRole('button', { name: 'Link' }).click()
      await page.getByLabel('Address', { exact: true }).fill('https://x.test/page')
      await page.getByRole('button', { name: 'Set link' }).click()
      await text.getByRole('link').waitFor()
      await page.keyboard.press('Enter')
      await paste(page, '.compose .rich', {
        'text/html':
          '<p onclick="alert(1)">pas<img src="https://evil.test/x.png" onerror="alert(1)"><b style="position:fixed">ted</b></p><script>alert(1)</scr' +
          'ipt><iframe src="https://evil.test/"></iframe><svg><a href="javascript:alert(1)">svg</a></svg><a href="javascript:alert(1)">bad</a><a href="https://good.test/">good</a><style>*{}</style><form action="https://evil.test/"><input></form>',
      })
      await text.getByText('good').waitFor()
      await t.shot(page, 'rich')
      await noViolations(page, 'rich text')
      const html = await text.innerHTML()
      assert.doesNotMatch(html, /onclick|onerror|img|script|iframe|svg|style=|<style|form|input/i)
      await compose.getByRole('button', { name: 'More' }).click()
      await page.getByRole('button', { name: 'Thanks' }).click()
      await text.getByText('Thanks a lot!').waitFor()
      assert.equal(await field(compose, 'Subject').inputValue(), 'Thank you')
      await page.keyboard.press('Control+Enter')
      await page.getByText('Message sent').waitFor()
      const source = await t.source('Sent', 'Thank you')
      assert.match(source, /multipart\/alternative/)
      const plain = source.slice(source.indexOf('text/plain'), source.indexOf('text/html'))
      for (const part of [
        'Thanks a lot!',
        'Hello bold',
        '* one',
        '* two',
        'https://x.test/page',
        'pasted',
        'good <https://good.test/>',
        'A & <b>',
      ])
        assert.ok(plain.includes(part), `${part} in ${plain}`)
      assert.match(source.slice(source.indexOf('text/html')), /<(?:b|strong)>bold/)
      assert.doesNotMatch(source, /evil|javascript/)
      assert.ok(!loaded.some(url => url.includes('evil')))
      // Back to plain text, after a question.
      await w.write('x@remote.test')
      await compose.getByRole('button', { name: 'More' }).click()
      await page.getByRole('button', { name: 'Write with formatting' }).click()
      await text.waitFor()
      await page.keyboard.press('Control+Home')
      await page.keyboard.type('some')
      await compose.getByRole('button', { name: 'More' }).click()
      await page.getByRole('button', { name: 'Write plain text' }).click()
      await page.getByRole('button', { name: 'Go on' }).click()
      await compose.locator('textarea').waitFor()
      assert.match(await field(compose, 'Message').inputValue(), /^some\n\n-- ?\nA & <b>/)
      await compose.getByRole('button', { name: 'Discard' }).click()
      // With the setting, opening and closing leaves nothing behind.
      await t.settings({ showAddressSecurity: false, richText: true })
      const before = (await t.sources('Drafts')).length
      const fresh = await t.open()
      await fresh.write()
      await fresh.compose.getByRole('textbox', { name: 'Message' }).waitFor()
      await fresh.compose.getByRole('button', { name: 'Save and close' }).click()
      await fresh.compose.waitFor({ state: 'detached' })
      assert.equal((await t.sources('Drafts')).length, before)
      await done(fresh)
      await done(w)
    })

    test('a link to an address opens here, and only writes what it may', async () => {
      const w = await t.open(
        {},
        '#compose mailto:a@x.test,b@x.test?subject=S%26T&body=one%0Atwo&bcc=c@x.test&attach=/etc/passwd',
      )
      const { compose } = w
      await compose.waitFor()
      assert.deepEqual(await chips(compose, 'to').allTextContents(), ['a@x.test', 'b@x.test'])
      assert.deepEqual(await chips(compose, 'bcc').allTextContents(), ['c@x.test'])
      assert.equal(await field(compose, 'Subject').inputValue(), 'S&T')
      assert.equal(await field(compose, 'Message').inputValue(), 'one\ntwo')
      assert.equal((await t.sources('Sent')).filter(source => source.includes('S&T')).length, 0)
      await compose.getByRole('button', { name: 'Save and close' }).click()
      await done(w)
    })

    test('in the dark and on a phone: it fits, and passes the rules', async () => {
      await t.settings({ theme: 'dark' })
      const dark = await t.open()
      await dark.write('a@remote.test')
      await field(dark.compose, 'Message').fill('see the attachment')
      await t.shot(dark.page, 'dark')
      await noViolations(dark.page, 'dark')
      await dark.compose.getByRole('button', { name: 'More' }).click()
      await t.shot(dark.page, 'dark-more')
      await noViolations(dark.page, 'dark menu')
      await dark.page.getByRole('button', { name: 'Write with formatting' }).click()
      await dark.compose.getByRole('textbox', { name: 'Message' }).waitFor()
      await noViolations(dark.page, 'dark rich text')
      await dark.compose.getByRole('button', { name: 'Save and close' }).click()
      await done(dark)
      await t.settings()
      const phone = await t.open(PHONE)
      const { page, compose } = phone
      await page.getByRole('button', { name: 'Compose' }).first().tap()
      await compose.waitFor()
      await field(compose, 'To').fill('a-rather-long-address-of-somebody@a-rather-long-domain.remote.test')
      await field(compose, 'Subject').fill('From a phone')
      await field(compose, 'Message').fill('Hello')
      await t.shot(page, 'phone')
      await fits(page, 'phone')
      await noViolations(page, 'phone')
      await compose.getByRole('button', { name: 'Later…' }).tap()
      await t.shot(page, 'phone-later')
      await fits(page, 'phone menu')
      await noViolations(page, 'phone menu')
      await page.getByRole('button', { name: /^In a day/ }).tap()
      await compose.getByRole('button', { name: 'Schedule', exact: true }).tap()
      await page.getByText(/^Scheduled for /).waitFor()
      await page.goto(`${t.host.url}#outgoing:`)
      await page.locator('.outgoing-row', { hasText: 'From a phone' }).waitFor()
      await t.shot(page, 'phone-outgoing')
      await fits(page, 'phone outgoing')
      await noViolations(page, 'phone outgoing')
      await done(phone)
    })
  },
)
