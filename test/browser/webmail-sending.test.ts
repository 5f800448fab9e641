// Sending mail in a real browser: taking it back, limits, sessions that end, times, transport security, answers. Skipped, and
// says so, where Chromium is not installed.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { noViolations } from './checks.ts'
import { CHROMIUM } from './page.ts'
import { chips, done, field, paste, saved, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'sending mail (skipped: Chromium is not installed)' : 'sending mail',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({
        limits: { maxOutgoingPerDay: 1_000, maxFirstTimeRecipientsPerDay: 40 },
      })
    })
    afterAll(async () => await t?.stop())
    beforeEach(async () => await t.settings({ showAddressSecurity: false }))

    test('sending is taken back with what was written', async () => {
      await t.settings({ showAddressSecurity: false, sendDelay: 30 })
      const w = await t.open()
      const { page } = w
      const compose = await w.write('x@remote.test')
      await field(compose, 'Subject').fill('Too soon')
      await field(compose, 'Message').fill('not yet')
      await page.keyboard.press('Control+Enter')
      await page.getByText('Message sent').waitFor()
      await t.shot(page, 'sent-undo')
      await page.getByRole('button', { name: 'Undo' }).click()
      await compose.waitFor()
      assert.equal(await field(compose, 'Message').inputValue(), 'not yet')
      assert.deepEqual(
        (await t.sources('Sent')).filter(source => source.includes('Subject: Too soon')),
        [],
      )
      await compose.getByRole('button', { name: 'Discard' }).click()
      await done(w)
    })

    test('more first-time recipients than a day allows: the draft stays, and says why', async () => {
      const w = await t.open()
      const { page } = w
      const compose = await w.write()
      const many = Array.from({ length: 60 }, (_, n) => `new${n}@remote.test`).join(', ')
      await paste(page, '[data-field="to"] input', { 'text/plain': many })
      await chips(compose, 'to').nth(59).waitFor()
      await field(compose, 'Subject').fill('To many')
      await field(compose, 'Message').fill('kept')
      await t.shot(page, 'many')
      await page.keyboard.press('Control+Enter')
      await compose.getByText(/Not sent: .*recipients/).waitFor()
      assert.equal(await field(compose, 'Message').inputValue(), 'kept')
      assert.equal((await t.sources('Drafts')).filter(source => source.includes('Subject: To many')).length, 1)
      await compose.getByRole('button', { name: 'Discard' }).click()
      await compose.waitFor({ state: 'detached' })
      await done(w)
    })

    test('a session that ends while one writes: log in, nothing is lost, then it is sent', async () => {
      const w = await t.open({}, '', await t.host.login())
      const { page } = w
      const compose = await w.write('x@remote.test')
      await field(compose, 'Subject').fill('Over two sessions')
      await saved(compose)
      await field(compose, 'Message').fill('before and after')
      const { devices } = await w.client.call('devices', {})
      await t.alice.call('deviceRevoke', { id: devices.find(device => device.current)?.id ?? '' })
      const login = page.getByRole('dialog', { name: 'Log in' })
      await login.waitFor()
      await t.shot(page, 'login-while-writing')
      await login.getByLabel('Email address').fill('alice@example.org')
      await login.getByLabel('Password').fill('correct horse battery')
      await login.getByRole('button', { name: 'Log in' }).click()
      await login.waitFor({ state: 'detached' })
      assert.equal(await field(compose, 'Message').inputValue(), 'before and after')
      await field(compose, 'Message').focus()
      await page.keyboard.press('Control+Enter')
      await page.getByText('Message sent').waitFor()
      assert.match(await t.source('Sent', 'Over two sessions'), /before and after/)
      await done(w)
    })

    test('scheduled: in Outgoing until its time, moved, edited, cancelled', async () => {
      const w = await t.open()
      const { page } = w
      const compose = await w.write('x@remote.test')
      await field(compose, 'Subject').fill('Later on')
      await field(compose, 'Message').fill('later')
      await compose.getByRole('button', { name: 'Later…' }).click()
      const menu = page.getByRole('dialog', { name: 'When to send' })
      await menu.getByRole('button', { name: /^Tomorrow morning/ }).waitFor()
      await t.shot(page, 'schedule')
      await noViolations(page, 'when to send')
      await menu.getByLabel('Date and time').fill('2001-01-01T09:00')
      assert.ok(await menu.getByRole('button', { name: 'Set' }).isDisabled())
      await menu.getByRole('button', { name: /^In a day/ }).click()
      await compose.getByRole('button', { name: 'Schedule', exact: true }).click()
      await page.getByText(/^Scheduled for /).waitFor()
      await page.getByRole('button', { name: 'Outgoing' }).click()
      const row = page.locator('.outgoing-row', { hasText: 'Later on' })
      await row.getByText(/^Scheduled: /).waitFor()
      await t.shot(page, 'outgoing')
      await noViolations(page, 'outgoing')
      const before = await row.locator('.outgoing-state').textContent()
      await row.getByRole('button', { name: 'Later…' }).click()
      await menu.getByLabel('Date and time').fill('2001-01-01T09:00')
      assert.ok(await menu.getByRole('button', { name: 'Set' }).isDisabled())
      await menu
        .getByLabel('Date and time')
        .fill(await page.evaluate<string>('new Date(Date.now() + 5 * 86400000).toISOString().slice(0, 16)'))
      await menu.getByRole('button', { name: 'Set' }).click()
      await page.waitForFunction(text => document.querySelector('.outgoing-state')?.textContent !== text, before)
      await row.getByRole('button', { name: 'Edit' }).click()
      await compose.waitFor()
      assert.equal(await field(compose, 'Message').inputValue(), 'later')
      await row.waitFor({ state: 'detached' })
      await field(compose, 'Message').focus()
      await page.keyboard.press('Control+Enter')
      await row.getByText(/^Scheduled: /).waitFor()
      await row.getByRole('button', { name: 'Cancel' }).click()
      await page.getByRole('button', { name: 'Cancel delivery' }).click()
      await row.waitFor({ state: 'detached' })
      await done(w)
    })

    test('how safely mail travels: signs, RequireTLS by itself, and a choice that stays', async () => {
      await t.settings()
      const w = await t.open()
      const { page } = w
      await page.route('**/api/recipientSecurity', async route => {
        const safe = (route.request().postData() ?? '').includes('@safe.test')
        const yes = safe ? 'yes' : 'unknown'
        await route.fulfill({ json: { starttls: yes, mtaSts: yes, dnssec: 'no', dane: 'error', requireTls: yes } })
      })
      const compose = await w.write('a@safe.test')
      await compose.getByRole('img', { name: /STARTTLS: yes.*DNSSEC: no.*DANE: could not be found out/s }).waitFor()
      const chosen = async (): Promise<string> => {
        await compose.getByRole('button', { name: 'More' }).click()
        const menu = page.getByRole('dialog', { name: 'More' })
        await menu.waitFor()
        const label = await menu.locator('label', { has: page.locator('input:checked') }).textContent()
        await page.keyboard.press('Escape')
        await menu.waitFor({ state: 'detached' })
        return label ?? ''
      }
      assert.match(await chosen(), /RequireTLS/)
      await field(compose, 'To').pressSequentially('b@other.test,')
      await compose.getByRole('img', { name: /STARTTLS: not known/ }).waitFor()
      assert.match(await chosen(), /^As the recipients/)
      await t.shot(page, 'security')
      await compose.getByRole('button', { name: 'More' }).click()
      await t.shot(page, 'more')
      await noViolations(page, 'more')
      await page.getByLabel('Also without TLS').check()
      await page.keyboard.press('Escape')
      await compose.getByRole('button', { name: 'Remove b@other.test' }).click()
      assert.match(await chosen(), /^Also without TLS/)
      await field(compose, 'Subject').fill('Plainly')
      await page.keyboard.press('Control+Enter')
      await page.getByText('Message sent').waitFor()
      assert.match(await t.source('Sent', 'Plainly'), /^TLS-Required: No\r$/m)
      await done(w)
    })

    test('answers by keys: reply, reply to all, forward with the files of the original', async () => {
      await t.host.deliver(
        [
          ...[
            'From: Ann <ann@remote.test>',
            'To: alice@example.org, Bob <bob@remote.test>',
            'Cc: cy@remote.test',
            'Subject: Question',
          ],
          ...['Message-ID: <q@remote.test>', 'Date: Thu, 26 Nov 2026 08:00:00 +0000', 'MIME-Version: 1.0'],
          ...['Content-Type: multipart/mixed; boundary=b', '', '--b', 'Content-Type: text/plain', '', 'What?', '--b'],
          ...[
            'Content-Type: text/plain; name=notes.txt',
            'Content-Disposition: attachment; filename=notes.txt',
            '',
            'notes',
            '--b--',
            '',
          ],
        ].join('\n'),
      )
      const w = await t.open()
      const { page, compose } = w
      await page
        .getByRole('row', { name: /Question/ })
        .first()
        .click()
      await page.getByRole('button', { name: 'Reply', exact: true }).waitFor()
      await page.keyboard.press('r')
      await compose.waitFor()
      assert.deepEqual(await chips(compose, 'to').allTextContents(), ['Ann'])
      assert.equal(await field(compose, 'Subject').inputValue(), 'Re: Question')
      assert.match(await field(compose, 'Message').inputValue(), /^\n\nOn .*Ann wrote:\n> What\?\n$/)
      await page.keyboard.type('This.')
      await page.keyboard.press('Control+Shift+Enter')
      await page.getByText('Message sent').waitFor()
      const source = await t.source('Sent', 'Re: Question')
      assert.match(source, /^In-Reply-To: <q@remote\.test>\r$/m)
      assert.match(source, /This\.\r\n\r\nOn /)
      // The thread is in Archive by now.
      await page.getByRole('treeitem', { name: /Archive/ }).click()
      await page
        .getByRole('row', { name: /Question/ })
        .first()
        .click()
      await page.getByRole('button', { name: 'Reply', exact: true }).waitFor()
      await page.keyboard.press('R')
      await compose.waitFor()
      assert.deepEqual(await chips(compose, 'to').allTextContents(), ['Ann', 'Bob'])
      assert.deepEqual(await chips(compose, 'cc').allTextContents(), ['cy@remote.test'])
      await compose.getByRole('button', { name: 'Save and close' }).click()
      await compose.waitFor({ state: 'detached' })
      await page.keyboard.press('f')
      await compose.waitFor()
      await compose.getByLabel(/notes\.txt/).check()
      await compose.getByRole('button', { name: 'Remove notes.txt' }).waitFor()
      assert.match(await field(compose, 'Message').inputValue(), /---- Forwarded Message ----\n\nSubject: {2}Question/)
      await t.shot(page, 'forward')
      await noViolations(page, 'forward')
      await compose.getByRole('button', { name: 'Discard' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).last().click()
      await compose.waitFor({ state: 'detached' })
      await done(w)
    })
  },
)
