// The queue on the page of localserve: live list, filters, each operation on one and on many, keyboard, narrow and dark,
// accessible. Skipped, and says so, where Chromium is not installed. With MOX_SCREENSHOTS=dir it leaves pictures there.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { eventually } from '../kit/temp.ts'
import { brightness, fits, noViolations } from './checks.ts'
import { FAILED, INVOICE, type Sample, WAITING } from './messages.ts'
import { CHROMIUM, PageTest } from './page.ts'

const PHONE = { width: 375, height: 740 }
const ADMIN = { httpCredentials: { username: 'admin', password: 'moxadmin' } }
const pictures = process.env['MOX_SCREENSHOTS']

let t: PageTest

const SLOW = ['queue-slow-452@example.net', 'queue-busy-451@example.net', 'queue-Full-452@example.org']
const slow = (to: readonly string[]): Sample => ({ ...WAITING, to })

/** The view with all rows of `SLOW` in it. */
async function openQueue(options: BrowserContextOptions = {}): Promise<{ page: Page; noises: string[] }> {
  const { page, noises } = await t.open({ ...ADMIN, ...options })
  await page.getByRole('link', { name: /^Queue/ }).click()
  await rows(page).first().waitFor()
  return { page, noises }
}
const rows = (page: Page) => page.locator('.queued tbody tr')
const row = (page: Page, to: string) => rows(page).filter({ hasText: to })
const counted = (page: Page, count: number) => eventually(async () => assert.equal(await rows(page).count(), count))
const said = (page: Page, text: string) =>
  page.getByRole('status').filter({ hasText: text }).waitFor({ state: 'attached' })

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'the queue (skipped: Chromium is not installed)' : 'the queue',
  () => {
    beforeAll(async () => {
      t = await PageTest.start()
    })
    afterAll(async () => {
      await t?.stop()
    })

    test('shows what waits, as it comes', async () => {
      const { page, noises } = await t.open(ADMIN)
      await page.keyboard.press('q')
      await page.getByText('The queue is empty').waitFor()
      await noViolations(page, 'empty')
      await t.send(INVOICE)
      await t.send(slow(SLOW))
      await counted(page, SLOW.length)
      await row(page, 'queue-slow-452').getByText('452 4.0.0 simulated by').waitFor()
      await row(page, 'queue-slow-452')
        .getByText(/^in (?:7|8) min$/)
        .waitFor()
      await page.getByRole('link', { name: `Queue (${SLOW.length})` }).waitFor()
      await noViolations(page, 'list')
      await row(page, 'queue-slow-452').getByRole('link').click()
      await page.getByRole('heading', { name: 'Weekly report' }).waitFor()
      await page.goBack()
      await counted(page, SLOW.length)
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('filters and sorts', async () => {
      const { page, noises } = await openQueue()
      await page.keyboard.press('/')
      await page.keyboard.type('@Example.NET')
      await counted(page, 2)
      await page.keyboard.press('Escape')
      await page.getByLabel('Recipient').fill('queue-Full')
      await counted(page, 1)
      await page.getByLabel('Sender').fill('nobody')
      await page.getByText('No recipient matches').waitFor()
      await noViolations(page, 'no match')
      await page.getByRole('button', { name: 'Show all' }).click()
      await counted(page, 3)
      await page.getByLabel('State').selectOption('held')
      await page.getByText('No recipient matches').waitFor()
      await page.getByLabel('State').selectOption('waiting')
      await counted(page, 3)
      await page.getByLabel('Order').selectOption('queued')
      await eventually(async () => assert.match((await rows(page).first().textContent()) ?? '', /queue-Full/))
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('one recipient: held, released, tried now', async () => {
      const { page, noises } = await openQueue()
      const slow = row(page, 'queue-slow')
      await slow.getByRole('button', { name: 'Hold' }).click()
      await slow.getByText('held').waitFor()
      await slow.getByText('when released').waitFor()
      await said(page, '1 recipient on hold')
      await slow.getByRole('button', { name: 'Release' }).click()
      await slow.getByText('waiting').waitFor()
      assert.equal(await slow.locator('.number').textContent(), '1')
      for (const attempts of ['2', '3']) {
        await slow.getByRole('button', { name: 'Retry now' }).click()
        await eventually(async () => assert.equal(await slow.locator('.number').textContent(), attempts))
        // On hold or not.
        if (attempts === '2') await slow.getByRole('button', { name: 'Hold' }).click()
        if (attempts === '2') await slow.getByText('when released').waitFor()
      }
      await slow.getByText('waiting').waitFor()
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('many recipients, by keyboard', async () => {
      const { page, noises } = await openQueue()
      for (const key of ['j', 'x', 'j', ' ', 'h']) await page.keyboard.press(key)
      await said(page, '2 recipients on hold')
      await eventually(async () => assert.equal(await page.getByText('when released').count(), 2))
      await page.getByLabel('Select all').check()
      await page.getByText('3 selected').waitFor()
      await page.keyboard.press('Escape')
      await page.getByText('Select all').waitFor()
      await page.getByLabel('State').selectOption('held')
      await counted(page, 2)
      await page.getByLabel('Select all').check()
      await page.keyboard.press('h')
      await said(page, '2 recipients released')
      await page.getByLabel('State').selectOption('all')
      await counted(page, 3)
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('failing and dropping are asked about first', async () => {
      const { page, noises } = await openQueue()
      await row(page, 'queue-busy').getByRole('button', { name: 'Drop' }).click()
      const dialog = page.getByRole('dialog', { name: 'Drop queue-busy-451@example.net?' })
      await dialog.waitFor()
      await noViolations(page, 'question')
      // The safe answer has the focus; keys of the page mean nothing here.
      assert.equal(await page.evaluate('document.activeElement.textContent'), 'Cancel')
      await page.keyboard.press('f')
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })
      await counted(page, 3)
      await row(page, 'queue-busy').getByRole('button', { name: 'Drop' }).click()
      await dialog.getByRole('button', { name: 'Drop' }).click()
      await said(page, '1 recipient dropped')
      await counted(page, 2)
      await page.getByLabel('Select all').check()
      await page.keyboard.press('f')
      const all = page.getByRole('dialog', { name: 'Fail 2 recipients?' })
      await all.getByText('their senders are told').waitFor()
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.getByText('The queue is empty').waitFor()
      await page.keyboard.press('Escape')
      const message = page.locator('.row').filter({ hasText: 'Weekly report' })
      await message.getByText('cancelled').waitFor()
      await message.getByText('2 failed').waitFor()
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('without the password nothing changes, and the page says so', async () => {
      await t.send(slow(SLOW))
      const { page } = await openQueue({ httpCredentials: { username: 'admin', password: 'wrong' } })
      await counted(page, 3)
      await row(page, 'queue-slow').getByRole('button', { name: 'Hold' }).click()
      await page.getByRole('alert').filter({ hasText: 'password moxadmin' }).waitFor()
      assert.equal(await page.getByText('when released').count(), 0)
      await page.context().close()
    })

    test('fits a phone, and is dark where the system is', async () => {
      const { page } = await openQueue({ viewport: PHONE, colorScheme: 'dark' })
      await counted(page, 3)
      await fits(page, 'queue on a phone')
      await noViolations(page, 'queue on a phone')
      assert.ok((await brightness(page)) < 80, 'dark background')
      await row(page, 'queue-slow').getByRole('checkbox').check()
      await page.getByText('1 selected').waitFor()
      await fits(page, 'selection on a phone')
      await row(page, 'queue-slow').getByRole('button', { name: 'Fail' }).click()
      await page.getByRole('dialog').waitFor()
      await fits(page, 'question on a phone')
      await noViolations(page, 'question on a phone')
      await page.context().close()
    })

    test.skipIf(pictures === undefined)('pictures for the documentation', async () => {
      const own = t
      await own.send(FAILED)
      await own.send({ ...WAITING, to: ['queue-later-450@example.com'] })
      const picture = async (name: string, options: BrowserContextOptions): Promise<void> => {
        const { page } = await openQueue({ deviceScaleFactor: 2, reducedMotion: 'reduce', ...options })
        await counted(page, 4)
        if (name === 'light') await row(page, 'queue-busy').getByRole('button', { name: 'Hold' }).click()
        await row(page, 'queue-busy').getByText('held').waitFor()
        await row(page, 'queue-slow').getByRole('checkbox').check()
        await page.mouse.move(0, 0)
        await page.screenshot({ path: join(pictures ?? '', `queue-${name}.png`), animations: 'disabled' })
        await page.getByRole('button', { name: 'Drop…', exact: true }).first().click()
        await page.getByRole('dialog').waitFor()
        await page.screenshot({ path: join(pictures ?? '', `queue-question-${name}.png`), animations: 'disabled' })
        await page.context().close()
      }
      const wide = { viewport: { width: 1280, height: 560 } }
      await picture('light', wide)
      await picture('dark', { ...wide, colorScheme: 'dark' })
      await picture('phone', { viewport: PHONE })
    })
  },
)
