// The webmail's page in a real Chromium, on a real server with a large mailbox: how soon it can be used, and how evenly it
// scrolls through all of its rows.
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { chromium, type Page } from 'playwright-core'
import { CHROMIUM } from '../browser/page.ts'
import { mox } from '../kit/cli.ts'
import { LOGIN } from '../kit/config.ts'
import { startServer } from '../kit/server.ts'
import { timingOf } from './timing.ts'

/** Rows that one frame scrolls by; the page loads about as many in that time. */
const ROWS_PER_FRAME = 60
const OPENED = 5

export interface PageFigures {
  /** Milliseconds from the address to a list that answers keys: without a cache, and when it was opened before. */
  readonly cold: number
  readonly warm: number
  readonly rows: number
  /** Milliseconds between frames. */
  readonly p50: number
  readonly p99: number
  /** Milliseconds of a frame that the page itself takes: script, style and layout. */
  readonly work: number
  /** Milliseconds from a key to the frame that shows what it did, at the end of the list. */
  readonly key: number
}

/** Undefined where Chromium is not installed. */
export async function webmailPage(messages: number): Promise<PageFigures | undefined> {
  if (CHROMIUM === undefined) return undefined
  const plugins = ['webmail()']
  const imports = ["import { webmail } from '@mox/plugin-webmail'"]
  await using server = await startServer({ config: { plugins, imports } })
  const file = join(server.dir, 'large.mbox')
  await writeMbox(file, messages)
  const imported = await mox(['mailbox', 'import', 'alice', file, '--config', server.configFile], { timeout: 600_000 })
  if (imported.code !== 0) throw new Error(imported.stderr + imported.stdout)
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    await page.goto(server.url('/webmail/'))
    await page.getByLabel('Email address').fill(LOGIN.serve.user)
    await page.getByLabel('Password').fill(LOGIN.serve.password)
    await page.keyboard.press('Enter')
    await usable(page)
    const state = await context.storageState()
    const cold: number[] = []
    for (let i = 0; i < OPENED; i++) {
      const fresh = await browser.newContext({ viewport: { width: 1280, height: 800 }, storageState: state })
      cold.push(await opened(await fresh.newPage(), server.url('/webmail/')))
      await fresh.close()
    }
    const warm: number[] = []
    for (let i = 0; i < OPENED; i++) warm.push(await opened(page, server.url('/webmail/')))
    const scrolled = await scrollThrough(page)
    return { cold: timingOf(cold).median, warm: timingOf(warm).median, ...scrolled, key: await keys(page) }
  } finally {
    await browser.close()
  }
}

async function writeMbox(file: string, messages: number): Promise<void> {
  const out = createWriteStream(file)
  for (let i = 0; i < messages; i++) {
    const date = new Date(Date.UTC(2026, 0, 1) + i * 60_000).toUTCString()
    const text =
      `From a@b Thu Jan  1 00:00:00 2026\nFrom: Person ${i % 500} <p${i % 500}@remote.example>\nTo: alice@example.org\n` +
      `Subject: message ${i} about ${i % 97}\nDate: ${date}\nMessage-ID: <${i}@bench>\n\nSome words of message ${i}.\n\n`
    if (!out.write(text)) await once(out, 'drain')
  }
  out.end()
  await finished(out)
}

/** Rows are there and a key moves through them. */
async function usable(page: Page): Promise<void> {
  await page.locator('[role=row]').nth(5).waitFor()
  await page.keyboard.press('j')
  await page.locator('[role=row].focused').waitFor()
}

async function opened(page: Page, url: string): Promise<number> {
  await page.goto('about:blank')
  const started = performance.now()
  await page.goto(url, { waitUntil: 'commit' })
  await usable(page)
  return performance.now() - started
}

async function scrollThrough(page: Page): Promise<Omit<PageFigures, 'cold' | 'warm' | 'key'>> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const work = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    const names = ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration']
    return metrics.filter(m => names.includes(m.name)).reduce((sum, m) => sum + m.value * 1_000, 0)
  }
  const before = await work()
  const { times, rows } = await page.evaluate(async rowsPerFrame => {
    const scroller = document.querySelector('.scroller') as HTMLElement
    const height = (document.querySelector('[role=row]') as HTMLElement).offsetHeight
    const frame = () => new Promise<number>(resolve => requestAnimationFrame(resolve))
    const times: number[] = []
    for (let last = await frame(); ; ) {
      scroller.scrollTop += rowsPerFrame * height
      const now = await frame()
      times.push(now - last)
      last = now
      const end = document.querySelector('.list-end') !== null
      if (end && scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1) break
    }
    return { times, rows: Number(document.querySelector('[role=grid]')?.getAttribute('aria-rowcount')) }
  }, ROWS_PER_FRAME)
  const took = (await work()) - before
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  return { rows, p50: at(0.5), p99: at(0.99), work: took / times.length }
}

/** With all rows loaded. */
async function keys(page: Page): Promise<number> {
  await page.keyboard.press('End')
  const all: number[] = []
  for (let i = 0; i < 30; i++) {
    const taken = page.evaluate(
      () =>
        new Promise<number>(resolve =>
          addEventListener(
            'keydown',
            () => {
              const started = performance.now()
              requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)))
            },
            { once: true, capture: true },
          ),
        ),
    )
    await page.evaluate(() => 0)
    await page.keyboard.press('k')
    all.push(await taken)
  }
  return timingOf(all).median
}
