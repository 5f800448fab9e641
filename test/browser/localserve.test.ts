// The page of localserve as a person uses it: live list, keyboard, tabs, hostile HTML, narrow and dark, accessible. Skipped,
// and says so, where Chromium is not installed. With MOX_SCREENSHOTS=dir it leaves pictures there.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { eventually } from '../kit/temp.ts'
import { brightness, fits, noViolations } from './checks.ts'
import { FAILED, hostile, INVOICE, REPLY, RESET, WAITING } from './messages.ts'
import { CHROMIUM, PageTest } from './page.ts'

const PHONE = { width: 360, height: 740 }
const pictures = process.env['MOX_SCREENSHOTS']

let t: PageTest

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'the page (skipped: Chromium is not installed)' : 'the page',
  () => {
    beforeAll(async () => {
      t = await PageTest.start()
    })
    afterAll(async () => {
      await t?.stop()
    })

    test('shows messages as they arrive, without being asked', async () => {
      const { page, noises } = await t.open()
      await page.getByText('No mail yet').waitFor()
      await noViolations(page, 'empty')
      await t.send(RESET)
      await row(page, 'Reset your password').waitFor()
      await row(page, 'Reset your password').getByText('2 delivered').waitFor()
      await t.send(FAILED)
      await row(page, 'November: what’s new').getByText('failed').waitFor()
      await t.send(WAITING)
      await row(page, 'Weekly report').getByText('waiting').waitFor()
      await t.send(REPLY)
      await row(page, 'Re: Your order').getByText('stored').waitFor()
      await t.send(INVOICE)
      await row(page, 'Your order 1843').first().getByText('delivered').waitFor()
      const subjects = await page.locator('.row .subject').allTextContents()
      assert.equal(subjects[0], 'Your order 1843 is on its way', 'newest first')
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('is used with the keyboard', async () => {
      const { page, noises } = await t.open()
      await row(page, 'Reset').waitFor()
      const rows = await page.locator('.row').count()
      await page.keyboard.press('j')
      await heading(page).waitFor()
      const first = await heading(page).textContent()
      await page.keyboard.press('j')
      await headingOtherThan(page, first)
      await page.keyboard.press('k')
      await page
        .locator('.head h2')
        .filter({ hasText: first ?? '' })
        .waitFor()
      await page.keyboard.press('Escape')
      await heading(page).waitFor({ state: 'detached' })
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
      await noViolations(page, 'help')
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await page.keyboard.press('/')
      await page.keyboard.type('report weekly')
      await eventually(async () => assert.equal(await page.locator('.row').count(), 1))
      await page.keyboard.press('Escape')
      assert.equal(await page.evaluate('document.activeElement.id'), '')
      await eventually(async () => assert.equal(await page.locator('.row').count(), rows))
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('shows each side of a message', async () => {
      const { page, noises } = await t.open()
      await row(page, 'Your order 1843').first().click()
      await page.getByRole('tab', { name: 'Trace', selected: true }).waitFor()
      await page.getByText('Attempt 1: delivered').first().waitFor()
      await page.getByText('via localserve').waitFor()
      await noViolations(page, 'trace')
      await page.keyboard.press('2')
      await page.getByText('the punched cards left our house this morning').waitFor()
      await noViolations(page, 'text')
      await page.keyboard.press('3')
      await page.frameLocator('iframe.html').getByRole('heading', { name: 'On its way' }).waitFor()
      await page.getByRole('tab', { name: 'HTML' }).focus()
      await page.keyboard.press('ArrowRight')
      await page.locator('.headers').getByText('<order-1843@shop.test>').waitFor()
      await noViolations(page, 'headers')
      await page.keyboard.press('ArrowRight')
      await page.getByRole('tab', { name: 'Parts (1)', selected: true }).waitFor()
      await page.getByText('invoice-1843.pdf').waitFor()
      await noViolations(page, 'parts')
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Download' }).last().click(),
      ])
      assert.equal(download.suggestedFilename(), 'invoice-1843.pdf')
      await page.keyboard.press('6')
      await page.getByText('Content-Type: multipart/mixed; boundary=mixed').waitFor()
      await noViolations(page, 'source')
      await row(page, 'November').click()
      await page.keyboard.press('1')
      await page.locator('.reply').getByText('550').waitFor()
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('lets hostile HTML run and load nothing', async () => {
      const asked: string[] = []
      const trap = createServer((request, response) => {
        asked.push(request.url ?? '')
        response.end('')
      })
      await new Promise<void>(resolve => trap.listen(0, '127.0.0.1', resolve))
      const origin = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`
      try {
        const { page, requests, noises } = await t.open()
        await t.send(hostile(origin))
        await row(page, 'You won').click()
        await page.keyboard.press('3')
        const frame = page.frameLocator('iframe.html')
        await frame.getByText('Harmless text').waitFor()
        await frame.getByText('Click here').click()
        await page.keyboard.press('2')
        await page.keyboard.press('3')
        await frame.getByText('Harmless text').waitFor()
        // Its own page, without the sandbox of the frame.
        const bare = requests.find(url => url.endsWith('/html')) ?? ''
        assert.notEqual(bare, '')
        await page.goto(bare)
        await page.getByText('Harmless text').waitFor()
        await page.waitForLoadState('networkidle')
        assert.deepEqual(asked, [], 'the other server was asked for nothing')
        assert.deepEqual(noises, [], 'nothing ran')
        const ours = t.server.url('/')
        assert.deepEqual(
          requests.filter(url => !url.startsWith(ours) && !url.startsWith('data:')),
          [],
        )
        await page.context().close()
      } finally {
        await new Promise(resolve => trap.close(resolve))
      }
    })

    test('fits a phone', async () => {
      const { page } = await t.open({ viewport: PHONE })
      await row(page, 'Your order 1843').first().waitFor()
      await fits(page, 'list')
      await noViolations(page, 'list on a phone')
      await row(page, 'Your order 1843').first().click()
      await heading(page).waitFor()
      assert.equal(
        await row(page, 'Your order 1843').first().isVisible(),
        false,
        'the message has the screen to itself',
      )
      for (const key of ['1', '2', '3', '4', '5', '6']) {
        await page.keyboard.press(key)
        await fits(page, `tab ${key}`)
      }
      await page.getByRole('button', { name: 'Messages' }).click()
      assert.equal(await row(page, 'Your order 1843').first().isVisible(), true)
      await page.context().close()
    })

    test('is dark where the system is', async () => {
      const { page } = await t.open({ colorScheme: 'dark' })
      await row(page, 'Your order 1843').first().click()
      await page.getByText('Attempt 1: delivered').first().waitFor()
      assert.ok((await brightness(page)) < 80, 'dark background')
      await noViolations(page, 'dark')
      await page.getByLabel('Colours').selectOption('light')
      assert.ok((await brightness(page)) > 200, 'light background when chosen')
      await page.context().close()
    })

    test.skipIf(pictures === undefined)('pictures for the documentation', async () => {
      const own = await PageTest.start()
      try {
        for (const message of [RESET, FAILED, WAITING, INVOICE, REPLY]) await own.send(message)
        const picture = async (name: string, subject: string, options: BrowserContextOptions): Promise<void> => {
          const { page } = await own.open({ deviceScaleFactor: 2, reducedMotion: 'reduce', ...options })
          await row(page, 'Weekly report').getByText('waiting').waitFor()
          await row(page, subject).last().click()
          await page.getByText(/Attempt 1: (?:delivered|permanent)/).waitFor()
          await page.mouse.move(0, 0)
          await page.screenshot({ path: join(pictures ?? '', `localserve-${name}.png`), animations: 'disabled' })
          await page.context().close()
        }
        const wide = { viewport: { width: 1280, height: 760 } }
        await picture('light', 'Your order 1843', wide)
        await picture('dark', 'November', { ...wide, colorScheme: 'dark' })
        await picture('phone', 'November', { viewport: PHONE })
      } finally {
        await own.stop()
      }
    })
  },
)

const row = (page: Page, subject: string) => page.locator('.row').filter({ hasText: subject })
const heading = (page: Page) => page.locator('.head h2')

/** The heading, once it is another one. */
async function headingOtherThan(page: Page, before: string | null): Promise<string | null> {
  return await eventually(async () => {
    const now = await heading(page).textContent()
    assert.notEqual(now, before)
    return now
  })
}
