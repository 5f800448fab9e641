// The localserve page in a real browser: the system's Chromium, driven over its debugging protocol.
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { type Localserve, type LocalserveOptions, startLocalserve } from '../kit/localserve.ts'
import type { Sample } from './messages.ts'

const PLACES = [
  process.env['MOX_CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Where the browser is; undefined when none is installed. */
export const CHROMIUM: string | undefined = PLACES.find(place => place !== '' && existsSync(place))

export interface Opened {
  readonly page: Page
  /** Addresses of all requests of the page and its frames. */
  readonly requests: string[]
  /** Dialogs and errors, none of which should ever be there. */
  readonly noises: string[]
}

export class PageTest {
  readonly server: Localserve
  private readonly browser: Browser

  private constructor(server: Localserve, browser: Browser) {
    this.server = server
    this.browser = browser
  }

  static async start(options: LocalserveOptions = {}): Promise<PageTest> {
    const server = await startLocalserve(options)
    try {
      // Chromium's own sandbox needs privileges that containers do not give; the pages are ours.
      const browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] })
      return new PageTest(server, browser)
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  /** A new window on the page. */
  async open(options: BrowserContextOptions = {}): Promise<Opened> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    const requests: string[] = []
    const noises: string[] = []
    page.on('request', request => requests.push(request.url()))
    page.on('dialog', dialog => {
      noises.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('pageerror', error => noises.push(`error: ${error.message}`))
    await page.goto(this.server.url('/messages'))
    await page.getByText('live', { exact: true }).waitFor()
    return { page, requests, noises }
  }

  async send(sample: Sample): Promise<void> {
    const session = sample.incoming ? await this.server.smtp('smtp') : await this.server.login('local')
    if (sample.incoming) await session.ehlo('mx.example.org')
    const reply = await session.send({ from: sample.from, to: sample.to, content: sample.content })
    if (reply.code !== 250) throw new Error(`${reply.code} ${reply.lines.join(' / ')}`)
    await session.quit()
  }

  async stop(): Promise<void> {
    await this.browser.close()
    await this.server[Symbol.asyncDispose]()
  }
}
