// The list of messages in a real browser: rows, keys, mouse, fingers, threads, and what is done to messages. Skipped, and says
// so, where Chromium is not installed.
import assert from 'node:assert/strict'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { eventually } from '../kit/temp.ts'
import { fits, noViolations } from './checks.ts'
import { CHROMIUM } from './page.ts'
import { done, PHONE, row, WebmailTest } from './webmail-page.ts'

let t: WebmailTest

const START = Date.UTC(2026, 10, 20, 12)
const at = (minute: number) => START + minute * 60_000
const message = (subject: string, more = ''): string =>
  `From: Ann Example <ann@remote.example>\nTo: alice@example.org\nSubject: ${subject}\n${more}\nText of ${subject}.\n`

/** Subjects of all rows that are drawn, from the top. */
async function shown(page: Page): Promise<string[]> {
  const rows = await page
    .locator('[role=row]')
    .evaluateAll(all =>
      all.map(e => [(e as HTMLElement).offsetTop, e.querySelector('.subject')?.textContent ?? '↳'] as const),
    )
  return rows.sort((a, b) => a[0] - b[0]).map(([, subject]) => subject)
}

/** Subjects of the rows that are selected, and of the one that has the focus. */
async function state(page: Page): Promise<string> {
  return await page.locator('[role=grid]').evaluate(grid => {
    const subject = (e: Element | null) => e?.querySelector('.subject')?.textContent ?? ''
    const rows = [...grid.querySelectorAll<HTMLElement>('[role=row]')].sort((a, b) => a.offsetTop - b.offsetTop)
    const selected = rows.filter(e => e.getAttribute('aria-selected') === 'true').map(subject)
    return `${selected.join(' ')} | ${subject(grid.querySelector('.focused'))}`
  })
}

