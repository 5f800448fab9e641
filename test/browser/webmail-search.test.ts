// Searching and the settings in a real browser. Skipped, and says so, where Chromium is not installed.
import assert from 'node:assert/strict'
import { storage } from '@mox/plugin-sdk'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { eventually } from '../kit/temp.ts'
import { fits, noViolations } from './checks.ts'
import { CHROMIUM } from './page.ts'
import { done, PHONE, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

const DAY = 86_400_000

async function subjects(page: Page): Promise<string[]> {
  return (await page.locator('[role=row] .subject').allTextContents()).sort()
}

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'search and settings (skipped: Chromium is not installed)' : 'search and settings',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({})
      const put = async (mailbox: string, subject: string, text: string, more: object = {}, extra = '') =>
        await t.put(
          mailbox,
          `From: Ann <ann@remote.example>\nTo: alice@example.org\nSubject: ${subject}\n${extra}\n${text}\n`,
          more,
        )
      await put(
        'Animals',
        'otter',
        'An otter swims in the river',
        { flags: { seen: true, flagged: true } },
        'X-Kind: mammal\n',
      )
      await put('Animals', 'heron', 'A heron stands in the river', { keywords: ['birds'] })
      await put('Animals/Old', 'dodo', 'A dodo stood on an island', { receivedAt: Date.now() - 400 * DAY })
      await put('Inbox', 'photo', 'the river', { flags: { seen: true } }, 'Content-Type: application/pdf; name=a.pdf\n')
      await put('Trash', 'thrown away', 'An old river')
    })
    afterAll(async () => await t?.stop())
    beforeEach(async () => await t.settings())

    test('every condition of the language finds what it names', async () => {
      const w = await t.open()
      const { page } = w
      const rows: readonly (readonly [query: string, found: readonly string[]])[] = [
        ['river', ['heron', 'otter']],
        ['"in the river"', ['heron', 'otter']],
        ['river -heron', ['otter']],
        ['mb: river', ['heron', 'otter', 'thrown away']],
        ['mb:Animals', ['heron', 'otter']],
        ['mb:Animals submb:', ['dodo', 'heron', 'otter']],
        ['from:ann subject:do', ['dodo']],
        ['to:alice -subject:o', []],
        ['l:birds', ['heron']],
        ['l:\\flagged', ['otter']],
        ['a:pdf', ['photo']],
        ['h:X-Kind', ['otter']],
        ['h:x-kind:mamm', ['otter']],
        [`end:${new Date(Date.now() - 300 * DAY).toISOString().slice(0, 10)}`, ['dodo']],
        [`start:${new Date(Date.now() - 2 * DAY).toISOString().slice(0, 10)}`, ['heron', 'otter', 'photo']],
        ['file:a.pd', ['photo']],
        ['-file:a.pdf river', ['heron', 'otter']],
        ['has:html', []],
        ['-has:text', ['photo']],
        ['sentend:2020-1-1', []],
        ['minsize:1mb', []],
        ['nothing has this', []],
      ]
      for (const [query, found] of rows) {
        await page.keyboard.press('/')
        await page.locator('#search-input').fill(query)
        await page.keyboard.press('Enter')
        await eventually(async () => {
          assert.equal(decodeURIComponent(new URL(page.url()).hash), `#search ${query}`)
          assert.equal(await page.locator('.list [aria-busy=true]').count(), 0)
          await page.locator('.list-end').waitFor()
          assert.deepEqual(await subjects(page), found, query)
        })
      }
      // Leaving it is where one was.
      await page.keyboard.press('/')
      await page.keyboard.press('Escape')
      await eventually(() => assert.match(page.url(), /#Inbox$/))
      await done(w)
    })

    test('bar and form say the same; the form by keys and by mouse', async () => {
      const w = await t.open({}, '#Animals')
      const { page } = w
      const bar = page.locator('#search-input')
      await page.keyboard.press('/')
      const form = page.getByRole('form', { name: 'Search form' })
      await form.waitFor()
      // Who is in a mailbox looks there.
      assert.equal(await bar.inputValue(), 'mb:Animals ')
      assert.equal(await form.getByRole('combobox', { name: 'Mailbox' }).inputValue(), '=Animals')
      await noViolations(page, 'search form')
      await t.shot(page, 'search-form')
      // What is offered stands above the fields.
      const top = async (element: Locator): Promise<number> => (await element.boundingBox())?.y ?? 0
      const offered = page.getByRole('button', { name: 'Save this search…' })
      assert.ok((await top(offered)) < (await top(form.getByRole('combobox', { name: 'Mailbox' }))))
      await bar.fill('mb:Animals river from:ann -l:birds minsize:1kb')
      assert.equal(await form.getByLabel('Text', { exact: true }).inputValue(), 'river')
      assert.equal(await form.getByLabel('From', { exact: true }).inputValue(), 'ann')
      assert.equal(await form.getByLabel('At least').inputValue(), '1kb')
      await form.getByLabel('At least').fill('')
      await form.getByLabel('Text', { exact: true }).fill('"in the river" -otter')
      await form.getByRole('combobox', { name: 'Mailbox' }).selectOption('All except Trash, Junk and Rejects')
      await form.getByRole('button', { name: 'Flagged: no matter' }).click()
      await form.getByRole('button', { name: 'Flagged: must be' }).click()
      await form.getByRole('button', { name: 'Flagged: must not be' }).waitFor()
      await form.getByText('pdf', { exact: true }).click()
      assert.match(await bar.inputValue(), /a:pdf/)
      await form.getByText('pdf', { exact: true }).click()
      assert.doesNotMatch(await bar.inputValue(), /a:|mb:|minsize/)
      await form.getByRole('button', { name: '1 week' }).click()
      assert.match(await bar.inputValue(), /start:\d{4}-\d{1,2}-\d{1,2}/)
      await form.getByRole('button', { name: 'Clear Received from' }).click()
      await form.getByLabel('Sent from: date').fill('2023-07-01')
      await form.getByLabel('File name').fill('plan')
      await form.getByRole('button', { name: 'HTML: no matter' }).press('Enter')
      assert.match(await bar.inputValue(), /sentstart:2023-07-01 file:plan has:html/)
      await form.getByRole('button', { name: 'Clear Sent from' }).click()
      await form.getByLabel('File name').fill('')
      await form.getByRole('button', { name: 'HTML: must be' }).click()
      await form.getByRole('button', { name: 'HTML: must not be' }).click()
      await form.getByLabel('Other labels').fill('birds')
      await form.getByRole('button', { name: 'Search', exact: true }).click()
      await eventually(async () => assert.deepEqual(await subjects(page), ['heron']))
      await done(w)
    })

    test('a search is narrowed by who, where and when, by keys and by mouse', async () => {
      const w = await t.open({}, '#Inbox')
      const { page } = w
      await page.keyboard.press('/')
      await page.getByRole('searchbox', { name: 'Search' }).fill('f:ann')
      await page.keyboard.press('Enter')
      await eventually(async () => assert.deepEqual(await subjects(page), ['dodo', 'heron', 'otter', 'photo']))
      await page.getByRole('button', { name: 'Narrow' }).click()
      const facets = page.getByRole('dialog', { name: 'Narrow the search' })
      const entries = async (group: string): Promise<string[]> =>
        await facets.getByRole('region', { name: group }).getByRole('button').allTextContents()
      await facets.getByRole('region', { name: 'Mailbox' }).waitFor()
      assert.deepEqual(await entries('Mailbox'), ['Animals 2', 'Inbox 1', 'Animals/Old 1'])
      // All are of one person.
      assert.equal(await facets.getByRole('region', { name: 'From' }).count(), 0)
      await noViolations(page, 'facets')
      await facets.getByRole('button', { name: 'Animals 2' }).click()
      await eventually(async () => assert.deepEqual(await subjects(page), ['heron', 'otter']))
      assert.equal(await page.getByRole('searchbox', { name: 'Search' }).inputValue(), 'mb:Animals f:ann')
      // By keys, a search with messages of another year.
      await page.keyboard.press('/')
      await page.getByRole('searchbox', { name: 'Search' }).fill('f:ann')
      await page.keyboard.press('Enter')
      await eventually(async () => assert.deepEqual(await subjects(page), ['dodo', 'heron', 'otter', 'photo']))
      await page.keyboard.press('Control+Alt+n')
      await facets.getByRole('region', { name: 'Received' }).waitFor()
      const [, old = ''] = await entries('Received')
      assert.match(old, / 1$/)
      await facets.getByRole('button', { name: old }).press('Enter')
      await eventually(async () => assert.deepEqual(await subjects(page), ['dodo']))
      assert.match(
        await page.getByRole('searchbox', { name: 'Search' }).inputValue(),
        /^f:ann start:\d{4}-\d\d-01 end:/,
      )
      await done(w)
      const phone = await t.open(PHONE, '#search f:ann')
      await eventually(async () => assert.deepEqual(await subjects(phone.page), ['dodo', 'heron', 'otter', 'photo']))
      await phone.page.getByRole('button', { name: 'Narrow' }).tap()
      await phone.page.getByRole('dialog', { name: 'Narrow the search' }).getByRole('button', { name: 'Inbox 1' }).tap()
      await eventually(async () => assert.deepEqual(await subjects(phone.page), ['photo']))
      await done(phone)
    })

    test('a search is kept, used, renamed and removed', async () => {
      const w = await t.open({}, '#search%20river')
      const { page } = w
      await page.keyboard.press('/')
      await page.getByRole('button', { name: /Save/ }).click()
      const ask = page.getByRole('dialog').filter({ has: page.getByLabel('Name') })
      await ask.getByLabel('Name').fill('Rivers')
      await page.keyboard.press('Enter')
      await page.keyboard.press('Escape')
      const places = page.getByRole('navigation', { name: 'Mailboxes' })
      await places.getByRole('button', { name: 'Rivers', exact: true }).waitFor()
      await page.getByRole('treeitem', { name: 'Inbox' }).click()
      await places.getByRole('button', { name: 'Rivers', exact: true }).click()
      await eventually(async () => assert.deepEqual(await subjects(page), ['heron', 'otter']))
      await places.getByRole('button', { name: 'Actions for the search Rivers' }).click()
      await page.getByRole('button', { name: 'Rename…' }).click()
      await ask.getByLabel('Name').fill('Water')
      await page.keyboard.press('Enter')
      await places.getByRole('button', { name: 'Actions for the search Water' }).click()
      await page.getByRole('button', { name: 'Remove' }).click()
      await places.getByText('Water').waitFor({ state: 'detached' })
      await page.keyboard.press('Control+z')
      await places.getByText('Water').waitFor()
      await done(w)
    })

    test('settings: every page without a violation, by keys; what is changed is kept', async () => {
      const w = await t.open()
      const { page } = w
      await page.keyboard.press('Control+!')
      const dialog = page.getByRole('dialog', { name: 'Settings' })
      await dialog.waitFor()
      for (const name of ['General', 'Reading', 'Writing', 'Keyboard', 'Labels', 'Rules', 'Import', 'Devices']) {
        await dialog.getByRole('heading', { name, exact: true }).waitFor()
        await noViolations(page, name)
        await t.shot(page, `settings-${name}`)
        await page.keyboard.press('ArrowDown')
      }
      await dialog.getByRole('tab', { name: 'Writing' }).click()
      await dialog.getByLabel('Signature', { exact: true }).fill('-- \nAlice')
      await dialog.getByText('work@example.org').click()
      await dialog.getByLabel('Name', { exact: true }).last().fill('Alice at work')
      await dialog.getByLabel('Answers go to (Reply-To)').last().fill('desk@example.org')
      await dialog.getByRole('button', { name: 'Add template' }).click()
      await dialog.getByText('Template 1').click()
      await dialog.getByLabel('Text', { exact: true }).fill('Dear customer')
      await dialog.getByRole('tab', { name: 'Labels' }).click()
      await dialog.getByRole('button', { name: 'birds' }).click()
      await dialog.getByLabel('Name of birds').fill('Birds of prey')
      await dialog.getByLabel('Colour of birds').selectOption('purple')
      await page.keyboard.press('Escape')
      await eventually(async () => {
        const [row] = await t.host.service(storage).db('webmail_setting').where({ account: 'alice' })
        const settings = JSON.parse(String(row.value))
        assert.equal(settings.signature, '-- \nAlice')
        assert.deepEqual(settings.identities, [
          { address: 'work@example.org', name: 'Alice at work', signature: null, replyTo: 'desk@example.org', bcc: '' },
        ])
        assert.deepEqual(settings.templates, [{ name: 'Template 1', subject: '', text: 'Dear customer' }])
        assert.deepEqual(settings.labels, [{ keyword: 'birds', name: 'Birds of prey', color: 'purple', key: '' }])
      })
      await page.getByRole('treeitem', { name: 'Animals' }).click()
      await page.getByRole('row').getByText('Birds of prey').waitFor()
      await done(w)
    })

    test('keys: another one for a command, clashes, none, and single keys off', async () => {
      const w = await t.open()
      const { page } = w
      const settings = async () => {
        await page.keyboard.press('Control+!')
        await page.getByRole('tab', { name: 'Keyboard' }).click()
      }
      await settings()
      const dialog = page.getByRole('dialog', { name: 'Settings' })
      await dialog.getByRole('searchbox', { name: 'Find' }).fill('Write a mess')
      await dialog.getByRole('button', { name: /^Key of Write a message: c/ }).click()
      await page.keyboard.press('d')
      await dialog.getByText('Also the key of: Move to Trash').waitFor()
      await dialog.getByRole('button', { name: /^Key of Write a message: d/ }).click()
      await page.keyboard.press('Control+y')
      await page.keyboard.press('Escape')
      await page.keyboard.press('c')
      assert.equal(await page.locator('section.compose').count(), 0)
      await page.keyboard.press('Control+y')
      await page
        .locator('section.compose')
        .getByRole('button', { name: /^Discard|^Close/ })
        .first()
        .click()
      await settings()
      await dialog.getByLabel('Keys without Ctrl or Alt run commands').uncheck()
      await page.keyboard.press('Escape')
      await page.keyboard.press('?')
      assert.equal(await page.getByRole('dialog', { name: 'Help' }).count(), 0)
      await settings()
      await dialog.getByRole('button', { name: 'Reset all keys' }).click()
      await dialog.getByLabel('Keys without Ctrl or Alt run commands').check()
      await page.keyboard.press('Escape')
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Help' }).waitFor()
      await done(w)
    })

    test('rules, devices, import', async () => {
      const other = await t.host.login()
      const w = await t.open()
      const { page } = w
      await page.keyboard.press('Control+!')
      const dialog = page.getByRole('dialog', { name: 'Settings' })
      await dialog.getByRole('tab', { name: 'Rules' }).click()
      await dialog.getByText('There are none yet.').waitFor()
      await dialog.getByLabel('from the address').fill('news@remote.example')
      await dialog.getByLabel('is delivered to').selectOption('Animals')
      await dialog.getByRole('button', { name: 'Add rule' }).click()
      await dialog.getByRole('listitem').getByText('news@remote.example').waitFor()
      await t.host.deliver('From: news@remote.example\nTo: alice@example.org\nSubject: by a rule\n\nx\n')
      assert.ok((await t.subjects('Animals')).includes('by a rule'))
      await dialog.getByRole('button', { name: 'Remove' }).click()
      await dialog.getByText('There are none yet.').waitFor()
      await dialog.getByRole('tab', { name: 'Devices' }).click()
      await dialog.getByText('this one').waitFor()
      const before = await dialog.getByRole('button', { name: 'Log out' }).count()
      await dialog.getByRole('button', { name: 'Log out' }).first().click()
      await eventually(async () =>
        assert.equal(await dialog.getByRole('button', { name: 'Log out' }).count(), before - 1),
      )
      await assert.rejects(other.call('usage', {}))
      await dialog.getByRole('tab', { name: 'Import and export' }).click()
      const mbox =
        'From a@b Thu Jan  1 00:00:00 2026\nSubject: imported one\n\nx\n\nFrom a@b Thu Jan  1 00:00:00 2026\nSubject: imported two\n\ny\n'
      await dialog
        .getByLabel(/An mbox file/)
        .setInputFiles({ name: 'old.mbox', mimeType: 'application/mbox', buffer: Buffer.from(mbox) })
      await dialog.getByLabel('Into').selectOption('Animals')
      await dialog.getByRole('button', { name: 'Import', exact: true }).click()
      await dialog.getByRole('status').getByText(/2 /).waitFor()
      assert.deepEqual(
        (await t.subjects('Animals')).filter(s => s.startsWith('imported')),
        ['imported one', 'imported two'],
      )
      await done(w)
    })

    test('on a phone: the form, the settings', async () => {
      const w = await t.open({ ...PHONE, colorScheme: 'dark' })
      const { page } = w
      await page.locator('#search-input').tap()
      const form = page.getByRole('form', { name: 'Search form' })
      await form.waitFor()
      await fits(page, 'search form on a phone')
      await noViolations(page, 'search form on a phone')
      await t.shot(page, 'phone-search')
      await form.getByLabel('Text', { exact: true }).fill('river')
      await form.getByRole('button', { name: 'Search', exact: true }).tap()
      await eventually(async () => assert.deepEqual(await subjects(page), ['heron', 'otter']))
      await page.getByRole('button', { name: 'Account' }).tap()
      await page.getByRole('button', { name: 'Settings', exact: true }).tap()
      for (const name of ['Writing', 'Labels', 'Rules', 'Devices']) {
        await page.getByRole('tab', { name }).tap()
        await page.getByRole('heading', { name, exact: true }).waitFor()
        await fits(page, `${name} on a phone`)
        await noViolations(page, `${name} on a phone`)
      }
      await done(w)
    })
  },
)
