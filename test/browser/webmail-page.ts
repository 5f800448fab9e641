// The webmail in a real browser: the program in this process, as the user alice, with a queue that stands still. What reaches a
// recipient is read from the Sent mailbox.
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { type AppendMessage, mailboxes } from '@mox/plugin-sdk'
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import type { Settings } from '../../plugins/webmail/src/api/model.ts'
import { DEFAULT_SETTINGS } from '../../plugins/webmail/src/server/settings.ts'
import {
  openWebmail,
  type WebmailClient,
  type WebmailHost,
  type WebmailHostOptions,
} from '../../plugins/webmail/test/webmail-host.ts'
import { CHROMIUM } from './page.ts'

const SHOTS = process.env['MOX_SCREENSHOTS'] ?? ''

export const PHONE: BrowserContextOptions = {
  ...{ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
}

/** A page that is open. */
export interface Shown {
  readonly page: Page
  /** The session of this browser. */
  readonly client: WebmailClient
  /** Dialogs and errors, none of which should ever be there. */
  readonly noises: string[]
  /** The newest window in which a message is written. */
  readonly compose: Locator
  /** Opens a window by its key, and waits for it. */
  write(to?: string): Promise<Locator>
}

export class WebmailTest {
  readonly host: WebmailHost
  readonly alice: WebmailClient
  private readonly browser: Browser

  private constructor(host: WebmailHost, alice: WebmailClient, browser: Browser) {
    this.host = host
    this.alice = alice
    this.browser = browser
  }

  static async start(options: WebmailHostOptions): Promise<WebmailTest> {
    const host = await openWebmail({ ...options, realTime: true })
    try {
      const browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] })
      return new WebmailTest(host, await host.login(), browser)
    } catch (error) {
      await host.close()
      throw error
    }
  }

  /** Of the account, beside what is usual. */
  async settings(fields: Partial<Settings> = {}): Promise<void> {
    await this.alice.call('settingsSave', { settings: { ...DEFAULT_SETTINGS, ...fields } })
  }

  /** A browser of its own; with the session of the test, unless it is given another. */
  async open(options: BrowserContextOptions = {}, hash = '', client = this.alice, url = this.host.url): Promise<Shown> {
    const context = await this.browser.newContext({
      ...{ viewport: { width: 1280, height: 860 }, reducedMotion: 'reduce' },
      ...options,
    })
    context.setDefaultTimeout(10_000)
    const cookies = [...client.cookies].map(([name, value]) => ({ name, value, url: this.host.url }))
    await context.addCookies(cookies.map(cookie => ({ ...cookie, httpOnly: true, sameSite: 'Strict' as const })))
    // Frames with mail in them have no storage.
    const logins = client.csrf === '' ? [] : [{ account: 'alice', address: 'alice@example.org', csrf: client.csrf }]
    const stored = JSON.stringify(JSON.stringify(logins))
    await context.addInitScript(`if (top === self) localStorage['webmail-accounts'] ??= ${stored}`)
    const page = await context.newPage()
    const noises: string[] = []
    page.on('pageerror', error => noises.push(`error: ${error.stack ?? error.message}`))
    // Leaving with something unsaved asks; the tests mean it.
    page.on('dialog', dialog => {
      if (dialog.type() !== 'beforeunload') noises.push(`dialog: ${dialog.message()}`)
      void dialog.accept()
    })
    await page.goto(`${url}${hash}`)
    // A phone shows the mailboxes only when asked.
    const login = page.getByRole('dialog', { name: 'Log in' })
    await page.getByRole('grid').or(page.getByText('No messages')).or(login).first().waitFor()
    const compose = page.locator('section.compose').last()
    const write = async (to?: string): Promise<Locator> => {
      const before = await page.locator('section.compose').count()
      await page.locator('body').press('c')
      await page.locator('section.compose').nth(before).waitFor()
      if (to !== undefined) await field(compose, 'To').pressSequentially(`${to},`)
      return compose
    }
    return { page, client, noises, compose, write }
  }

  /** Puts a message into a mailbox of alice, made when it is missing; answers its id. Line ends may be LF. */
  async put(mailbox: string, message: string, more: Partial<AppendMessage> = {}): Promise<number> {
    const store = await this.host.store('alice')
    if ((await store.mailbox(mailbox)) === undefined) await store.create(mailbox)
    const content = Buffer.from(message.replace(/\r?\n/g, '\r\n'), 'latin1')
    return (await store.append({ mailbox, content, ...more })).id
  }

  /** Subjects in a mailbox of alice, oldest first. */
  async subjects(mailbox: string): Promise<string[]> {
    const found = await this.sources(mailbox)
    return found.map(source => /^Subject: (.*)\r$/m.exec(source)?.[1] ?? '')
  }

  async shot(page: Page, name: string): Promise<void> {
    if (SHOTS === '') return
    await mkdir(SHOTS, { recursive: true })
    await page.screenshot({ path: `${SHOTS}/${name}.png` })
  }

  /** Sources of the messages in a mailbox of alice. */
  async sources(mailbox: string): Promise<string[]> {
    const store = await this.host.store('alice')
    const found = await store.mailbox(mailbox)
    const messages = found === undefined ? [] : await store.messages(found.id, { limit: 100 })
    return await Promise.all(
      messages.map(async ({ id }) => {
        const parts: Buffer[] = []
        for await (const part of await this.host.service(mailboxes).open(id)) parts.push(part)
        return Buffer.concat(parts).toString()
      }),
    )
  }

  /** The source of the one message in a mailbox with a subject. */
  async source(mailbox: string, subject: string): Promise<string> {
    const found = (await this.sources(mailbox)).filter(source => source.includes(`\r\nSubject: ${subject}\r\n`))
    assert.equal(found.length, 1, `${found.length} messages in ${mailbox} with the subject ${subject}`)
    return found[0] ?? ''
  }

  async stop(): Promise<void> {
    await this.browser.close()
    await this.host.close()
  }
}

/** The row of the list with exactly this text, such as its subject. */
export function row(page: Page, text: string): Locator {
  return page.locator('[role=row]').filter({ has: page.getByText(text, { exact: true }) })
}

/** An input by its label. */
export function field(compose: Locator, label: string): Locator {
  return compose.getByLabel(label, { exact: true }).and(compose.locator('input, select, textarea'))
}

export function chips(compose: Locator, name: string): Locator {
  return compose.locator(`[data-field="${name}"] .recipient-text`)
}

/** Waits until the draft is saved; asks for it, so that nothing waits for the clock. */
export async function saved(compose: Locator): Promise<void> {
  await compose.press('Control+s')
  // What is shown of the save before is gone with the next frame.
  await compose.evaluate(() => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve))))
  await compose.getByText('Draft saved').waitFor()
}

/** Closes what a test has opened. */
export async function done(writer: Shown): Promise<void> {
  assert.deepEqual(writer.noises, [])
  await writer.page.context().close()
}

export async function paste(page: Page, selector: string, data: Readonly<Record<string, string>>): Promise<void> {
  await page
    .locator(selector)
    .last()
    .evaluate((element, items) => {
      const clipboardData = new DataTransfer()
      for (const [type, text] of Object.entries(items)) clipboardData.setData(type, text)
      element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
    }, data)
}
