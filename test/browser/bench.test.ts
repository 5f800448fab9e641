// The bench on the page of localserve: the clock and its buttons, scenarios, and what other plugins have, where they are there.
// Skipped, and says so, where Chromium is not installed. With MOX_SCREENSHOTS=dir it leaves pictures there.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { change, recipientOf, submit } from '../kit/bench.ts'
import { mox } from '../kit/cli.ts'
import { Receiver } from '../kit/flows.ts'
import { eventually } from '../kit/temp.ts'
import { brightness, fits, noViolations } from './checks.ts'
import { CHROMIUM, PageTest } from './page.ts'

const PHONE = { width: 375, height: 740 }
const ADMIN = { httpCredentials: { username: 'admin', password: 'moxadmin' } }
const pictures = process.env['MOX_SCREENSHOTS']

let t: PageTest

async function openBench(options: BrowserContextOptions = {}): Promise<{ page: Page; noises: string[] }> {
  const { page, noises } = await t.open({ ...ADMIN, ...options })
  await page.getByRole('link', { name: 'Bench' }).click()
  await page.getByRole('heading', { name: 'Clock' }).waitFor()
  return { page, noises }
}
const panel = (page: Page, name: string) =>
  page.locator('.tile').filter({ has: page.getByRole('heading', { name, exact: true }) })

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'the bench (skipped: Chromium is not installed)' : 'the bench',
  () => {
    beforeAll(async () => {
      t = await PageTest.start()
    })
    afterAll(async () => {
      await t?.stop()
    })

    test('moves the clock, and every view shows its time', async () => {
      const { page, noises } = await openBench()
      await page.getByText('the real time').waitFor()
      assert.equal(await page.locator('.badge.clock').count(), 0)
      await submit(t.server, ['queue-452@example.org'], 'Weekly report')
      await eventually(async () => assert.equal((await recipientOf(t.server, 'Weekly report')).attempts.length, 1))
      await page.getByRole('button', { name: '+ 1 h' }).click()
      await page.getByText('1 h ahead of the real time').waitFor()
      await page
        .getByText(/^The clock is 1h further; \d+ timers ran on the way\.$/)
        .first()
        .waitFor()
      assert.equal((await recipientOf(t.server, 'Weekly report')).attempts.length, 4)
      await page.getByLabel('Duration').fill('soon')
      await page.getByRole('button', { name: 'Advance' }).click()
      await page.getByRole('alert').getByText('"soon" is no duration; write one such as 90s, 1h30m or 3d').waitFor()
      await page.getByLabel('Duration').fill('1d23h')
      await page.keyboard.press('Enter')
      await page.getByText('2 days ahead of the real time').waitFor()
      await page.getByRole('link', { name: 'Messages' }).click()
      await page.locator('.badge.clock').waitFor()
      await page.getByText('2 d', { exact: true }).first().waitFor()
      await page.keyboard.press('b')
      await panel(page, 'Events').getByText('failed').waitFor()
      assert.deepEqual(noises, [])
      await page.context().close()
    })

    test('scenarios, and a file that is wrong', async () => {
      const { page } = await openBench()
      await change(t.server, 'PUT', '/admin/scenarios/down.example', { steps: [{ reply: '451 4.3.0 out of order' }] })
      await writeFile(join(t.server.dir, 'scenarios', 'bad.example.json'), '{ "steps": [] }')
      await eventually(async () =>
        assert.equal((await t.server.get<{ problems: object[] }>('/api/scenarios')).problems.length, 1),
      )
      await submit(t.server, ['ann@down.example'], 'Invoice 17')
      await panel(page, 'Scenarios')
        .getByRole('row', { name: /down\.example test 1 of 1/ })
        .waitFor()
      await panel(page, 'Scenarios').getByText('bad.example.json: steps: needs at least one step').waitFor()
      await page.context().close()
    })

    test('suppressed recipients and webhooks', async () => {
      const { page } = await openBench()
      const suppressed = panel(page, 'Suppressed recipients')
      await suppressed.getByLabel('Address').fill('not an address')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').filter({ hasText: 'not an address' }).waitFor()
      assert.equal(await suppressed.getByLabel('Address').inputValue(), 'not an address')
      await suppressed.getByLabel('Address').fill('carol@example.org')
      await page.keyboard.press('Enter')
      await suppressed.getByRole('row', { name: /carol@example\.org manual/ }).waitFor()
      await submit(t.server, ['carol@example.org'], 'Newsletter')
      await panel(page, 'Events')
        .getByRole('row', { name: /suppressed carol@example\.org Newsletter/ })
        .waitFor()
      await suppressed.getByRole('button', { name: 'Remove carol@example.org' }).click()
      await suppressed.getByText('None.').waitFor()
      await using receiver = await Receiver.start()
      receiver.down = true
      const endpoint = ['webhook', 'endpoint', 'add', 'mox', 'app', receiver.url, '--events', 'delivered']
      const added = await mox([...endpoint, '--config', t.server.configFile])
      assert.equal(added.code, 0, added.stderr)
      await submit(t.server, ['dora@example.org'], 'Told to an application')
      await eventually(async () => assert.ok(receiver.refused > 0))
      const webhooks = panel(page, 'Webhooks that wait')
      await webhooks.getByRole('row', { name: /app delivered.*HTTP status 503/ }).waitFor()
      receiver.down = false
      await webhooks.getByRole('button', { name: 'Send all now' }).click()
      await webhooks.getByText('None.').waitFor()
      assert.deepEqual(
        receiver.taken.map(({ body }) => [body['Event'], body['Recipient']]),
        [['delivered', 'dora@example.org']],
      )
      // Taken without anything being done on the page.
      receiver.down = true
      await submit(t.server, ['elsa@example.org'], 'Told later')
      await webhooks.getByRole('row', { name: /app delivered.*HTTP status 503/ }).waitFor()
      receiver.down = false
      const sent = await mox(['queue', 'webhook', 'schedule', '--now', '0', '--all', '--config', t.server.configFile])
      assert.equal(sent.code, 0, sent.stderr)
      await webhooks.getByText('None.').waitFor()
      await page.context().close()
    })

    test('light, dark and narrow, accessible in each', async () => {
      await submit(t.server, ['friend@example.org'], 'Hello')
      const check = async (name: string, options: BrowserContextOptions, dark: boolean): Promise<void> => {
        const { page } = await openBench(options)
        await panel(page, 'Events').getByRole('row').nth(2).waitFor()
        await noViolations(page, name)
        await fits(page, name)
        assert.equal((await brightness(page)) < 128, dark, name)
        if (pictures !== undefined) await page.screenshot({ path: join(pictures, `bench-${name}.png`) })
        await page.context().close()
      }
      await check('light', { colorScheme: 'light' }, false)
      await check('dark', { colorScheme: 'dark' }, true)
      await check('phone', { viewport: PHONE, colorScheme: 'light' }, false)
    })

    test('without the other plugins there are no panels for them', async () => {
      const plain = await PageTest.start({ without: ['events', 'suppression', 'webhooks'] })
      try {
        const { page } = await plain.open(ADMIN)
        await page.keyboard.press('b')
        await page.getByRole('heading', { name: 'Scenarios' }).waitFor()
        await page.getByText('scenarios/slow.example.json').waitFor()
        assert.deepEqual(await page.getByRole('heading', { level: 3 }).allTextContents(), ['Clock', 'Scenarios'])
      } finally {
        await plain.stop()
      }
    })
  },
)
