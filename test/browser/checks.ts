// What every view of the page must pass: accessibility rules, width, brightness.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Mean of red, green and blue of the page's background. */
export async function brightness(page: Page): Promise<number> {
  const color = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
  const [r = 0, g = 0, b = 0] = (color.match(/\d+(\.\d+)?/g) ?? []).map(Number)
  return (r + g + b) / 3
}

export async function fits(page: Page, what: string): Promise<void> {
  const { scroll, client } = await page.evaluate<{ scroll: number; client: number }>(
    '({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth })',
  )
  assert.ok(scroll <= client, `${what}: ${scroll} px wide in a window of ${client} px`)
}

export async function noViolations(page: Page, what: string): Promise<void> {
  // Not as an element: a page's policy may allow none.
  await page.evaluate(AXE)
  const results = await page.evaluate<AxeResults>('axe.run(document, { iframes: false })')
  const found = results.violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.html).join(' ')}`)
  assert.deepEqual(found, [], what)
}