async function toast(page: Page, text: string | RegExp): Promise<Locator> {
  const found = page.locator('.toast').filter({ hasText: text }).last()
  await found.waitFor()
  return found
}

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'the list (skipped: Chromium is not installed)' : 'the list',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      t = await WebmailTest.start({})
      for (let n = 1; n <= 9; n++)
        await t.put('Keys', message(`m${n}`), { receivedAt: at(n), flags: { seen: n !== 3 && n !== 5 } })
      for (let n = 1; n <= 160; n++) await t.put('Large', message(`large ${n}`), { receivedAt: at(n) })
    })
    afterAll(async () => await t?.stop())
    beforeEach(async () => await t.settings())

    test('what a row says', async () => {
      const store = await t.host.store('alice')
      await t.put('Rows', message('plain', 'Cc: bob@example.org\n'), { receivedAt: Date.now() - 3 * 3_600_000 })
      await t.put('Rows', message('all marks'), {
        ...{ receivedAt: at(2), keywords: ['bills'] },
        flags: {
          answered: true,
          flagged: true,
          forwarded: true,
          notjunk: true,
          deleted: true,
          phishing: true,
          seen: true,
        },
      })
      await t.put('Rows', message('files', 'Content-Type: application/pdf; name=a.pdf\n'), { flags: { seen: true } })
      await t.put('Rows', message('to a list').replace('To: alice@', 'To: list@'))
      await t.put('Rows', message('copied').replace('To: alice@', 'Cc: alice@'))
      await t.put('Rows', message('pretends').replace('Ann Example', '"bank@bank.example"'))
      await t.put('Rows', message('nameless').replace('Ann Example <ann@remote.example>', 'ann@remote.example'))
      await t.put('Rows', message('wrong letters').replace('Ann Example', '=?utf-8?q?P=D0=B0ypal?='))
      await t.put('Rows', message('').replace('Subject: \n', ''))
      await store.setSpecialUse((await store.mailbox('Junk'))?.name ?? (await store.create('Junk', ['junk'])).name, [
        'junk',
      ])
      await t.put('Junk', message('pretends in junk').replace('Ann Example', 'Your Bank'), { flags: { junk: true } })
      const w = await t.open({}, '#Rows')
      const { page } = w
      const says = async (subject: string, part: string) =>
        (await row(page, subject).locator(part).allTextContents()).join(' ')
      await row(page, 'all marks').waitFor()
      assert.equal(await says('all marks', '.marks abbr'), 'r ! f D p')
      assert.equal(await row(page, 'all marks').locator('[data-mark=r]').getAttribute('title'), 'Replied')
      assert.equal(await says('all marks', '.tag'), 'bills')
      assert.match(await says('files', '.marks'), /a/)
      assert.equal(await says('plain', '.age'), '3h')
      assert.equal(await says('plain', '.names'), 'Ann Example')
      assert.equal(await says('plain', '.preview'), 'Text of plain.')
      assert.equal(await says('plain', '.identity'), '')
      assert.equal(await says('copied', '.identity'), 'cc')
      assert.equal(await says('to a list', '.identity'), '-')
      assert.match(await says('pretends', '.names'), /<ann@remote\.example>/)
      assert.equal(await says('nameless', '.names'), 'ann@remote.example')
      assert.equal(await says('wrong letters', '.names .scriptswitch'), 'а')
      assert.equal(await row(page, '(no subject)').count(), 1)
      assert.match((await row(page, 'plain').locator('.who').getAttribute('title')) ?? '', /ann@remote\.example/)
      assert.match((await row(page, 'plain').getAttribute('class')) ?? '', /unread/)
      assert.doesNotMatch((await row(page, 'all marks').getAttribute('class')) ?? '', /unread/)
      await noViolations(page, 'list, light')
      await page.emulateMedia({ colorScheme: 'dark' })
      await noViolations(page, 'list, dark')
      await t.shot(page, 'list-dark')
      // A search over mailboxes says where each is; junk always shows the address.
      await page.goto(`${t.host.url}#search%20mb:%20subject:pretends`)
      await row(page, 'pretends in junk').waitFor()
      assert.equal(await says('pretends in junk', '.names'), '<ann@remote.example>')
      assert.equal(await says('pretends in junk', '.in-mailbox'), 'Junk')
      assert.equal(await says('pretends', '.in-mailbox'), 'Rows')
      await done(w)
    })

    test('every key that moves: alone, with Shift, with Ctrl', async () => {
      const w = await t.open({}, '#Keys')
      const { page } = w
      await row(page, 'm9').waitFor()
      const rows: readonly (readonly [keys: string, after: string])[] = [
        // Newest first: m9 is at the top.
        ['j', 'm9 | m9'],
        ['j ArrowDown', 'm7 | m7'],
        ['k', 'm8 | m8'],
        ['ArrowUp', 'm9 | m9'],
        ['J', 'm9 m8 | m8'],
        ['Shift+ArrowDown', 'm9 m8 m7 | m7'],
        ['K', 'm9 m8 | m8'],
        ['Control+ArrowDown Control+ArrowDown', 'm9 m8 | m6'],
        ['Control+Space', 'm9 m8 m6 | m6'],
        ['Space', 'm6 | m6'],
        ['Control+ArrowUp Control+ArrowUp Shift+Space', 'm8 m7 m6 | m8'],
        ['.', 'm1 | m1'],
        [',', 'm9 | m9'],
        ['End', 'm1 | m1'],
        ['Home', 'm9 | m9'],
        ['u', 'm5 | m5'],
        ['u', 'm3 | m3'],
        ['p', 'm4 | m4'],
        ['n', 'm3 | m3'],
        ['N', 'm3 m2 | m2'],
        ['P', 'm3 | m3'],
        ['<', 'm9 m8 m7 m6 m5 m4 m3 | m9'],
        ['>', 'm3 m2 m1 | m1'],
        ['l', 'm1 | m1'],
        ['h', 'm9 | m9'],
        ['*', 'm9 m8 m7 m6 m5 m4 m3 m2 m1 | m9'],
        ['Enter', 'm9 | m9'],
      ]
      for (const [keys, after] of rows) {
        for (const key of keys.split(' ')) await page.keyboard.press(key)
        await eventually(async () => assert.equal(await state(page), after, keys))
      }
      // The focus is told to those who do not see it.
      assert.equal(
        await page.locator('[role=grid]').getAttribute('aria-activedescendant'),
        await row(page, 'm9').getAttribute('id'),
      )
      await done(w)
    })

    test('by mouse: one, more, a range; the panel for several; dragging them to a mailbox', async () => {
      for (let n = 1; n <= 6; n++) await t.put('Mouse', message(`x${n}`), { receivedAt: at(n), flags: { seen: true } })
      const w = await t.open({}, '#Mouse')
      const { page } = w
      await row(page, 'x6').click()
      assert.equal(await state(page), 'x6 | x6')
      await row(page, 'x4').click({ modifiers: ['Control'] })
      assert.equal(await state(page), 'x6 x4 | x4')
      await row(page, 'x2').click({ modifiers: ['Shift'] })
      assert.equal(await state(page), 'x4 x3 x2 | x2')
      await row(page, 'x6').click({ modifiers: ['Control'] })
      await row(page, 'x5').click({ modifiers: ['Control', 'Shift'] })
      assert.equal(await state(page), 'x6 x5 x4 x3 x2 | x5')
      await row(page, 'x3').hover()
      await row(page, 'x3').getByRole('checkbox').click()
      assert.equal(await state(page), 'x6 x5 x4 x2 | x3')
      const panel = page.getByRole('region', { name: 'Selected messages' })
      await panel.getByText('4 messages selected').waitFor()
      await noViolations(page, 'several selected')
      await panel.getByRole('button', { name: 'Mark unread' }).click()
      await toast(page, '4 messages marked as unread')
      assert.equal(await page.locator('[role=row].unread').count(), 4)
      await row(page, 'x1').click()
      await row(page, 'x2').click({ modifiers: ['Control'] })
      // The name of a mailbox is reached by dragging; the rows go with it.
      await row(page, 'x1').dragTo(page.getByRole('treeitem', { name: 'Keys' }))
      await toast(page, '2 messages moved to Keys')
      assert.deepEqual(await shown(page), ['x6', 'x5', 'x4', 'x3'])
      await page.keyboard.press('Control+z')
      await eventually(async () => assert.deepEqual(await shown(page), ['x6', 'x5', 'x4', 'x3', 'x2', 'x1']))
      // Only the number, and the way back.
      await row(page, 'x1').click()
      await row(page, 'x6').click({ modifiers: ['Shift'] })
      await panel.getByText('6 messages selected').waitFor()
      await panel.getByRole('button', { name: 'Select none' }).click()
      assert.match(await state(page), /^ \|/)
      await done(w)
    })

    test('every action by its key, each taken back', async () => {
      await t.settings({ labels: [{ keyword: 'bills', name: 'Bills', color: 'green', key: '1' }] })
      const store = await t.host.store('alice')
      // Classified: who looks at it for long changes nothing.
      const id = await t.put('Actions', message('acted on'), { flags: { seen: true, notjunk: true } })
      await t.put('Actions', message('beside'), { receivedAt: at(1), flags: { seen: true } })
      const now = async () => {
        const [listed] = await store.listed([id])
        const boxes = await store.mailboxes()
        const { flags, keywords, mailboxId } = listed!
        const set = Object.entries(flags).flatMap(([name, on]) => (on ? [name] : []))
        return [boxes.find(b => b.id === mailboxId)?.name, ...set, ...keywords].join(' ')
      }
      const w = await t.open({}, '#Actions')
      const { page } = w
      const before = await now()
      const rows: readonly (readonly [key: string, after: string, said: string | RegExp])[] = [
        ['a', 'Archive seen notjunk', '1 message moved to Archive'],
        ['d', 'Trash seen notjunk', '1 message moved to Trash'],
        ['Delete', 'Trash seen notjunk', '1 message moved to Trash'],
        ['q', 'Junk seen junk', '1 message moved to Junk'],
        ['!', 'Actions seen flagged notjunk', '1 message flagged'],
        ['1', 'Actions seen notjunk bills', '1 message labelled “Bills”'],
      ]
      for (const [key, after, said] of rows) {
        await row(page, 'acted on').click()
        await page.keyboard.press(key)
        await toast(page, said)
        await eventually(async () => assert.equal(await now(), after, key))
        await page.keyboard.press('Control+z')
        await row(page, 'acted on').waitFor()
        await eventually(async () => assert.equal(await now(), before, `${key} taken back`))
      }
      // With two selected none is looked at, which would mark it by itself.
      await row(page, 'acted on').click()
      await row(page, 'beside').click({ modifiers: ['Control'] })
      for (const [key, said, after] of [
        ['M', '2 messages marked as unread', 'Actions'],
        ['Q', '2 messages marked as not junk', 'Actions notjunk'],
        ['m', '2 messages marked as read', before],
      ] as const) {
        await page.keyboard.press(key)
        await toast(page, said)
        await eventually(async () => assert.equal(await now(), after, key))
      }
      await row(page, 'acted on').click()
      // Deleting asks, and can be taken back until it is done.
      await page.keyboard.press('D')
      const dialog = page.getByRole('dialog', { name: 'Delete permanently?' })
      await dialog.getByText('1 message will be removed for good').waitFor()
      await noViolations(page, 'a question')
      await page.keyboard.press('Escape')
      assert.equal(await row(page, 'acted on').count(), 1)
      await page.keyboard.press('D')
      await dialog.getByRole('button', { name: 'Delete' }).click()
      await row(page, 'acted on').waitFor({ state: 'detached' })
      await (await toast(page, '1 message deleted')).getByRole('button', { name: 'Undo' }).click()
      await row(page, 'acted on').waitFor()
      assert.equal(await now(), before)
      await done(w)
    })

    test('what is moved away goes from the list, and the next key is for the next message', async () => {
      for (let n = 1; n <= 4; n++)
        await t.put('Through', message(`t${n}`), { receivedAt: at(n), flags: { seen: true } })
      const w = await t.open({}, '#Through')
      const { page } = w
      await row(page, 't3').click()
      await page.keyboard.press('d')
      await eventually(async () => assert.equal(await state(page), 't4 | t4'))
      await page.keyboard.press('d')
      await eventually(async () => assert.equal(await state(page), 't2 | t2'))
      assert.deepEqual(await shown(page), ['t2', 't1'])
      assert.deepEqual((await t.subjects('Trash')).filter(s => s.startsWith('t')).sort(), ['t3', 't4'])
      await done(w)
    })

    test('the menus: move to by keys, labels, and a rule for what was moved', async () => {
      await t.host.deliver(message('to be filed'), { from: 'ann@remote.example' })
      const store = await t.host.store('alice')
      const w = await t.open({}, '#Inbox')
      const { page } = w
      await row(page, 'to be filed').click()
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Command' }).fill('move to…')
      await page.keyboard.press('Enter')
      const box = page.getByRole('combobox', { name: 'Mailbox' })
      await box.waitFor()
      await noViolations(page, 'move to')
      await page.keyboard.type('key')
      await page.keyboard.press('Enter')
      const offer = page.getByRole('dialog', { name: 'Deliver there from now on?' })
      await offer.getByText('ann@remote.example').waitFor()
      await noViolations(page, 'a rule is offered')
      await page.keyboard.press('Enter')
      await toast(page, 'Rule added')
      assert.deepEqual(
        (await store.rules()).map(r => r.mailbox),
        ['Keys'],
      )
      await t.host.deliver(message('filed by itself'), { from: 'ann@remote.example' })
      assert.ok((await t.subjects('Keys')).includes('filed by itself'))
      // Labels by mouse, a new one and one that is there.
      await page.goto(`${t.host.url}#Keys`)
      await row(page, 'filed by itself').click()
      await row(page, 'm9').click({ modifiers: ['Control'] })
      await page.getByRole('button', { name: 'Labels…' }).last().click()
      const labels = page.getByRole('dialog', { name: 'Labels' })
      await labels.getByLabel('New label').fill('two words')
      await page.keyboard.press('Enter')
      await labels.getByRole('alert').waitFor()
      await labels.getByLabel('New label').fill('urgent')
      await page.keyboard.press('Enter')
      await row(page, 'm9').getByText('urgent').waitFor()
      await noViolations(page, 'labels')
      await labels.getByRole('checkbox', { name: 'urgent' }).click()
      await eventually(async () => assert.equal(await page.locator('[role=row] .tag').count(), 0))
      await page.keyboard.press('Escape')
      for (const rule of await store.rules()) await store.removeRule(rule)
      const filed = (await store.messages((await store.mailbox('Keys'))!.id, { limit: 99 })).slice(9)
      await store.move(
        filed.map(m => m.id),
        'Trash',
      )
      await done(w)
    })

    test('narrowing, order, and how many there are', async () => {
      await t.put('Narrow', message('read'), { receivedAt: at(1), flags: { seen: true } })
      await t.put('Narrow', message('unread'), { receivedAt: at(2) })
      await t.put('Narrow', message('flagged'), { receivedAt: at(3), flags: { seen: true, flagged: true } })
      await t.put('Narrow', message('labelled'), { receivedAt: at(4), flags: { seen: true }, keywords: ['work'] })
      await t.put('Narrow', message('file', 'Content-Type: application/pdf; name=a.pdf\n'), {
        ...{ receivedAt: at(5), flags: { seen: true } },
      })
      const w = await t.open({}, '#Narrow')
      const { page } = w
      const bar = page.getByRole('toolbar', { name: 'List' })
      const all = ['file', 'labelled', 'flagged', 'unread', 'read']
      await bar.getByText('5 messages, 1 unread').waitFor()
      for (const [name, subjects] of [
        ['Unread', ['unread']],
        ['Read', ['file', 'labelled', 'flagged', 'read']],
        ['Attachments', ['file']],
        ['Flagged', ['flagged']],
      ] as const) {
        await bar.getByRole('button', { name, exact: true }).click()
        await eventually(async () => assert.deepEqual(await shown(page), subjects, name))
      }
      await bar.getByRole('button', { name: 'Label', exact: true }).click()
      await page.getByRole('dialog', { name: 'Only messages with label' }).getByRole('button', { name: 'work' }).click()
      await eventually(async () => assert.deepEqual(await shown(page), ['labelled']))
      await noViolations(page, 'narrowed')
      // Remembered for the mailbox as it is opened again.
      await page.reload()
      await eventually(async () => assert.deepEqual(await shown(page), ['labelled']))
      await bar.getByRole('button', { name: 'Show all' }).click()
      await eventually(async () => assert.deepEqual(await shown(page), all))
      await bar.getByRole('button', { name: 'Oldest first' }).click()
      await eventually(async () => assert.deepEqual(await shown(page), [...all].reverse()))
      await page.reload()
      await eventually(async () => assert.deepEqual(await shown(page), [...all].reverse()))
      // What another window chooses is followed.
      await t.settings()
      await eventually(async () => assert.deepEqual(await shown(page), all))
      await done(w)
    })

    test("threads: on, off, unread; collapsed on the server; muted; answers of one's own stay in Sent", async () => {
      const reply = (of: string, id: string) => `Message-ID: <${id}@x>\nIn-Reply-To: <${of}@x>\n`
      await t.put('Threads', message('topic', 'Message-ID: <one@x>\n'), { receivedAt: at(1), flags: { seen: true } })
      await t.put('Threads', message('Re: topic', reply('one', 'two')), { receivedAt: at(2), flags: { seen: true } })
      await t.put('Sent', message('Re: topic', reply('two', 'three')), { receivedAt: at(3), flags: { seen: true } })
      await t.put('Threads', message('other', 'Message-ID: <o@x>\n'), { receivedAt: at(4), flags: { seen: true } })
      const w = await t.open({}, '#Threads')
      const { page } = w
      const threads = page.getByRole('combobox', { name: 'Threads' })
      await row(page, 'topic').waitFor()
      assert.deepEqual(await shown(page), ['other', 'topic', '↳', '↳'])
      assert.deepEqual(await page.locator('[role=row] .relation').allTextContents(), ['↳', '↳'])
      await row(page, 'topic').click()
      await page.keyboard.press('ArrowLeft')
      await eventually(async () => assert.deepEqual(await shown(page), ['other', 'topic']))
      const button = row(page, 'topic').getByRole('button', { name: 'Thread of 3 messages' })
      assert.equal(await button.textContent(), '3')
      // Another window and another session see it.
      await page.reload()
      await row(page, 'topic').waitFor()
      assert.deepEqual(await shown(page), ['other', 'topic'])
      await button.click()
      await eventually(async () => assert.deepEqual(await shown(page), ['other', 'topic', '↳', '↳']))
      await noViolations(page, 'threads')
      await row(page, 'topic').click()
      await page.keyboard.press('S')
      await page.getByText('3 messages selected').waitFor()
      await page.keyboard.press('a')
      await toast(page, '2 messages moved to Archive')
      assert.ok((await t.subjects('Sent')).includes('Re: topic'))
      await page.keyboard.press('Control+z')
      await row(page, 'topic').waitFor()
      // Muted: faint, collapsed, and what comes is read.
      await row(page, 'topic').click()
      await page.keyboard.press('X')
      await toast(page, '1 thread muted')
      await eventually(async () => assert.deepEqual(await shown(page), ['other', 'topic']))
      await page
        .locator('.row.faint')
        .filter({ has: page.getByText('topic', { exact: true }) })
        .waitFor()
      await (await toast(page, '1 thread muted')).getByRole('button', { name: 'Undo' }).click()
      await toast(page, '1 thread unmuted')
      await threads.selectOption('Off')
      await eventually(async () => assert.deepEqual(await shown(page), ['other', 'Re: topic', 'topic']))
      await page.keyboard.press('X')
      await toast(page, 'Threads are not shown')
      await threads.selectOption('Unread')
      await eventually(async () => assert.deepEqual(await shown(page), ['other', 'topic']))
      // What is new moves no rows under the pointer; a thread with something unread is open when the view is opened.
      await t.put('Threads', message('Re: topic', reply('two', 'four')), { receivedAt: at(9) })
      await row(page, 'topic').getByRole('button', { name: 'Thread of 4 messages' }).waitFor()
      assert.deepEqual(await shown(page), ['other', 'topic'])
      await page.reload()
      await eventually(async () => assert.deepEqual(await shown(page), ['topic', '↳', '↳', '↳', 'other']))
      // A thread that nothing is left of goes, and is there again as a whole when something comes for it.
      const store = await t.host.store('alice')
      const mine = (await store.messages((await store.mailbox('Threads'))!.id, { limit: 9 })).filter(
        m => m.subject !== 'other',
      )
      await store.move(
        mine.map(m => m.id),
        'Trash',
      )
      await eventually(async () => assert.deepEqual(await shown(page), ['other']))
      await t.put('Threads', message('Re: topic', reply('two', 'five')), { receivedAt: at(10) })
      await page.getByText('Text of Re: topic.').first().waitFor()
      assert.ok((await shown(page)).length > 2, (await shown(page)).join())
      await done(w)
    })

    test('looking at a message: read after half a second, not junk after five', async () => {
      const store = await t.host.store('alice')
      const id = await t.put('Viewed', message('looked at'))
      await t.put('Viewed', message('passed by'), { receivedAt: at(1) })
      const flags = async () => (await store.listed([id]))[0]?.flags
      const w = await t.open({}, '#Viewed')
      const { page } = w
      await row(page, 'passed by').waitFor()
      await page.clock.install()
      await page.clock.pauseAt(Date.now() + 60_000)
      // Time goes on in steps until a message is there: it counts from then.
      const opened = async (subject: string) =>
        await eventually(async () => {
          await page.clock.runFor(20)
          assert.equal(await page.getByRole('heading', { name: subject }).count(), 1)
        })
      await row(page, 'passed by').click()
      await opened('passed by')
      await page.clock.runFor(300)
      await row(page, 'looked at').click()
      await opened('looked at')
      await page.clock.runFor(520)
      await eventually(async () => assert.equal((await flags())?.seen, true))
      assert.match((await row(page, 'passed by').getAttribute('class')) ?? '', /unread/)
      assert.equal((await flags())?.notjunk, false)
      await page.clock.runFor(5_000)
      await eventually(async () => assert.equal((await flags())?.notjunk, true))
      await done(w)
    })

    test('a large mailbox: only rows near the window are drawn, and more are fetched on the way', async () => {
      const w = await t.open({}, '#Large')
      const { page } = w
      await row(page, 'large 160').waitFor()
      const grid = page.getByRole('grid')
      // By the wheel alone, as most people do.
      await grid.hover()
      await eventually(async () => {
        await page.mouse.wheel(0, 2_000)
        assert.equal(await row(page, 'large 1').count(), 1)
      })
      await page.getByText('End of messages').waitFor()
      assert.equal(await grid.getAttribute('aria-rowcount'), '160')
      assert.ok((await page.locator('[role=row]').count()) < 80, `${await page.locator('[role=row]').count()} rows`)
      await page.keyboard.press('End')
      await eventually(async () => assert.equal(await state(page), 'large 1 | large 1'))
      await page.keyboard.press('Home')
      await eventually(async () => assert.equal(await state(page), 'large 160 | large 160'))
      // All of it, loaded or not.
      await page.keyboard.press('*')
      await page.getByText('160 messages selected').waitFor()
      await done(w)
    })

    test('new mail, and what another window does, appear by themselves', async () => {
      await t.put('Live', message('first'), { receivedAt: at(1), flags: { seen: true } })
      const w = await t.open({}, '#Live')
      const { page } = w
      await row(page, 'first').waitFor()
      const id = await t.put('Live', message('second'), { receivedAt: at(2) })
      await row(page, 'second').waitFor()
      assert.deepEqual(await shown(page), ['second', 'first'])
      assert.match(await page.title(), /^\(1\) Live - alice@example\.org/)
      const store = await t.host.store('alice')
      await store.setFlags([id], { set: { flagged: true, seen: true } } as never)
      await row(page, 'second').locator('[data-mark="!"]').waitFor()
      await store.move([id], 'Trash')
      await row(page, 'second').waitFor({ state: 'detached' })
      await done(w)
    })

    test('on a phone: swipes, ticking by a long press, the bar, back', async () => {
      for (let n = 1; n <= 12; n++) await t.put('Phone', message(`p${n}`), { receivedAt: at(n), flags: { seen: true } })
      const w = await t.open(PHONE, '#Phone')
      const { page } = w
      await row(page, 'p12').waitFor()
      await fits(page, 'list on a phone')
      await noViolations(page, 'list on a phone')
      await swipe(page, row(page, 'p12'), 220)
      await toast(page, '1 message moved to Archive')
      await swipe(page, row(page, 'p11'), -220)
      await toast(page, '1 message moved to Trash')
      assert.ok((await t.subjects('Archive')).includes('p12'))
      assert.ok((await t.subjects('Trash')).includes('p11'))
      // Too short a way does nothing.
      await swipe(page, row(page, 'p10'), 40)
      assert.equal(await row(page, 'p10').count(), 1)
      await page.locator('.toast').last().getByRole('button', { name: 'Undo' }).tap()
      await row(page, 'p11').waitFor()
      await press(page, row(page, 'p10'))
      await row(page, 'p9').tap()
      const bar = page.getByRole('region', { name: 'Selected messages' })
      await bar.getByText('2 messages selected').waitFor()
      await noViolations(page, 'ticked on a phone')
      await t.shot(page, 'phone-ticked')
      await bar.getByRole('button', { name: 'Mark unread' }).tap()
      await toast(page, '2 messages marked as unread')
      await row(page, 'p8').tap()
      await page.getByRole('heading', { name: 'p8' }).waitFor()
      await fits(page, 'a message on a phone')
      await noViolations(page, 'a message on a phone')
      await page.goBack()
      await row(page, 'p8').waitFor()
      await row(page, 'p7').tap()
      await page.getByRole('button', { name: 'Back to the list' }).tap()
      await row(page, 'p7').waitFor()
      await done(w)
    })
  },
)

/** A finger on the middle of an element that goes sideways by so many pixels. */
async function swipe(page: Page, element: Locator, by: number): Promise<void> {
  await touch(page, element, by)
}

/** A finger that stays until it counts as a long press. */
async function press(page: Page, element: Locator): Promise<void> {
  await touch(page, element, 0, '.ticked')
}

async function touch(page: Page, element: Locator, by: number, until?: string): Promise<void> {
  const { x, y, width, height } = (await element.boundingBox())!
  const [startX, startY] = [x + width / 2, y + height / 2]
  const session = await page.context().newCDPSession(page)
  const send = async (type: 'touchStart' | 'touchMove' | 'touchEnd', to?: number) =>
    await session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: to === undefined ? [] : [{ x: to, y: startY }],
    })
  await send('touchStart', startX)
  for (let step = 1; step <= 4 && by !== 0; step++) await send('touchMove', startX + (by * step) / 4)
  if (until !== undefined) await page.locator(until).waitFor()
  await send('touchEnd')
  await session.detach()
}
