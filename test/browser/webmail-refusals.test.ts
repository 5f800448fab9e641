// What the page shows before the server has answered is taken back where the server says no, or cannot be reached. Skipped, and
// says so, where Chromium is not installed.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { eventually } from '../kit/temp.ts'
import { noViolations } from './checks.ts'
import { CHROMIUM } from './page.ts'
import { done, row, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

const message = (subject: string): string =>
  `From: Ann <ann@remote.example>\nTo: alice@example.org\nSubject: ${subject}\n\nText of ${subject}.\n`

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'refusals (skipped: Chromium is not installed)' : 'refusals',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({})
    })
    afterAll(async () => await t?.stop())

    test('what the server refuses, or never hears of, is taken back on the page, and said', async () => {
      const names = ['refused one', 'refused two', 'refused three']
      for (const name of names) await t.put('Refusals', message(name))
      const w = await t.open({}, '#Refusals')
      const { page } = w
      const subjects = async (): Promise<string[]> => await page.locator('[role=row] .subject').allTextContents()
      await row(page, 'refused two').click()
      // The answer comes late: until then the page shows what was meant.
      let refuse = (): void => undefined
      const asked = page.waitForRequest('**/api/messagesMove')
      await page.route('**/api/messagesMove', async route => {
        await new Promise<void>(later => {
          refuse = later
        })
        await route.fulfill({
          status: 422,
          json: { error: { code: 'refused', message: 'the mailbox is closed today' } },
        })
      })
      await page.keyboard.press('a')
      await asked
      await eventually(async () => assert.deepEqual(await subjects(), ['refused three', 'refused one']))
      refuse()
      await page.getByText('the mailbox is closed today').waitFor()
      await eventually(async () => assert.deepEqual(await subjects(), names.toReversed()))
      await noViolations(page, 'a refusal')
      await page.unroute('**/api/messagesMove')
      // The connection is gone.
      await page.route('**/api/messagesFlags', route => route.abort())
      const unread = row(page, 'refused one')
      await unread.click({ modifiers: ['Control'] })
      await page.keyboard.press('!')
      await page.getByText('the server cannot be reached').waitFor()
      await eventually(async () =>
        assert.equal(await page.getByRole('row').getByRole('img', { name: 'Flagged' }).count(), 0),
      )
      await page.unroute('**/api/messagesFlags')
      await page.keyboard.press('!')
      const store = await t.host.store('alice')
      const { messages } = await store.list({ scope: { mailbox: 'Refusals' }, limit: 9 })
      await eventually(async () => {
        const now = await store.listed(messages.map(m => m.id))
        assert.ok(now.some(m => m.flags.flagged))
      })
      await done(w)
    })
  },
)
