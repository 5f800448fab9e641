// Windows of the webmail in a real browser that are many, or not loaded yet. Skipped, and says so, where Chromium is not installed.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { eventually } from '../kit/temp.ts'
import { CHROMIUM } from './page.ts'
import { chips, done, field, PHONE, paste, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

const message = (subject: string): string =>
  `From: Ann <ann@remote.example>\nTo: alice@example.org\nSubject: ${subject}\n\nText of ${subject}.\n`

async function read(page: Page, subject: string): Promise<void> {
  await page.getByText(subject, { exact: true }).first().click()
  await page.getByRole('article', { name: subject }).waitFor()
}

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'windows (skipped: Chromium is not installed)' : 'windows',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({})
      await t.put('Inbox', message('hello'), { flags: { seen: true } })
    })
    afterAll(async () => await t?.stop())

    test('what is typed while something is being loaded is for that, and no command', async () => {
      const id = await t.put('Inbox', message('kept'), { flags: { seen: true } })
      const w = await t.open()
      const { page } = w
      await read(page, 'kept')
      // Each would be a command: to Trash, archive, next, junk.
      await page.keyboard.type('cdaqj')
      await eventually(async () =>
        assert.equal(await w.compose.getByRole('combobox', { name: 'To' }).inputValue(), 'daqj'),
      )
      await page.keyboard.press('Control+s')
      await page.locator('body').click({ position: { x: 400, y: 700 } })
      await page.locator('body').press('Control+k')
      await page.keyboard.type('dq')
      await eventually(async () =>
        assert.equal(await page.getByRole('combobox', { name: 'Command' }).inputValue(), 'dq'),
      )
      await page.keyboard.press('Escape')
      await page.keyboard.press('Control+k')
      await page.keyboard.type('outgoi')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Outgoing messages' }).last().waitFor()
      assert.deepEqual(await t.subjects('Trash'), [])
      assert.deepEqual(await t.subjects('Junk'), [])
      await (await t.host.store('alice')).expunge([id])
      await done(w)
    })

    test('one goes on writing where one was, and below a quote', async () => {
      const w = await t.open()
      const { page } = w
      await read(page, 'hello')
      await page.locator('body').press('r')
      const text = w.compose.getByRole('textbox', { name: 'Message' })
      await text.waitFor()
      await page.keyboard.type('Dear Ann, ')
      await w.compose.getByRole('button', { name: 'Minimise' }).click()
      await w.compose.locator('.compose-title').click()
      await text.waitFor()
      await page.keyboard.type('thanks')
      await eventually(async () => assert.match(await text.inputValue(), /^Dear Ann, thanks/))
      await done(w)

      await t.settings({
        ...{ richText: true, quoting: 'bottom' },
        templates: [{ name: 'Thanks', subject: '', text: 'Thanks a lot!' }],
      })
      const rich = await t.open()
      await read(rich.page, 'hello')
      await rich.page.locator('body').press('r')
      const editor = rich.compose.locator('.rich')
      await eventually(async () => assert.equal(await editor.evaluate(e => e === document.activeElement), true))
      await rich.page.keyboard.type('My answer')
      await eventually(async () =>
        assert.match(await editor.innerHTML(), /^<blockquote>(?:(?!My answer).)*<\/blockquote>.*My answer/s),
      )
      for (let i = 0; i < 'answer'.length; i++) await rich.page.keyboard.press('ArrowLeft')
      await rich.compose.getByRole('button', { name: 'Minimise' }).click()
      await rich.compose.locator('.compose-title').click()
      await eventually(async () => assert.equal(await editor.evaluate(e => e === document.activeElement), true))
      await rich.page.keyboard.type('good ')
      await eventually(async () => assert.match(await editor.innerText(), /My good answer/))
      // A template comes before it, and the cursor stays where it was.
      const more = rich.compose.getByRole('button', { name: 'More' })
      await more.click()
      await rich.page.getByRole('button', { name: 'Thanks' }).click()
      await eventually(async () => assert.equal(await editor.evaluate(e => e === document.activeElement), true))
      await rich.page.keyboard.type('and ')
      await eventually(async () => assert.match(await editor.innerText(), /^Thanks a lot!.*My good and answer/s))
      await paste(rich.page, '.compose .rich', { 'text/plain': 'a   b' })
      await more.click()
      await rich.page.getByRole('button', { name: 'Write plain text' }).click()
      await rich.page.getByRole('button', { name: 'Go on' }).click()
      const plain = rich.compose.locator('textarea')
      await eventually(async () => assert.equal(await plain.evaluate(e => e === document.activeElement), true))
      assert.match(await plain.inputValue(), /My good and a {3}banswer/)
      await t.settings()
      await done(rich)
    })

    test('keys of the list mean nothing where no list is', async () => {
      const w = await t.open()
      const { page } = w
      await page.getByText('hello', { exact: true }).first().waitFor()
      await page.getByRole('button', { name: 'Outgoing' }).click()
      await page.getByRole('heading', { name: 'Outgoing messages' }).last().waitFor()
      await page.keyboard.type('*dja')
      await page.keyboard.press('i')
      await page.getByText('hello', { exact: true }).first().waitFor()
      assert.deepEqual(await t.subjects('Trash'), [])
      await done(w)
    })

    test('made narrow with a message open: back is the list, and a minimised window does not cover it', async () => {
      const w = await t.open()
      const { page } = w
      await read(page, 'hello')
      await page.setViewportSize({ width: 600, height: 800 })
      await page.getByRole('button', { name: 'Back to the list' }).click()
      await page.getByRole('grid').waitFor()
      assert.match(page.url(), /#Inbox$/)
      await page.setViewportSize({ width: 1280, height: 860 })
      await w.write()
      await page.getByRole('button', { name: 'Minimise' }).click()
      await page.setViewportSize({ width: 600, height: 800 })
      await w.compose.getByRole('textbox', { name: 'Subject' }).waitFor()
      await done(w)
    })

    test('a link to write to somebody in HTML mail begins to write; a file dropped beside is not opened', async () => {
      const link = '<a href="mailto:bob@x.test?subject=1%2C%20two&amp;body=Dear%20Bob">write to Bob</a>'
      await t.put('Links', `${message('with a link').split('\n\n')[0]}\nContent-Type: text/html\n\n<p>${link}</p>`)
      const w = await t.open({}, '#Links')
      const { page } = w
      await read(page, 'with a link')
      const opened = page.context().waitForEvent('page')
      await page.frameLocator('iframe.message-frame').getByText('write to Bob').click()
      const writing = (await opened).locator('section.compose')
      await writing.waitFor()
      assert.deepEqual(await chips(writing, 'to').allTextContents(), ['bob@x.test'])
      assert.equal(await field(writing, 'Subject').inputValue(), '1, two')
      assert.match(await field(writing, 'Message').inputValue(), /^Dear Bob/)
      // What an answer quotes is what it was.
      await page.bringToFront()
      await page.getByRole('button', { name: 'Reply', exact: true }).click()
      await w.compose.waitFor()
      assert.match(
        await field(w.compose, 'Message').inputValue(),
        /write to Bob <mailto:bob@x\.test\?subject=1%2C%20two&body=Dear%20Bob>/,
      )
      const refused = await page.locator('#message-list').evaluate(element => {
        const dataTransfer = new DataTransfer()
        dataTransfer.items.add(new File(['x'], 'x.txt'))
        const drop = (type: string) =>
          !element.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }))
        return [drop('dragover'), drop('drop')]
      })
      assert.deepEqual(refused, [true, true])
      await done(w)
    })

    test('on a phone, names and addresses of the header are within the screen', async () => {
      const long = `"${'Long Name '.repeat(12)}" <long@x.test>`
      const head = `From: Ann of a long name <ann11.of.remote@remote.example>\nTo: ${long}\nSubject: wide header\n`
      await t.put('Wide', `${head}\nx\n`)
      const w = await t.open(PHONE, '#Wide')
      await w.page.getByText('wide header', { exact: true }).tap()
      await w.page.getByRole('article', { name: 'wide header' }).waitFor()
      for (const person of await w.page.locator('.message-head .person').all()) {
        const box = await person.boundingBox()
        assert.ok(box !== null && box.x >= 0 && box.x + box.width <= 390, `${box?.x} ${box?.width}`)
      }
      await done(w)
    })

    test('on a phone, back after the last message was archived leaves the list', async () => {
      await t.put('Lists', message('the last one'))
      const w = await t.open(PHONE)
      const { page } = w
      await page.getByText('hello', { exact: true }).first().waitFor()
      await page.goto(`${t.host.url}#Lists`)
      await page.getByText('the last one', { exact: true }).tap()
      await page.getByRole('article', { name: 'the last one' }).waitFor()
      await page.getByRole('button', { name: 'Archive' }).tap()
      await page.getByText('No messages').first().waitFor()
      assert.match(page.url(), /#Lists$/)
      await page.goBack()
      await eventually(async () => assert.match(page.url(), /#Inbox$/))
      await page.getByText('hello', { exact: true }).first().waitFor()
      await done(w)
    })

    test('mailboxes that are called like a search, or like writing, are gone back to', async () => {
      for (const name of ['search firms', 'compose ideas']) {
        await t.put(name, message(`in ${name}`))
        const w = await t.open()
        const { page } = w
        await page.getByRole('treeitem', { name }).click()
        await page.getByText(`in ${name}`, { exact: true }).waitFor()
        await page.reload()
        await page.getByText(`in ${name}`, { exact: true }).waitFor()
        await done(w)
      }
    })

    test('more windows than a browser has connections: those that were used last are live', async () => {
      const w = await t.open()
      const pages = [w.page]
      for (let i = 1; i < 8; i++) {
        const page = await w.page.context().newPage()
        pages.push(page)
        await page.goto(t.host.url)
        await page.getByText('hello', { exact: true }).first().waitFor()
      }
      const pausedPages = async (): Promise<number[]> => {
        const states = await Promise.all(pages.map(page => page.getByText('Paused, as other windows are used').count()))
        return states.flatMap((count, i) => (count === 0 ? [] : i))
      }
      await eventually(async () => assert.deepEqual(await pausedPages(), [0, 1, 2, 3]))
      const first = pages[0]!
      assert.match(await first.title(), /not connected/)
      const store = await t.host.store('alice')
      const id = await t.put('Inbox', message('meanwhile'))
      await pages[7]!.getByText('meanwhile', { exact: true }).waitFor()
      // One that is used again goes on, and the one that was used longest ago pauses.
      await first.getByRole('button', { name: 'Continue' }).click()
      await first.getByText('meanwhile', { exact: true }).waitFor()
      await eventually(async () => assert.deepEqual(await pausedPages(), [1, 2, 3, 4]))
      await pages[1]!.evaluate(() => window.dispatchEvent(new Event('focus')))
      await eventually(async () => assert.deepEqual(await pausedPages(), [2, 3, 4, 5]))
      await store.expunge([id])
      await first.getByText('meanwhile', { exact: true }).waitFor({ state: 'detached' })
      await done(w)
    })
  },
)
