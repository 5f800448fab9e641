// What the page keeps of the last time, in a real browser: there at once, true soon after, and gone when it must not be seen.
// Skipped, and says so, where Chromium is not installed.
import assert from 'node:assert/strict'
import type { Page, Route } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { PASSWORD } from '../../plugins/webmail/test/webmail-host.ts'
import { eventually } from '../kit/temp.ts'
import { CHROMIUM } from './page.ts'
import { done, row, type Shown, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

const message = (subject: string): string =>
  `From: Ann <ann@remote.example>\nTo: alice@example.org\nSubject: ${subject}\n\nText of ${subject}.\n`

const subjects = async (page: Page): Promise<string[]> => await page.locator('[role=row] .subject').allTextContents()

/** What is in the browser's database. */
const kept = (page: Page): Promise<string[]> =>
  page.evaluate(
    () =>
      new Promise<string[]>(resolve => {
        const opening = indexedDB.open('mox-webmail', 1)
        opening.onupgradeneeded = () => opening.result.createObjectStore('shown')
        opening.onsuccess = () => {
          const asked = opening.result.transaction('shown').objectStore('shown').get('last alice')
          asked.onsuccess = () => {
            opening.result.close()
            const threads: { messages: { subject: string }[] }[] = asked.result?.view?.threads ?? []
            resolve(
              threads.flatMap(({ messages }) => (Array.isArray(messages) ? messages.map(m => m.subject) : ['broken'])),
            )
          }
        }
      }),
  )

/** Waits until these subjects are kept. */
async function isKept(page: Page, ...expected: string[]): Promise<void> {
  await eventually(async () => assert.deepEqual(await kept(page), expected))
}

/** The stream is answered when the test says so. */
async function held(page: Page): Promise<{ release(): Promise<void>; requests: string[] }> {
  const waiting: Route[] = []
  const requests: string[] = []
  let released = false
  await page.route('**/events', route => {
    requests.push(route.request().postData() ?? '')
    if (released) return route.continue()
    waiting.push(route)
    return undefined
  })
  return {
    requests,
    release: async () => {
      released = true
      for (const route of waiting) await route.continue()
    },
  }
}

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'what the page keeps (skipped: Chromium is not installed)' : 'what the page keeps',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({})
      await t.put('Inbox', message('first'))
      await t.put('Inbox', message('second'))
    })
    afterAll(async () => await t?.stop())

    /** Of the same origin, without the webmail. */
    const elsewhere = (): string => new URL('/nothing', t.host.url).href
    const login = (w: Shown) => w.page.getByRole('dialog', { name: 'Log in' })

    test('the list is there before the server has answered, and soon as it is now', async () => {
      const w = await t.open()
      const { page } = w
      await isKept(page, 'second', 'first')
      const stream = await held(page)
      await page.reload()
      await row(page, 'second').waitFor()
      await page.getByRole('treeitem', { name: /^Inbox/ }).waitFor()
      assert.deepEqual(await subjects(page), ['second', 'first'])
      // A message can be opened meanwhile.
      await row(page, 'first').click()
      await page.getByRole('article', { name: 'first' }).waitFor()
      await t.put('Inbox', message('third'))
      await t.put('Other', message('elsewhere'))
      await stream.release()
      await row(page, 'third').waitFor()
      assert.deepEqual(await subjects(page), ['third', 'second', 'first'])
      await page.getByRole('treeitem', { name: /^Other/ }).waitFor()
      // What it did meanwhile is kept as well.
      await isKept(page, 'third', 'second', 'first')
      await done(w)
    })

    test('another place is loaded, and what is gone is gone', async () => {
      const w = await t.open()
      const { page } = w
      await isKept(page, 'third', 'second', 'first')
      const store = await t.host.store('alice')
      const id = await t.put('Inbox', message('short'))
      await isKept(page, 'short', 'third', 'second', 'first')
      const stream = await held(page)
      await page.goto(elsewhere())
      await store.expunge([id])
      await page.goto(`${t.host.url}#Inbox`)
      await row(page, 'short').waitFor()
      await stream.release()
      await row(page, 'short').waitFor({ state: 'detached' })
      await page.goto(elsewhere())
      await page.goto(`${t.host.url}#Other`)
      await row(page, 'elsewhere').waitFor()
      assert.deepEqual(await subjects(page), ['elsewhere'])
      await done(w)
    })

    test('nothing is seen by who is not logged in any more, and nothing is kept after logging out', async () => {
      const client = await t.host.login()
      const w = await t.open({}, '', client)
      const { page } = w
      await isKept(page, 'third', 'second', 'first')
      await client.call('logout', {})
      await page.reload()
      await login(w).waitFor()
      assert.deepEqual(await subjects(page), [])
      assert.deepEqual(await kept(page), [])
      await login(w).getByLabel('Email address').fill('alice@example.org')
      await login(w).getByLabel('Password').fill(PASSWORD)
      await page.keyboard.press('Enter')
      await row(page, 'third').waitFor()
      await isKept(page, 'third', 'second', 'first')
      await page.getByRole('button', { name: 'Account' }).click()
      await page.getByRole('dialog', { name: 'Account' }).getByRole('button', { name: 'Log out' }).click()
      await login(w).waitFor()
      assert.deepEqual(await kept(page), [])
      await done(w)
    })

    test('not where the user does not want it, and a browser that keeps nothing does without', async () => {
      const w = await t.open()
      const { page } = w
      await isKept(page, 'third', 'second', 'first')
      await page.keyboard.press('Control+!')
      await page.getByRole('checkbox', { name: /^Keep the list/ }).uncheck()
      await isKept(page)
      await page.keyboard.press('Escape')
      await t.put('Inbox', message('fourth'))
      await row(page, 'fourth').waitFor()
      await page.reload()
      await row(page, 'fourth').waitFor()
      assert.deepEqual(await kept(page), [])
      await done(w)

      const other = await t.open()
      await other.page.addInitScript('IDBFactory.prototype.open = () => { throw new Error("no") }')
      await other.page.reload()
      await row(other.page, 'fourth').waitFor()
      // Never an answer.
      await other.page.addInitScript('IDBFactory.prototype.open = () => ({})')
      await other.page.reload()
      await row(other.page, 'fourth').waitFor()
      await done(other)
    })

    test('what cannot be read, is of another form or too old is not used', async () => {
      const w = await t.open()
      const { page } = w
      await isKept(page, 'fourth', 'third', 'second', 'first')
      const change = async (code: string): Promise<void> => {
        await page.goto(elsewhere())
        await page.evaluate(`new Promise(resolve => {
          const opening = indexedDB.open('mox-webmail', 1)
          opening.onsuccess = () => {
            const store = opening.result.transaction('shown', 'readwrite').objectStore('shown')
            store.get('last alice').onsuccess = event => {
              const value = event.target.result
              ${code}
              store.put(value, 'last alice').onsuccess = () => { opening.result.close(); resolve() }
            }
          }
        })`)
        const stream = await held(page)
        await page.goto(`${t.host.url}#Inbox`)
        await eventually(() => assert.equal(stream.requests.length, 1))
        assert.deepEqual(await subjects(page), [])
        await stream.release()
        await row(page, 'first').waitFor()
        await isKept(page, 'fourth', 'third', 'second', 'first')
      }
      await change('value.savedAt -= 25 * 3_600_000')
      await change('value.view.threads[0].messages = 7')
      await change('value.hello.account = null')
      await done(w)
    })
  },
)
