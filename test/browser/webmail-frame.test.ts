// The frame of the webmail in a real browser: bar, layouts, mailboxes, login, help, palette, tooltips, themes, title and address.
// Skipped, and says so, where Chromium is not installed.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { codeAt, parseSecret, STEP_MS } from '../../plugins/accounts/src/totp.ts'
import { PASSWORD } from '../../plugins/webmail/test/webmail-host.ts'
import { eventually } from '../kit/temp.ts'
import { brightness, fits, noViolations } from './checks.ts'
import { CHROMIUM } from './page.ts'
import { done, PHONE, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

const message = (subject: string): string =>
  `From: Ann <ann@remote.example>\nTo: alice@example.org\nSubject: ${subject}\n\nText of ${subject}.\n`

/** Names in the tree as they are shown, with levels and numbers. */
async function tree(page: Page): Promise<string[]> {
  return await page
    .getByRole('treeitem')
    .evaluateAll(all =>
      all.map(
        e =>
          `${'-'.repeat(Number(e.getAttribute('aria-level')) - 1)}${e.querySelector('.name')?.textContent}` +
          (e.querySelector('.count')?.textContent?.replace(' unread', '').replace(/^/, ' ') ?? ''),
      ),
    )
}

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'the frame (skipped: Chromium is not installed)' : 'the frame',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({ quota: 10_000_000 })
      await t.put('Inbox', message('hello'), { flags: { seen: true } })
      await t.put('Projects/Garden/Plants', message('roses'))
      await t.put('Projects/Garden', message('fence'), { flags: { seen: true } })
    })
    afterAll(async () => await t?.stop())
    beforeEach(async () => await t.settings())

    test('logging in: refusals, then the page; out again', async () => {
      const w = await t.open({}, '', t.host.client())
      const { page } = w
      const dialog = page.getByRole('dialog', { name: 'Log in' })
      await dialog.waitFor()
      await noViolations(page, 'log in')
      // It must be answered.
      await page.keyboard.press('Escape')
      await page.keyboard.type('alice@example.org')
      await page.keyboard.press('Tab')
      await page.keyboard.type('wrong')
      await page.keyboard.press('Enter')
      await dialog.getByRole('alert').waitFor()
      await dialog.getByLabel('Password').fill(PASSWORD)
      await dialog.getByRole('button', { name: 'Log in' }).click()
      await page.getByText('hello', { exact: true }).waitFor()
      assert.equal(await dialog.count(), 0)
      await page.getByRole('button', { name: 'Account' }).click()
      const menu = page.getByRole('dialog', { name: 'Account' })
      await menu.getByText('alice@example.org').waitFor()
      await noViolations(page, 'the account')
      await menu.getByRole('button', { name: 'Log out' }).click()
      await dialog.waitFor()
      assert.equal(await page.getByText('hello', { exact: true }).count(), 0)
      await done(w)
    })

    test('a second factor: set up, asked for, app passwords, off again', async () => {
      const w = await t.open({}, '', await t.host.login())
      const { page } = w
      const settings = page.getByRole('dialog', { name: 'Settings' })
      const security = async (): Promise<void> => {
        await page.keyboard.press('Control+!')
        await settings.getByRole('tab', { name: 'Security' }).click()
      }
      await security()
      await settings.getByRole('button', { name: 'Set up…' }).click()
      await settings.getByRole('img', { name: 'The key as a QR code' }).waitFor()
      const text = (await settings.locator('code.secret').textContent()) ?? ''
      const code = (later = 0): string =>
        codeAt(parseSecret(text.replace(/ /g, '')) ?? Buffer.alloc(0), Math.floor(Date.now() / STEP_MS) + later)
      await noViolations(page, 'setting up a second factor')
      await t.shot(page, 'second-factor')
      // The field for the code has the focus.
      await page.keyboard.type(code(-1))
      await settings.getByLabel('Your password').fill('wrong')
      await page.keyboard.press('Enter')
      await settings.getByRole('alert').getByText('the password is wrong').waitFor()
      await settings.getByLabel('Your password').fill(PASSWORD)
      await page.keyboard.press('Enter')
      await settings.getByText('Keep these recovery codes').waitFor()
      const recoveries = await settings.locator('.codes li').allTextContents()
      const [recovery = ''] = recoveries
      await noViolations(page, 'recovery codes')
      await settings.getByRole('button', { name: 'I have them' }).click()
      await settings.getByText('10 recovery codes are left').waitFor()
      // A password for a program.
      await settings.getByRole('button', { name: 'New app password…' }).click()
      await page.keyboard.type('Phone')
      await settings.getByLabel('Your password').fill(PASSWORD)
      await settings.getByRole('button', { name: 'Make a password' }).click()
      await settings.getByText(/^[a-z2-7]{4}(-[a-z2-7]{4}){4}$/).waitFor()
      await settings.getByRole('button', { name: 'Done' }).click()
      await settings.getByRole('button', { name: 'Remove Phone' }).click()
      await eventually(async () =>
        assert.equal(await settings.getByRole('button', { name: 'Remove Phone' }).count(), 0),
      )
      await page.keyboard.press('Escape')
      await done(w)

      // On a phone, another browser.
      const phone = await t.open(PHONE, '', t.host.client())
      const login = phone.page.getByRole('dialog', { name: 'Log in' })
      await login.getByLabel('Email address').fill('alice@example.org')
      await login.getByLabel('Password').fill(PASSWORD)
      await phone.page.keyboard.press('Enter')
      const field = login.getByLabel('Code of your app, or a recovery code')
      await eventually(async () => assert.ok(await field.evaluate(element => element === document.activeElement)))
      await noViolations(phone.page, 'the code')
      await phone.page.keyboard.type('000000')
      await phone.page.keyboard.press('Enter')
      await login.getByRole('alert').getByText('wrong code').waitFor()
      await field.fill(recovery)
      await login.getByRole('button', { name: 'Log in' }).click()
      await phone.page.getByText('hello', { exact: true }).waitFor()
      await done(phone)

      const again = await t.open({}, '', t.host.client())
      const dialog = again.page.getByRole('dialog', { name: 'Log in' })
      await dialog.getByLabel('Email address').fill('alice@example.org')
      await dialog.getByLabel('Password').fill(PASSWORD)
      await again.page.keyboard.press('Enter')
      await dialog.getByLabel('Code of your app, or a recovery code').fill(code())
      await again.page.keyboard.press('Enter')
      await again.page.getByText('hello', { exact: true }).waitFor()
      await again.page.keyboard.press('Control+!')
      const other = again.page.getByRole('dialog', { name: 'Settings' })
      await other.getByRole('tab', { name: 'Security' }).click()
      await other.getByText('9 recovery codes are left').waitFor()
      // A passkey, where the address of the page is a name.
      const named = await t.open({}, '', t.host.client(), t.host.url.replace('127.0.0.1', 'localhost'))
      const devtools = await named.page.context().newCDPSession(named.page)
      await devtools.send('WebAuthn.enable')
      await devtools.send('WebAuthn.addVirtualAuthenticator', {
        options: { protocol: 'ctap2', transport: 'internal', hasUserVerification: true, isUserVerified: true },
      })
      const enter = named.page.getByRole('dialog', { name: 'Log in' })
      const first = async (): Promise<void> => {
        await enter.getByLabel('Email address').fill('alice@example.org')
        await enter.getByLabel('Password').fill(PASSWORD)
        await named.page.keyboard.press('Enter')
      }
      await first()
      const codes = enter.getByLabel('Code of your app, or a recovery code')
      await codes.waitFor()
      assert.equal(await enter.getByRole('button', { name: 'Use a passkey' }).count(), 0)
      await codes.fill(recoveries[1] ?? '')
      await named.page.keyboard.press('Enter')
      await named.page.getByText('hello', { exact: true }).waitFor()
      await named.page.keyboard.press('Control+!')
      const own = named.page.getByRole('dialog', { name: 'Settings' })
      await own.getByRole('tab', { name: 'Security' }).click()
      await own.getByRole('button', { name: 'New passkey…' }).click()
      await named.page.keyboard.type('Laptop')
      await own.getByLabel('Your password').fill(PASSWORD)
      await own.getByRole('button', { name: 'Make a passkey' }).click()
      await own.getByRole('button', { name: 'Remove Laptop' }).waitFor()
      await noViolations(named.page, 'passkeys')
      await named.page.keyboard.press('Escape')
      await named.page.getByRole('button', { name: 'Account' }).click()
      await named.page
        .getByRole('dialog', { name: 'Account', exact: true })
        .getByRole('button', { name: 'Log out' })
        .click()
      await first()
      await enter.getByRole('button', { name: 'Use a passkey' }).click()
      await named.page.getByText('hello', { exact: true }).waitFor()
      await done(named)
      await other.getByRole('button', { name: 'Turn off…' }).click()
      await other.getByLabel('Your password').fill(PASSWORD)
      await other.getByRole('button', { name: 'Turn off' }).click()
      await other.getByRole('button', { name: 'Set up…' }).waitFor()
      await done(again)
      // Turning it on and off ended the session of the other tests.
      await t.alice.login('alice@example.org')
    })

    test('a session that ended: one login for all calls that wait', async () => {
      const client = await t.host.login()
      const w = await t.open({}, '', client)
      const { page } = w
      await page.getByText('hello', { exact: true }).waitFor()
      const [device] = (await client.call('devices', {})).devices.filter(d => d.current)
      await t.alice.call('deviceRevoke', { id: device!.id })
      // With the next event, or what the user does, it is known.
      await t.put('Inbox', message('after it'), { flags: { seen: true } })
      const dialog = page.getByRole('dialog', { name: 'Log in' })
      await dialog.waitFor()
      await page.waitForFunction(() => document.querySelectorAll('dialog[open]').length === 1)
      await dialog.getByLabel('Email address').fill('alice@example.org')
      await dialog.getByLabel('Password').fill(PASSWORD)
      await page.keyboard.press('Enter')
      await dialog.waitFor({ state: 'detached' })
      await page.getByText('after it', { exact: true }).waitFor()
      await done(w)
    })

    test('layouts and splitters, kept; by keys and by mouse', async () => {
      const w = await t.open()
      const { page } = w
      const box = async (name: string) => (await page.getByRole('region', { name, exact: true }).boundingBox())!
      const sides = async () => {
        const [list, message] = [await box('List of messages'), await box('Message')]
        return message.x > list.x ? 'beside' : 'below'
      }
      await page.getByText('hello', { exact: true }).waitFor()
      assert.equal(await sides(), 'below')
      await page.getByLabel('Layout').selectOption('Left-right')
      await eventually(async () => assert.equal(await sides(), 'beside'))
      const splitter = page.getByRole('separator', { name: 'Share of the list' })
      const before = (await box('List of messages')).width
      await splitter.focus()
      for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight')
      assert.ok((await box('List of messages')).width > before + 20)
      const line = (await splitter.boundingBox())!
      await page.mouse.move(line.x + line.width / 2, line.y + 100)
      await page.mouse.down()
      await page.mouse.move(line.x - 120, line.y + 100, { steps: 3 })
      await page.mouse.up()
      const moved = (await box('List of messages')).width
      assert.ok(moved < before, `${moved} px`)
      const tree = page.getByRole('separator', { name: 'Width of the mailboxes' })
      await tree.focus()
      await page.keyboard.press('Home')
      await noViolations(page, 'left-right')
      await t.shot(page, 'left-right')
      await page.reload()
      await page.getByText('hello', { exact: true }).waitFor()
      assert.equal(await sides(), 'beside')
      assert.ok(Math.abs((await page.getByRole('navigation', { name: 'Mailboxes' }).boundingBox())!.width - 140) < 4)
      await page.getByLabel('Layout').selectOption('Automatic')
      await eventually(async () => assert.equal(await sides(), 'below'))
      const age = page.getByRole('separator', { name: 'Width of the age' })
      await age.focus()
      for (const [key, width] of [
        ['End', 200],
        ['Home', 30],
        ['ArrowLeft', 40],
      ] as const) {
        await page.keyboard.press(key)
        await eventually(async () => assert.equal(await age.getAttribute('aria-valuenow'), `${width}`))
      }
      // On a wide screen they are beside each other by themselves.
      await page.setViewportSize({ width: 1_800, height: 900 })
      await eventually(async () => assert.equal(await sides(), 'beside'))
      await done(w)
    })

    test('mailboxes: ranks, sums, collapsing by keys and mouse, kept on the server', async () => {
      const w = await t.open()
      const { page } = w
      const item = (name: string) => page.getByRole('treeitem', { name })
      await item('Plants').waitFor()
      const all = await tree(page)
      assert.deepEqual(all, [
        'Inbox',
        'Drafts',
        'Sent',
        'Archive',
        'Trash',
        'Junk',
        'Projects',
        '-Garden',
        '--Plants 1',
      ])
      await page.keyboard.press('g')
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('role')), 'treeitem')
      await page.keyboard.press('End')
      await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('ArrowLeft')
      await eventually(async () => assert.deepEqual((await tree(page)).slice(6), ['Projects', '-Garden 1']))
      assert.equal(await item('Garden').getAttribute('aria-expanded'), 'false')
      await page.reload()
      await item('Garden').waitFor()
      assert.deepEqual((await tree(page)).slice(6), ['Projects', '-Garden 1'])
      await item('Garden').dblclick()
      await item('Plants').waitFor()
      await item('Projects').locator('.twist').click()
      await eventually(async () => assert.deepEqual((await tree(page)).slice(6), ['Projects 1']))
      await item('Projects').locator('.twist').click()
      await page.keyboard.press('g')
      await page.keyboard.press('End')
      await page.keyboard.press('Enter')
      await page.getByText('roses', { exact: true }).waitFor()
      assert.equal(await item('Plants').getAttribute('aria-selected'), 'true')
      await page.getByRole('meter', { name: 'Storage in use' }).waitFor()
      await done(w)
    })

    test('mailboxes are made, renamed, given a role, read, emptied, moved and deleted from their menus', async () => {
      const store = await t.host.store('alice')
      const names = async () =>
        (await store.mailboxes()).map(m => m.name).filter(n => !/^(Projects|Inbox|Sent|Drafts)/.test(n))
      const w = await t.open()
      const { page } = w
      const item = (name: string) => page.getByRole('treeitem', { name: new RegExp(`^${name}`) })
      const menu = async (name: string, entry: string | RegExp) => {
        await item(name).click({ button: 'right' })
        await page.getByRole('dialog', { name: `Actions for ` }).getByRole('button', { name: entry }).click()
      }
      await page.getByRole('button', { name: 'Actions for all mailboxes' }).click()
      await page.getByRole('button', { name: 'Create mailbox…' }).click()
      const ask = page.getByRole('dialog').filter({ has: page.getByRole('textbox') })
      await page.keyboard.type('Bad//name')
      await page.keyboard.press('Enter')
      await ask.getByRole('alert').waitFor()
      await noViolations(page, 'a name that is refused')
      await ask.getByRole('textbox').fill('Bills')
      await page.keyboard.press('Enter')
      await item('Bills').waitFor()
      // By keys: b is the menu.
      await item('Bills').focus()
      await page.keyboard.press('b')
      const open = page.getByRole('dialog', { name: 'Actions for Bills' })
      await open.waitFor()
      await noViolations(page, 'menu of a mailbox')
      await t.shot(page, 'mailbox-menu')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      await page.keyboard.type('Paid')
      await page.keyboard.press('Enter')
      await item('Paid').waitFor()
      assert.ok((await names()).includes('Bills/Paid'))
      await menu('Paid', 'Rename or move…')
      await ask.getByRole('textbox').fill('Paid bills')
      await page.keyboard.press('Enter')
      await item('Paid bills').waitFor()
      await t.put('Paid bills', message('paid'))
      const count = item('Paid bills').locator('.count')
      await count.waitFor({ state: 'attached' })
      await menu('Paid bills', 'Mark as read')
      await count.waitFor({ state: 'detached' })
      await page.keyboard.press('Control+z')
      await count.waitFor({ state: 'attached' })
      await menu('Paid bills', 'Set role…')
      await page.getByRole('dialog', { name: 'Role of Paid bills' }).getByRole('button', { name: 'Archive' }).click()
      await eventually(async () => assert.deepEqual((await store.mailbox('Paid bills'))?.specialUse, ['archive']))
      const was = (await store.mailbox('Paid bills'))!.subscribed
      await menu('Paid bills', /Subscribe|Unsubscribe/)
      await eventually(async () => assert.notEqual((await store.mailbox('Paid bills'))?.subscribed, was))
      // What is exported is a download.
      await menu('Paid bills', 'Export as…')
      const download = page.waitForEvent('download')
      await page.getByRole('dialog', { name: 'Export Paid bills' }).getByRole('button', { name: 'Export' }).click()
      assert.match((await download).suggestedFilename(), /\.zip$/)
      await menu('Paid bills', 'Empty mailbox…')
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /^Empty|^Delete/ })
        .last()
        .click()
      await eventually(async () => assert.deepEqual(await t.subjects('Paid bills'), []))
      await menu('Paid bills', 'Move to trash…')
      await page.getByRole('dialog').getByRole('button', { name: /^Move/ }).last().click()
      await eventually(async () => assert.ok((await names()).includes('Trash/Paid bills'), (await names()).join()))
      await menu('Bills', 'Delete mailbox…')
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /^Delete/ })
        .last()
        .click()
      await eventually(async () => assert.ok(!(await names()).includes('Bills'), (await names()).join()))
      await done(w)
    })

    test('title and address follow, and the history of the browser goes back', async () => {
      const w = await t.open()
      const { page } = w
      await page.getByText('hello', { exact: true }).click()
      await page.getByRole('heading', { name: 'hello' }).waitFor()
      const first = page.url()
      assert.match(first, /#Inbox,\d+$/)
      assert.match(await page.title(), /^\(\d+\) Inbox - alice@example\.org - mox$/)
      await page.getByRole('treeitem', { name: 'Plants' }).click()
      await page.getByText('roses', { exact: true }).waitFor()
      assert.match(page.url(), /#Projects\/Garden\/Plants$/)
      assert.match(await page.title(), /^\(1\) Projects\/Garden\/Plants/)
      await page.goBack()
      await page.getByRole('heading', { name: 'hello' }).waitFor()
      assert.equal(page.url(), first)
      await page.goForward()
      await page.getByText('roses', { exact: true }).waitFor()
      // The address alone opens the message.
      const other = await t.open({}, new URL(first).hash)
      await other.page.getByRole('heading', { name: 'hello' }).waitFor()
      await done(other)
      await done(w)
    })

    test('help, palette, tooltips and hints', async () => {
      const w = await t.open()
      const { page } = w
      await page.getByText('hello', { exact: true }).waitFor()
      await page.keyboard.press('?')
      const help = page.getByRole('dialog', { name: 'Help' })
      await help.getByRole('row', { name: 'Move to Trash' }).waitFor()
      await noViolations(page, 'help')
      await page.keyboard.press('Escape')
      await help.waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Help', exact: true }).click()
      await help.getByRole('button', { name: 'Close' }).click()
      // Who uses the mouse learns the key.
      assert.equal(await page.locator('.hint').textContent(), '?')
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Command' }).fill('go to plants')
      await noViolations(page, 'palette')
      await page.keyboard.press('Enter')
      await page.getByText('roses', { exact: true }).waitFor()
      await page.keyboard.press('Control+k')
      await page.keyboard.type('light or dark')
      await page.getByRole('option', { name: 'Light or dark' }).click()
      await eventually(async () => assert.ok((await brightness(page)) < 80))
      await page.keyboard.press('Control+?')
      await page.locator('.tooltips div').first().waitFor()
      await page.keyboard.press('Shift')
      await page.locator('.tooltips').waitFor({ state: 'detached' })
      // Of the element that has the focus.
      await page.getByRole('button', { name: 'Settings', exact: true }).focus()
      await page.keyboard.press('Control+?')
      assert.deepEqual(await page.locator('.tooltips div').allTextContents(), ['Settings'])
      await done(w)
    })

    test('an error of the page is told, with what is needed to report it', async () => {
      const w = await t.open()
      const { page } = w
      await page.evaluate(() => void setTimeout(() => Promise.reject(new Error('a part broke'))))
      const box = page.locator('.error-box')
      await box.getByText('a part broke').waitFor()
      await noViolations(page, 'an error')
      await box.getByRole('button', { name: 'Details' }).click()
      await page.getByRole('dialog', { name: 'Details of the error' }).getByText('Error: a part broke').waitFor()
      await page.keyboard.press('Escape')
      await box.getByRole('button', { name: 'Silence for 1 week' }).click()
      await page.evaluate(() => void setTimeout(() => Promise.reject(new Error('again'))))
      await page.waitForFunction(() => new Promise(resolve => setTimeout(() => resolve(true))))
      assert.equal(await box.count(), 0)
      w.noises.length = 0
      await done(w)
    })

    test('not connected is told; connected again, what was missed is there', async () => {
      const w = await t.open()
      const { page } = w
      await page.getByText('hello', { exact: true }).waitFor()
      await page.context().setOffline(true)
      const alert = page.locator('.connection')
      await alert.getByText('Not connected').waitFor()
      assert.match(await page.title(), /^\(not connected\)/)
      await noViolations(page, 'not connected')
      await t.put('Inbox', message('meanwhile'), { flags: { seen: true } })
      // The network is there again before the server is.
      let tries = 0
      await page.route('**/events', route => (++tries < 3 ? route.abort() : route.continue()))
      await page.context().setOffline(false)
      await eventually(() => assert.ok(tries > 0))
      // Nobody has to wait for the next try.
      const button = alert.getByRole('button', { name: 'Reconnect' })
      await eventually(async () => {
        if (tries < 3) await button.click({ timeout: 200 })
        assert.ok(tries >= 3)
      })
      await page.getByText('meanwhile', { exact: true }).waitFor()
      await alert.waitFor({ state: 'detached' })
      await done(w)
    })

    test('new mail is told by the desktop, to who asked for it and does not see the page', async () => {
      const w = await t.open({ permissions: ['notifications'] })
      const { page } = w
      await page.getByText('hello', { exact: true }).waitFor()
      // The desktop of a test: what is told, and whether the page is seen.
      await page.evaluate(() => {
        const told: string[] = []
        class Told {
          static permission = 'granted'
          static requestPermission = async () => 'granted'
          constructor(title: string, { body }: { body: string }) {
            told.push(`${title}: ${body}`)
          }
        }
        Object.assign(globalThis, { told, Notification: Told, seen: 'hidden' })
        Object.defineProperty(document, 'visibilityState', {
          get: () => (globalThis as unknown as { seen: string }).seen,
        })
      })
      const told = async () => await page.evaluate(() => (globalThis as unknown as { told: string[] }).told)
      await t.put('Inbox', message('unasked'))
      await page.getByText('unasked', { exact: true }).waitFor()
      await page.keyboard.press('Control+!')
      await page.getByLabel(/^Tell of new mail/).check()
      await page.keyboard.press('Escape')
      await t.put('Inbox', message('read already'), { flags: { seen: true } })
      await page.getByText('read already', { exact: true }).waitFor()
      await t.put('Inbox', message('asked for'))
      await eventually(async () => assert.deepEqual(await told(), ['Ann: asked for']))
      await page.evaluate(() => Object.assign(globalThis, { seen: 'visible' }))
      await t.put('Inbox', message('looked at'))
      await page.getByText('looked at', { exact: true }).waitFor()
      assert.deepEqual(await told(), ['Ann: asked for'])
      await done(w)
    })

    test('themes: as the system, and by hand; no violation in either', async () => {
      const w = await t.open({ colorScheme: 'dark' })
      const { page } = w
      await page.getByText('hello', { exact: true }).waitFor()
      assert.ok((await brightness(page)) < 80)
      await noViolations(page, 'dark')
      await page.getByRole('button', { name: 'Account' }).click()
      await page.getByLabel('Light', { exact: true }).click()
      await eventually(async () => assert.ok((await brightness(page)) > 200))
      await noViolations(page, 'light')
      await page.keyboard.press('Escape')
      // Kept for the account, and nothing flashes when the page comes again.
      await page.reload()
      await page.getByText('hello', { exact: true }).waitFor()
      assert.ok((await brightness(page)) > 200)
      await done(w)
    })

    test('on a phone: the drawer, the account, settings, help', async () => {
      const w = await t.open(PHONE)
      const { page } = w
      await page.getByText('hello', { exact: true }).waitFor()
      await page.getByRole('button', { name: 'Mailboxes', exact: true }).tap()
      await page.getByRole('treeitem', { name: 'Plants' }).waitFor()
      await fits(page, 'drawer')
      await noViolations(page, 'drawer')
      await t.shot(page, 'phone-drawer')
      await page.getByRole('button', { name: 'Actions for Projects/Garden/Plants' }).tap()
      const menu = page.getByRole('dialog', { name: 'Actions for Projects/Garden/Plants' })
      await menu.waitFor()
      const { x, width } = (await menu.boundingBox())!
      assert.ok(x >= 0 && x + width <= 390, `${x} ${width}`)
      await page.keyboard.press('Escape')
      await page.getByRole('treeitem', { name: 'Plants' }).tap()
      await page.getByText('roses', { exact: true }).waitFor()
      assert.equal(await page.getByRole('treeitem').count(), 0)
      await page.getByRole('button', { name: 'Account' }).tap()
      await page.getByRole('button', { name: 'Help and keyboard shortcuts' }).tap()
      await page.getByRole('dialog', { name: 'Help' }).waitFor()
      await fits(page, 'help on a phone')
      await noViolations(page, 'help on a phone')
      await page.getByRole('button', { name: 'Close' }).tap()
      await page.getByRole('button', { name: 'Account' }).tap()
      await page.getByRole('button', { name: 'Settings', exact: true }).tap()
      await page.getByRole('tab', { name: 'Keyboard' }).tap()
      await page.getByRole('heading', { name: 'Keyboard' }).waitFor()
      await fits(page, 'settings on a phone')
      await noViolations(page, 'settings on a phone')
      await t.shot(page, 'phone-settings')
      await done(w)
    })
  },
)
