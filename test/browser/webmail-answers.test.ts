// Answers in a real browser: to a list, with the whole message as an attachment, and without room for what is written; and mail
// that waits, on a phone. Skipped, and says so, where Chromium is not installed.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { fits, noViolations } from './checks.ts'
import { CHROMIUM } from './page.ts'
import { chips, done, field, PHONE, row, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

const QUOTA = 2_000_000
const head = (subject: string): string =>
  `From: Ann <ann@remote.test>\nTo: friends@lists.test\nCc: cy@remote.test\nSubject: ${subject}\nMessage-ID: <${subject}@x.test>\n`

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'answers (skipped: Chromium is not installed)' : 'answers',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({ quota: QUOTA })
      const list = 'List-Id: <friends.lists.test>\nList-Post: <mailto:friends@lists.test>\n'
      await t.put('Inbox', `${head('listed')}${list}\nTo all.\n`, { flags: { seen: true } })
    })
    afterAll(async () => await t?.stop())
    beforeEach(async () => await t.settings({ showAddressSecurity: false }))

    test('to the list by its key; the whole message as an attachment by the menu', async () => {
      const w = await t.open()
      const { page, compose } = w
      await row(page, 'listed').click()
      await page.getByRole('article', { name: 'listed' }).waitFor()
      await page.keyboard.press('Alt+r')
      await compose.waitFor()
      assert.deepEqual(await chips(compose, 'to').allTextContents(), ['friends@lists.test'])
      assert.deepEqual(await chips(compose, 'cc').allTextContents(), [])
      await compose.getByRole('button', { name: 'Save and close' }).click()
      await compose.waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'More…' }).click()
      await page.getByRole('dialog', { name: 'More' }).getByRole('button', { name: 'Forward as attachment' }).click()
      await compose.waitFor()
      await compose.getByText(/\.eml/).first().waitFor()
      await noViolations(page, 'forwarding a message as an attachment')
      await field(compose, 'To').pressSequentially('bob@remote.test,')
      await field(compose, 'Message').fill('See there.')
      await page.keyboard.press('Control+Enter')
      await page.getByText('Message sent').waitFor()
      const source = await t.source('Sent', 'Fwd: listed')
      assert.match(source, /^Content-Type: message\/rfc822/m)
      assert.match(source, /^List-Id: <friends\.lists\.test>\r$/m)
      assert.match(source, /To all\./)
      await done(w)
    })

    test('without room what was written stays, and it is said why', async () => {
      const w = await t.open()
      const { page } = w
      const filler = await t.put('Other', `${head('filler')}\n${`${'x'.repeat(75)}\n`.repeat(25_800)}`)
      const compose = await w.write('bob@remote.test')
      await field(compose, 'Subject').fill('No room')
      await field(compose, 'Message').fill(`kept ${'long words '.repeat(5_000)}`)
      await page.keyboard.press('Control+Enter')
      await compose
        .getByText(/storage full/)
        .first()
        .waitFor()
      await noViolations(page, 'no room')
      assert.match(await field(compose, 'Message').inputValue(), /^kept /)
      assert.deepEqual(
        (await t.sources('Sent')).filter(source => source.includes('Subject: No room')),
        [],
      )
      await (await t.host.store('alice')).expunge([filler])
      await done(w)
    })

    test('mail that waits, on a phone: later, edited, cancelled', async () => {
      const w = await t.open(PHONE)
      const { page } = w
      await page.getByRole('button', { name: 'Compose' }).tap()
      const { compose } = w
      await compose.waitFor()
      await field(compose, 'To').pressSequentially('x@remote.test,')
      await field(compose, 'Subject').fill('By phone')
      await field(compose, 'Message').fill('later')
      await compose.getByRole('button', { name: 'Later…' }).tap()
      const menu = page.getByRole('dialog', { name: 'When to send' })
      await menu.getByRole('button', { name: /^In a day/ }).waitFor()
      await fits(page, 'when to send')
      await menu.getByRole('button', { name: /^In a day/ }).tap()
      await compose.getByRole('button', { name: 'Schedule', exact: true }).tap()
      await page.getByText(/^Scheduled for /).waitFor()
      await page.goto(`${t.host.url}#outgoing:`)
      const waiting = page.locator('.outgoing-row', { hasText: 'By phone' })
      await waiting.getByText(/^Scheduled: /).waitFor()
      await fits(page, 'outgoing')
      await noViolations(page, 'outgoing on a phone')
      await waiting.getByRole('button', { name: 'Cancel' }).tap()
      await page.getByRole('button', { name: 'Cancel delivery' }).tap()
      await waiting.waitFor({ state: 'detached' })
      await done(w)
    })
  },
)
