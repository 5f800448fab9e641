// The queue on the page of localserve: live list, filters, each operation on one and on many, keyboard, narrow and dark,
// accessible. Skipped, and says so, where Chromium is not installed. With MOX_SCREENSHOTS=dir it leaves pictures there.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { QueueRow } from '@mox/plugin-localserve/testing'
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

/** What a field for a time takes, of this minute tomorrow. */
const LOCAL_TOMORROW =
  'new Date(Date.now() + 86_400_000 - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 19)'

/** What the server says of the first recipient with this text. */
async function rowOf(to: string): Promise<QueueRow> {
  const response = await fetch(t.server.url(`/api/queue?to=${to}`))
  const [first] = ((await response.json()) as { readonly rows: readonly QueueRow[] }).rows
  assert.ok(first)
  return first
}
const firstRow = () => rowOf('')
const dueOf = async (to: string) => (await rowOf(to)).due

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

    test('filters of all fields, by mouse and by keyboard', async () => {
      const { page, noises } = await openQueue()
      await page.getByText('More filters').click()
      await page.getByLabel('Account').waitFor()
      await noViolations(page, 'more filters')
      const entered = async (label: string, text: string, count: number) => {
        await page.getByLabel(label, { exact: true }).fill(text)
        await page.keyboard.press('Enter')
        await counted(page, count)
        await page.getByLabel(label, { exact: true }).fill('')
        await page.keyboard.press('Enter')
        await counted(page, 3)
      }
      const { id, messageId } = await firstRow()
      await entered('Account', 'nobody', 0)
      await entered('Queued', '<-1h', 0)
      await entered('Queue ids', String(id), 1)
      await entered('Message id', String(messageId + 1_000), 0)
      await entered('Message-ID field', 'nobody@example.org', 0)
      await entered('Envelope id', 'none', 0)
      await page.getByLabel('Next attempt', { exact: true }).fill('<1h')
      await page.keyboard.press('Enter')
      await page.getByLabel('Transport').selectOption('local')
      await page.getByText('No recipient matches').waitFor()
      await page.getByText('More filters (2 set)').waitFor()
      await page.getByLabel('Transport').selectOption('As routed')
      await counted(page, 3)
      await page.getByLabel('Next attempt', { exact: true }).fill('tomorrow')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').filter({ hasText: 'nextattempt: write a time such as "<-24h"' }).waitFor()
      await page.getByLabel('Next attempt', { exact: true }).fill('')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').waitFor({ state: 'detached' })
      for (const [order, first] of [
        ['queued-first', 'queue-slow'],
        ['queued', 'queue-Full'],
      ] as const) {
        await page.getByLabel('Order').selectOption(order)
        await eventually(async () => assert.match((await rows(page).first().textContent()) ?? '', new RegExp(first)))
      }
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('another time, by keyboard and by mouse', async () => {
      const { page, noises } = await openQueue()
      await page.keyboard.press('j')
      await page.keyboard.press('a')
      await page.getByText('3 selected').waitFor()
      await page.keyboard.press('s')
      const dialog = page.getByRole('dialog', { name: 'Next attempt: 3 recipients' })
      await dialog.waitFor()
      assert.equal(await page.evaluate('document.activeElement.ariaLabel'), 'Time from now')
      // Letters are text here, and Enter sends.
      await page.keyboard.press('Control+a')
      await page.keyboard.type('soon')
      await page.keyboard.press('Enter')
      await dialog.getByRole('alert').filter({ hasText: 'when.in: write a duration' }).waitFor()
      await noViolations(page, 'schedule with a mistake')
      await page.keyboard.press('Control+a')
      await page.keyboard.type('+2h')
      await page.keyboard.press('Enter')
      await dialog.waitFor({ state: 'detached' })
      await said(page, '3 recipients rescheduled')
      await eventually(async () => assert.equal(await page.getByText('in 2 h').count(), 3))
      const slow = row(page, 'queue-slow')
      const schedule = async () => {
        await slow.getByRole('checkbox').check()
        await page.getByRole('button', { name: 'Schedule…' }).click()
      }
      const one = page.getByRole('dialog', { name: 'Next attempt: queue-slow-452@example.net' })
      await schedule()
      await one.getByLabel('Time after the planned attempt').fill('-30m')
      await one.getByRole('button', { name: 'Change' }).click()
      await slow.getByText('in 90 min').or(slow.getByText('in 2 h')).waitFor()
      await eventually(async () => assert.ok((await dueOf('queue-slow')) < (await dueOf('queue-busy')) - 1_000_000))
      await schedule()
      await one.getByLabel('Date and time').fill(await page.evaluate(LOCAL_TOMORROW))
      await one.getByRole('button', { name: 'Change' }).click()
      await slow.getByText('in 24 h').waitFor()
      // Escape changes nothing, and the focus comes back.
      await schedule()
      await page.keyboard.press('Escape')
      await one.waitFor({ state: 'detached' })
      assert.equal(await page.evaluate('document.activeElement.textContent'), 'Schedule…')
      await slow.getByText('in 24 h').waitFor()
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('transport and TLS', async () => {
      const { page, noises } = await openQueue()
      const busy = row(page, 'queue-busy')
      await busy.getByRole('checkbox').focus()
      await page.keyboard.press('t')
      const transport = page.getByRole('dialog', { name: 'Transport: queue-busy-451@example.net' })
      await transport.getByRole('option', { name: 'localserve' }).waitFor({ state: 'attached' })
      assert.deepEqual(await transport.getByRole('option').allTextContents(), ['As routed', 'local', 'localserve'])
      await noViolations(page, 'transport')
      await transport.getByLabel('Deliver through').selectOption('localserve')
      await page.keyboard.press('Tab')
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await busy.getByText('transport localserve').waitFor()
      await busy.getByRole('checkbox').focus()
      await page.keyboard.press('t')
      assert.equal(await transport.getByLabel('Deliver through').inputValue(), 'localserve')
      await transport.getByLabel('Deliver through').selectOption('As routed')
      await transport.getByRole('button', { name: 'Change' }).click()
      await busy.getByText('transport localserve').waitFor({ state: 'detached' })
      await busy.getByRole('checkbox').focus()
      await page.keyboard.press('l')
      const tls = page.getByRole('dialog', { name: 'TLS: queue-busy-451@example.net' })
      await tls.waitFor()
      await noViolations(page, 'tls')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      await busy.getByText('only over verified TLS').waitFor()
      await busy.getByRole('checkbox').check()
      await page.getByRole('button', { name: 'TLS…' }).click()
      assert.equal(await tls.getByLabel('Only over verified TLS').isChecked(), true)
      await tls.getByLabel('Also without TLS').check()
      await tls.getByRole('button', { name: 'Change' }).click()
      await busy.getByText('also without TLS').waitFor()
      await page.getByLabel('Select all').check()
      await page.getByRole('button', { name: 'TLS…' }).click()
      await page.getByLabel("As the recipient's domain says").check()
      await page.getByRole('button', { name: 'Change' }).click()
      await busy.getByText('also without TLS').waitFor({ state: 'detached' })
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('the message as it is sent', async () => {
      const { page, noises } = await openQueue()
      await row(page, 'queue-busy').getByRole('checkbox').focus()
      await page.keyboard.press('m')
      const dialog = page.getByRole('dialog', { name: 'Message to queue-busy-451@example.net' })
      await dialog.getByText('Subject: Weekly report').waitFor()
      assert.match((await dialog.locator('pre').textContent()) ?? '', /^Received: from /)
      await noViolations(page, 'message')
      const loading = page.waitForEvent('download')
      await dialog.getByRole('link', { name: 'Download' }).click()
      const download = await loading
      assert.match(download.suggestedFilename(), /^queue-\d+\.eml$/)
      const shown = await (await fetch(t.server.url(`/api/queue/${(await rowOf('queue-busy')).id}/message`))).text()
      assert.equal(await readFile(await download.path(), 'utf8'), shown)
      await dialog.getByRole('button', { name: 'Close' }).click()
      await row(page, 'queue-busy').getByRole('button', { name: 'Message to' }).click()
      await dialog.getByText('Subject: Weekly report').waitFor()
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('all that match, shown or not', async () => {
      const many = Array.from({ length: 60 }, (_, i) => `queue-many${i}-450@many.example`)
      for (let i = 0; i < many.length; i += 20) await t.send(slow(many.slice(i, i + 20)))
      const { page, noises } = await openQueue()
      await page.getByLabel('Recipient').fill('@many.example')
      await counted(page, 50)
      await page.getByRole('button', { name: 'Select all that match' }).click()
      await page.getByText('all 60 selected').waitFor()
      await noViolations(page, 'all that match')
      await page.keyboard.press('s')
      const later = page.getByRole('dialog', { name: 'Next attempt: all 60 that match' })
      await later.getByText('and 55 more').waitFor()
      await page.keyboard.press('Control+a')
      await page.keyboard.type('3h')
      await page.keyboard.press('Enter')
      await said(page, '60 recipients rescheduled')
      await later.waitFor({ state: 'detached' })
      // Another filter is another choice.
      await page.keyboard.press('A')
      await page.getByText('all 60 selected').waitFor()
      await page.getByLabel('Recipient').fill('@many')
      await page.getByText('all 60 selected').waitFor({ state: 'detached' })
      await page.getByLabel('Recipient').fill('@many.example')
      await counted(page, 50)
      await page.keyboard.press('Escape')
      await page.keyboard.press('A')
      await page.getByText('all 60 selected').waitFor()
      await page.keyboard.press('d')
      const dialog = page.getByRole('dialog', { name: 'Drop all 60 that match?' })
      await dialog.getByRole('button', { name: 'Drop' }).click()
      await said(page, '60 recipients dropped')
      await page.getByRole('button', { name: 'Show all' }).click()
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
      const message = page.locator('.row').filter({ hasText: 'queue-slow' })
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
      await page.getByText('More filters').click()
      await page.getByLabel('Envelope id').waitFor()
      await fits(page, 'all filters on a phone')
      await page.getByText('More filters').click()
      await page.getByRole('button', { name: 'Schedule…' }).click()
      await page.getByRole('dialog').waitFor()
      await fits(page, 'schedule on a phone')
      await noViolations(page, 'schedule on a phone')
      await page.getByRole('button', { name: 'Cancel' }).click()
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
        await page.getByRole('button', { name: 'Schedule…' }).click()
        await page.getByRole('dialog').waitFor()
        await page.screenshot({ path: join(pictures ?? '', `queue-schedule-${name}.png`), animations: 'disabled' })
        await page.getByRole('button', { name: 'Cancel' }).click()
        await page.getByText('More filters').click()
        await page.getByRole('button', { name: 'Message to' }).first().click()
        await page.getByText('Subject: ').first().waitFor()
        await page.screenshot({ path: join(pictures ?? '', `queue-message-${name}.png`), animations: 'disabled' })
        await page.getByRole('button', { name: 'Close' }).click()
        await page.screenshot({ path: join(pictures ?? '', `queue-filters-${name}.png`), animations: 'disabled' })
        await page.getByText('More filters').click()
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
