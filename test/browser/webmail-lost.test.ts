// Writing in a real browser when things get lost: answers of the server, files, the session; and when another window or somebody
// else comes between. Skipped, and says so, where Chromium is not installed.
import assert from 'node:assert/strict'
import type { Locator } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { PASSWORD } from '../../plugins/webmail/test/webmail-host.ts'
import { eventually } from '../kit/temp.ts'
import { CHROMIUM } from './page.ts'
import { chips, done, field, row, type Shown, saved, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

/** Last lines of what has the subject. */
async function texts(mailbox: string, subject: string): Promise<string[]> {
  const found = (await t.sources(mailbox)).filter(source => source.includes(`\r\nSubject: ${subject}\r\n`))
  return found.map(source => source.trimEnd().split('\r\n').at(-1) ?? '')
}

/** A draft that is saved. */
async function written(w: Shown, subject: string): Promise<Locator> {
  const compose = await w.write('x@remote.test')
  await field(compose, 'Subject').fill(subject)
  await field(compose, 'Message').fill('first')
  await saved(compose)
  return compose
}

async function send(w: Shown): Promise<void> {
  await field(w.compose, 'Message').focus()
  await w.page.keyboard.press('Control+Enter')
}

/** The server does it, and the answer does not come. */
async function loseAnswer({ page }: Shown, path: string): Promise<void> {
  await page.route(
    path,
    async route => {
      await route.fetch()
      await route.abort()
    },
    { times: 1 },
  )
}

/** The session of a window ends, by another one. */
async function revoke(w: Shown): Promise<void> {
  const { devices } = await w.client.call('devices', {})
  await t.alice.call('deviceRevoke', { id: devices.find(device => device.current)?.id ?? '' })
}

async function logIn({ page }: Shown, address: string): Promise<void> {
  const login = page.getByRole('dialog', { name: 'Log in' })
  await login.waitFor()
  await login.getByLabel('Email address').fill(address)
  await login.getByLabel('Password').fill(PASSWORD)
  await login.getByRole('button', { name: 'Log in' }).click()
  await login.waitFor({ state: 'detached' })
}

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'what gets lost (skipped: Chromium is not installed)' : 'what gets lost',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({})
    })
    afterAll(async () => await t?.stop())
    beforeEach(async () => await t.settings({ showAddressSecurity: false, sendDelay: 0 }))

    test('what another window wrote is not written over, by sending either', async () => {
      const one = await t.open()
      await written(one, 'Twice')
      const two = await t.open({}, new URL(one.page.url()).hash)
      await two.compose.waitFor()
      await field(two.compose, 'Message').fill('long work')
      await saved(two.compose)
      await field(one.compose, 'Message').fill('of one')
      for (const _ of [1, 2]) {
        await send(one)
        await one.compose.getByText(/changed in another window/).waitFor()
      }
      assert.deepEqual([await texts('Drafts', 'Twice'), await texts('Sent', 'Twice')], [['long work'], []])
      await one.compose.getByRole('button', { name: 'Keep this as another draft' }).click()
      await one.compose.getByText('Draft saved').waitFor()
      assert.deepEqual(await texts('Drafts', 'Twice'), ['long work', 'of one'])
      // Thrown away elsewhere, it can be kept as well.
      await two.compose.getByRole('button', { name: 'Discard' }).click()
      await two.compose.waitFor({ state: 'detached' })
      const three = await t.open({}, new URL(one.page.url()).hash)
      await three.compose.waitFor()
      await one.compose.getByRole('button', { name: 'Discard' }).click()
      await one.compose.waitFor({ state: 'detached' })
      await field(three.compose, 'Message').fill('of three')
      await three.compose.press('Control+s')
      await three.compose.getByText(/not there any more/).waitFor()
      await three.compose.getByRole('button', { name: 'Keep this as another draft' }).click()
      await three.compose.getByText('Draft saved').waitFor()
      assert.deepEqual(await texts('Drafts', 'Twice'), ['of three'])
      for (const w of [one, two, three]) await done(w)
    })

    test('a save without an answer is no save of another window', async () => {
      const w = await t.open()
      const compose = await written(w, 'Unanswered')
      await loseAnswer(w, '**/api/draftSave')
      await field(compose, 'Message').fill('second')
      await compose.press('Control+s')
      await compose.getByText(/^Not saved: the server cannot be reached/).waitFor()
      await field(compose, 'Message').fill('third')
      await saved(compose)
      assert.deepEqual(await texts('Drafts', 'Unanswered'), ['third'])
      await done(w)
    })

    test('what was sent without an answer is not sent twice, and one is told', async () => {
      for (const sendDelay of [0, 30]) {
        await t.settings({ showAddressSecurity: false, sendDelay })
        const w = await t.open()
        const subject = `Sent perhaps ${sendDelay}`
        const compose = await written(w, subject)
        await loseAnswer(w, '**/api/send')
        await send(w)
        await compose.getByText('The server did not answer.').waitFor()
        await send(w)
        await w.page.getByText('Message sent').waitFor()
        await compose.waitFor({ state: 'detached' })
        assert.deepEqual([await texts('Sent', subject), await texts('Drafts', subject)], [['first'], []])
        await done(w)
      }
    })

    test('a draft that could not be discarded is saved on', async () => {
      const w = await t.open()
      const compose = await written(w, 'Kept on')
      await w.page.route('**/api/draftRemove', route => route.fulfill({ status: 500, body: '{}' }), { times: 1 })
      await compose.getByRole('button', { name: 'Discard' }).click()
      await w.page.getByText('the server answered 500').waitFor()
      await field(compose, 'Message').fill('and more')
      await saved(compose)
      assert.deepEqual(await texts('Drafts', 'Kept on'), ['and more'])
      await done(w)
    })

    test('a recipient that is half-typed is kept: by saving, closing and loading anew', async () => {
      const w = await t.open()
      const { page, compose } = w
      await written(w, 'Half-typed')
      await field(compose, 'To').focus()
      await page.keyboard.type('one@remote.test')
      await page.keyboard.press('Control+s')
      await eventually(async () =>
        assert.match(
          (await t.source('Drafts', 'Half-typed')).replace(/\r\n /g, ' '),
          /^To: x@remote\.test, one@remote\.test\r$/m,
        ),
      )
      await page.keyboard.type('two@remote.test')
      await page.keyboard.press('Control+Shift+S')
      await compose.waitFor({ state: 'detached' })
      assert.match(await t.source('Drafts', 'Half-typed'), /two@remote\.test/)
      // Nothing else was typed.
      await w.write()
      await page.keyboard.type('only@remote.test')
      await page.reload()
      await compose.waitFor()
      assert.deepEqual(await chips(compose, 'to').allTextContents(), ['only@remote.test'])
      await done(w)
    })

    test('a file that could not be attached is asked about', async () => {
      const w = await t.open()
      const compose = await written(w, 'Without the file')
      await w.page.route('**/upload/*', route => route.abort(), { times: 1 })
      const file = { name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('one') }
      await compose.locator('input[type=file]').setInputFiles([file])
      await compose.getByText('the upload was cut off').waitFor()
      await send(w)
      const ask = w.page.getByRole('dialog', { name: 'Send it like this?' })
      await ask.getByText('plan.txt could not be attached.').waitFor()
      await ask.getByRole('button', { name: 'Cancel' }).click()
      assert.deepEqual(await texts('Sent', 'Without the file'), [])
      await done(w)
    })

    test('what is undone without a connection can be undone again', async () => {
      const message = (subject: string): string => `From: Ann <ann@remote.test>\nSubject: ${subject}\n\nx\n`
      await t.put('Undoing', message('to be archived'), { flags: { seen: true } })
      const w = await t.open({}, '#Undoing')
      const { page } = w
      await row(page, 'to be archived').click()
      await page.getByRole('article', { name: 'to be archived' }).waitFor()
      await page.keyboard.press('a')
      const undo = page.locator('.toast').getByRole('button', { name: 'Undo' })
      await undo.waitFor()
      await page.route('**/api/undo', route => route.abort(), { times: 1 })
      await undo.click()
      await page.getByText('the server cannot be reached').waitFor()
      await undo.click()
      await row(page, 'to be archived').waitFor()
      assert.deepEqual(await t.subjects('Undoing'), ['to be archived'])
      await done(w)
    })

    test('nothing more is typed while rich text is sent', async () => {
      await t.settings({ showAddressSecurity: false, sendDelay: 0, richText: true })
      const w = await t.open()
      const compose = await w.write('x@remote.test')
      await field(compose, 'Subject').fill('While sending')
      const text = compose.getByRole('textbox', { name: 'Message' })
      await text.click()
      await w.page.keyboard.type('hello')
      const sending = Promise.withResolvers<void>()
      await w.page.route(
        '**/api/send',
        async route => {
          await sending.promise
          await route.abort()
        },
        { times: 1 },
      )
      await w.page.keyboard.press('Control+Enter')
      await w.page.locator('section.compose[aria-busy=true]').waitFor()
      await w.page.keyboard.type(' too late')
      sending.resolve()
      await compose.getByText('The server did not answer.').waitFor()
      await eventually(async () => assert.equal(await text.evaluate(e => e === document.activeElement), true))
      await w.page.keyboard.type('!')
      assert.match(await text.innerText(), /^(?=.*hello)(?=.*!)(?!.*late)/s)
      await done(w)
    })

    test('a session that ends is noticed at once; what is written is not given to who logs in instead', async () => {
      const w = await t.open({}, '', await t.host.login())
      const { page, compose } = w
      await w.write('x@remote.test')
      await field(compose, 'Subject').fill('Of alice')
      await revoke(w)
      await logIn(w, 'bob@example.org')
      await page.getByText('No messages').waitFor()
      assert.equal(await compose.count(), 0)
      const bob = await t.host.store('bob')
      const drafts = await bob.mailbox('Drafts')
      assert.equal(drafts?.total ?? 0, 0)
      // It waits in this tab for who wrote it.
      await page.getByRole('button', { name: 'Account' }).click()
      await page.getByRole('button', { name: 'Log out', exact: true }).click()
      await logIn(w, 'alice@example.org')
      await compose.waitFor()
      assert.equal(await field(compose, 'Subject').inputValue(), 'Of alice')
      await done(w)
    })
  },
)
