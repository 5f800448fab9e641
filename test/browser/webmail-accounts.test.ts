// Several accounts in one webmail, in a real browser. Skipped, and says so, where Chromium is not installed.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { PASSWORD } from '../../plugins/webmail/test/webmail-host.ts'
import { eventually } from '../kit/temp.ts'
import { fits, noViolations } from './checks.ts'
import { CHROMIUM } from './page.ts'
import { done, PHONE, row, type Shown, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

const message = (subject: string, to: string): string =>
  `From: Ann <ann@remote.example>\nTo: ${to}@example.org\nSubject: ${subject}\nMessage-ID: <${subject}@x>\n\nText of ${subject}.\n`

const subjects = async (page: Page): Promise<string[]> => await page.locator('[role=row] .subject').allTextContents()

async function ofBob(subject: string, more: object = {}): Promise<number> {
  const content = Buffer.from(message(subject, 'bob').replace(/\n/g, '\r\n'))
  return (await (await t.host.store('bob')).append({ mailbox: 'Inbox', content, ...more })).id
}

const account = async ({ page }: Shown) => {
  await page.getByRole('button', { name: 'Account' }).click()
  return page.getByRole('dialog', { name: 'Account', exact: true })
}

async function addBob(w: Shown): Promise<void> {
  await (await account(w)).getByRole('button', { name: 'Add an account…' }).click()
  const dialog = w.page.getByRole('dialog', { name: 'Add an account' })
  await dialog.getByLabel('Email address').fill('bob@example.org')
  await dialog.getByLabel('Password').fill(PASSWORD)
  await noViolations(w.page, 'adding an account')
  await w.page.keyboard.press('Enter')
  await row(w.page, 'for bob').waitFor()
}

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'several accounts (skipped: Chromium is not installed)' : 'several accounts',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({})
      await t.put('Inbox', message('for alice', 'alice'), { flags: { seen: true }, receivedAt: Date.now() - 60_000 })
      await ofBob('for bob', { receivedAt: Date.now() - 120_000 })
    })
    afterAll(async () => await t?.stop())

    test('one more is added, looked at, written from, and left', async () => {
      const w = await t.open({}, '', await t.host.login())
      const { page } = w
      await row(page, 'for alice').waitFor()
      await addBob(w)
      assert.deepEqual(await subjects(page), ['for bob'])
      // Its own mail, live, opened and answered as its own.
      await ofBob('later for bob', { flags: { seen: true } })
      await row(page, 'later for bob').click()
      await page.getByRole('article', { name: 'later for bob' }).waitFor()
      await page.locator('body').press('r')
      await w.compose.waitFor()
      assert.match((await w.compose.getByRole('combobox', { name: 'From' }).inputValue()) ?? '', /bob@example\.org/)
      await page.keyboard.press('Escape')
      await page.reload()
      await row(page, 'for bob').waitFor()

      // Back by the menu, which says what is unread.
      let menu = await account(w)
      await menu.getByText('bob@example.org').waitFor()
      await noViolations(page, 'accounts')
      await menu.getByRole('button', { name: /^alice@example\.org/ }).click()
      await row(page, 'for alice').waitFor()
      assert.deepEqual(await subjects(page), ['for alice'])
      menu = await account(w)
      await menu.getByRole('button', { name: 'bob@example.org 1 unread' }).waitFor()
      await page.keyboard.press('Escape')
      // And by keys.
      await page.keyboard.press('Control+Alt+a')
      await row(page, 'for bob').waitFor()

      // Another window has a choice of its own.
      const other = await page.context().newPage()
      await other.goto(t.host.url)
      await row(other, 'for bob').waitFor()
      await other.keyboard.press('Control+Alt+a')
      await row(other, 'for alice').waitFor()
      await page.reload()
      await row(page, 'for bob').waitFor()
      await other.close()

      // Out of one: the other is shown.
      await (await account(w)).getByRole('button', { name: 'Log out', exact: true }).click()
      await row(page, 'for alice').waitFor()
      await page.keyboard.press('Control+Alt+a')
      await page.getByText('This browser is logged in to one account only').waitFor()
      await addBob(w)
      await (await account(w)).getByRole('button', { name: 'Log out of all accounts' }).click()
      const login = page.getByRole('dialog', { name: 'Log in' })
      await login.waitFor()
      assert.deepEqual(await subjects(page), [])
      await done(w)
    })

    test('a session that ended asks for that account alone', async () => {
      const client = await t.host.login()
      const w = await t.open({}, '', client)
      const { page } = w
      await row(page, 'for alice').waitFor()
      await addBob(w)
      await client.call('logout', {})
      await page.keyboard.press('Control+Alt+a')
      const login = page.getByRole('dialog', { name: 'Log in' })
      await login.waitFor()
      await eventually(async () =>
        assert.equal(await login.getByLabel('Email address').inputValue(), 'alice@example.org'),
      )
      await login.getByLabel('Password').fill(PASSWORD)
      await page.keyboard.press('Enter')
      await row(page, 'for alice').waitFor()
      await page.keyboard.press('Control+Alt+a')
      await row(page, 'for bob').waitFor()
      await done(w)
    })

    test('all inboxes together, live, each message in its own account', async () => {
      const client = await t.host.login()
      const w = await t.open({}, '', client)
      const { page } = w
      await row(page, 'for alice').waitFor()
      await addBob(w)
      await page.keyboard.press('Control+Alt+i')
      const all = page.getByRole('dialog', { name: 'All inboxes' })
      const rows = async (): Promise<string[]> =>
        await all
          .getByRole('listitem')
          .evaluateAll(items =>
            items.map(item => ['.subject', '.account'].map(part => item.querySelector(part)?.textContent).join(' of ')),
          )
      const expected = [
        'later for bob of bob@example.org',
        'for alice of alice@example.org',
        'for bob of bob@example.org',
      ]
      await eventually(async () => assert.deepEqual(await rows(), expected))
      await noViolations(page, 'all inboxes')
      await t.shot(page, 'inboxes')
      await t.put('Inbox', message('new for alice', 'alice'))
      await eventually(async () => assert.deepEqual(await rows(), ['new for alice of alice@example.org', ...expected]))
      // Archived in its own account, and taken back.
      await all.getByRole('button', { name: 'Archive new for alice' }).click()
      await eventually(async () => assert.deepEqual(await rows(), expected))
      await eventually(async () => assert.ok((await t.subjects('Archive')).includes('new for alice')))
      await all.getByText('1 message of alice@example.org archived').waitFor()
      await page.getByRole('button', { name: 'Undo' }).click()
      await eventually(async () => assert.equal((await rows())[0], 'new for alice of alice@example.org'))
      // Of the other account, and of this one.
      await all.getByRole('button', { name: /^Ann new for alice/ }).click()
      await page.getByRole('article', { name: 'new for alice' }).waitFor()
      assert.match(await page.title(), /alice@example\.org/)
      await page.keyboard.press('Control+Alt+i')
      await all.getByRole('button', { name: /^Ann for alice/ }).press('Enter')
      await page.getByRole('article', { name: 'for alice' }).waitFor()
      // One whose session has ended is said to be missing.
      await page.keyboard.press('Control+Alt+a')
      await row(page, 'for bob').waitFor()
      client.csrf = JSON.parse((await page.evaluate(() => localStorage.getItem('webmail-accounts'))) ?? '').find(
        (one: { account: string }) => one.account === 'alice',
      ).csrf
      const cookies = await page.context().cookies()
      client.cookies.set('webmailsession', cookies.find(({ name }) => name === 'webmailsession')?.value ?? '')
      await client.call('logout', {})
      await page.keyboard.press('Control+Alt+i')
      await all.getByRole('alert').getByText('alice@example.org: your session has ended').waitFor()
      await eventually(async () =>
        assert.deepEqual(await rows(), ['later for bob of bob@example.org', 'for bob of bob@example.org']),
      )
      await done(w)
    })

    test('as many as a browser can have, over two connections', async () => {
      const client = await t.host.login()
      const logins = [{ account: 'alice', address: 'alice@example.org', csrf: client.csrf }]
      for (const account of ['bob', 'carol', 'dave', 'erin']) {
        const address = `${account}@example.org`
        if (account !== 'bob') {
          await t.host.mox(`account add ${account} ${address}`)
          await t.host.mox(`account password ${account} ${PASSWORD.replaceAll(' ', '_')}`)
          await t.host.deliver(message(`for ${account}`, account), { to: address })
        }
        await client.login(address)
        logins.push({ account, address, csrf: client.csrf })
      }
      client.csrf = logins[0]?.csrf ?? ''
      const w = await t.open({}, '', client)
      const { page } = w
      await row(page, 'for alice').waitFor()
      await page.evaluate(list => localStorage.setItem('webmail-accounts', list), JSON.stringify(logins))
      const opened: string[] = []
      page.on('request', request => opened.push(new URL(request.url()).pathname.replace('/webmail/', '')))
      await page.keyboard.press('Control+Alt+i')
      const all = page.getByRole('dialog', { name: 'All inboxes' })
      for (const { account } of logins) await all.getByText(`for ${account}`, { exact: true }).waitFor()
      const streams = (): string[] => opened.filter(path => path.startsWith('events'))
      assert.deepEqual(streams(), ['events/accounts'])
      await all.getByRole('button', { name: 'Archive for erin' }).click()
      await all.getByText('1 message of erin@example.org archived').waitFor()
      await page.keyboard.press('Escape')
      await done(w)
    })

    test('on a phone', async () => {
      const w = await t.open(PHONE, '', await t.host.login())
      const { page } = w
      await row(page, 'for alice').waitFor()
      await addBob(w)
      const menu = await account(w)
      await menu.getByRole('button', { name: /^alice@example\.org/ }).waitFor()
      await fits(page, 'accounts')
      await menu.getByRole('button', { name: 'All inboxes' }).tap()
      const all = page.getByRole('dialog', { name: 'All inboxes' })
      await all.getByText('for bob', { exact: true }).waitFor()
      await fits(page, 'all inboxes')
      await t.shot(page, 'inboxes-phone')
      await page.keyboard.press('Escape')
      await (await account(w)).getByRole('button', { name: /^alice@example\.org/ }).tap()
      await row(page, 'for alice').waitFor()
      await done(w)
    })
  },
)
