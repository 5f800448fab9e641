// What the page does at once and the server then does not do: it is taken back, and says why. Skipped, and says so, where
// Chromium is not installed.
import assert from 'node:assert/strict'
import type { Page, Route } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { eventually } from '../kit/temp.ts'
import { noViolations } from './checks.ts'
import { CHROMIUM } from './page.ts'
import { done, PHONE, row, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

const START = Date.UTC(2026, 10, 20, 12)
const message = (subject: string): string =>
  `From: Ann <ann@remote.example>\nTo: alice@example.org\nSubject: ${subject}\n\nText of ${subject}.\n`

/** Rows from the top: their subjects with their marks, "+" before unread ones. */
async function rows(page: Page): Promise<string> {
  const all = await page.locator('[role=row]').evaluateAll(elements =>
    elements.map(e => {
      const text = (part: string) => e.querySelector(part)?.textContent?.trim() ?? ''
      const unread = e.classList.contains('unread') ? '+' : ''
      const tags = [text('.marks'), text('.tag')].filter(tag => tag !== '').map(tag => ` ${tag}`)
      return [(e as HTMLElement).offsetTop, `${unread}${text('.subject')}${tags.join('')}`] as const
    }),
  )
  return all
    .sort((a, b) => a[0] - b[0])
    .map(([, text]) => text)
    .join(', ')
}

/** Holds the next call of a name until the test says what becomes of it. */
async function hold(page: Page, call: string): Promise<{ readonly route: Promise<Route> }> {
  const { promise, resolve } = Promise.withResolvers<Route>()
  await page.route(`**/api/${call}`, resolve, { times: 1 })
  return { route: promise }
}

const UNREACHABLE = 'the server cannot be reached; check the connection and try again'

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'refused (skipped: Chromium is not installed)' : 'refused',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({})
    })
    afterAll(async () => await t?.stop())
    beforeEach(
      async () => await t.settings({ labels: [{ keyword: 'bills', name: 'Bills', color: 'green', key: '1' }] }),
    )

    const ACTIONS: readonly (readonly [key: string, call: string, meanwhile: string])[] = [
      ['a', 'messagesMove', 'three, one'],
      ['q', 'messagesMove', 'three, one'],
      ['!', 'messagesFlags', 'three, two !, one'],
      ['1', 'messagesFlags', 'three, two Bills, one'],
      ['X', 'threadsMute', 'three, two m, one'],
    ]
    const BEFORE = 'three, two, one'

    async function fill(mailbox: string): Promise<void> {
      for (const [n, subject] of ['one', 'two', 'three'].entries())
        await t.put(mailbox, message(subject), { receivedAt: START + n * 60_000, flags: { seen: true, notjunk: true } })
    }

    test('what the server refuses is taken back where it was, and says why', async () => {
      await fill('Refused')
      const w = await t.open({}, '#Refused')
      const { page } = w
      for (const [key, call, meanwhile] of ACTIONS.filter(([, name]) => name !== 'threadsMute')) {
        await row(page, 'two').click()
        const held = await hold(page, call)
        await page.keyboard.press(key)
        const route = await held.route
        await eventually(async () => assert.equal(await rows(page), meanwhile, key))
        // The server is asked for a message that it does not have.
        const ask = { ...route.request().postDataJSON(), ids: [987_654] }
        await route.continue({ postData: JSON.stringify(ask) })
        const said = page.getByRole('alert').filter({ hasText: 'the message is not there any more' })
        await said.waitFor()
        await eventually(async () => assert.equal(await rows(page), BEFORE, key))
        if (key === 'a') await noViolations(page, 'a refusal')
        await said.getByRole('button', { name: 'Dismiss' }).click()
        await said.waitFor({ state: 'detached' })
      }
      await done(w)
    })

    test('so is what is cut off on its way', async () => {
      await fill('Cut')
      const w = await t.open({}, '#Cut')
      const { page } = w
      for (const [key, call, meanwhile] of ACTIONS) {
        await row(page, 'two').click()
        const held = await hold(page, call)
        await page.keyboard.press(key)
        const route = await held.route
        await eventually(async () => assert.equal(await rows(page), meanwhile, key))
        await route.abort()
        const said = page.locator('.toast').filter({ hasText: UNREACHABLE })
        await said.waitFor()
        await eventually(async () => assert.equal(await rows(page), BEFORE, key))
        await said.getByRole('button', { name: 'Dismiss' }).click()
        await said.waitFor({ state: 'detached' })
      }
      await done(w)
    })

    test('where only the answer was lost, the rows are what the server made of them', async () => {
      await fill('Lost')
      const w = await t.open({}, '#Lost')
      const { page } = w
      await row(page, 'two').click()
      const held = await hold(page, 'messagesMove')
      await page.keyboard.press('a')
      const route = await held.route
      await route.fetch()
      // The stream tells of it before the answer is missed.
      await page.getByRole('treeitem', { name: /^Archive/ }).waitFor()
      const counts = page.locator('.list-header .counts')
      await counts.getByText('2 messages').waitFor()
      await route.abort()
      await page.locator('.toast').filter({ hasText: UNREACHABLE }).waitFor()
      await eventually(async () => assert.equal(await rows(page), 'three, one'))
      assert.deepEqual(await t.subjects('Lost'), ['one', 'three'])
      await done(w)
    })

    test('without a connection, on a phone: swiped away, and back with the reason', async () => {
      await fill('Phone')
      const w = await t.open(PHONE, '#Phone')
      const { page } = w
      await row(page, 'two').waitFor()
      await page.context().setOffline(true)
      await page.locator('.connection').waitFor()
      await row(page, 'two').evaluate(async element => {
        const { x, y, width, height } = element.getBoundingClientRect()
        const touch = (dx: number) => {
          const clientX = x + width / 2 + dx
          return new Touch({ identifier: 1, target: element, clientX, clientY: y + height / 2 })
        }
        const send = (type: string, dx: number) => {
          const touches = type === 'touchend' ? [] : [touch(dx)]
          const all = { touches, changedTouches: [touch(dx)] }
          element.dispatchEvent(new TouchEvent(type, { ...all, bubbles: true, cancelable: true }))
        }
        send('touchstart', 0)
        for (let dx = 10; dx <= 160; dx += 10) send('touchmove', dx)
        send('touchend', 160)
      })
      await page.locator('.toast').filter({ hasText: UNREACHABLE }).waitFor()
      await eventually(async () => assert.equal(await rows(page), BEFORE))
      await page.context().setOffline(false)
      await page.locator('.connection').waitFor({ state: 'detached' })
      assert.equal(await rows(page), BEFORE)
      assert.deepEqual(await t.subjects('Phone'), ['one', 'two', 'three'])
      await done(w)
    })
  },
)
