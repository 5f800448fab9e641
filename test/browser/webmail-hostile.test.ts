// Hostile mail in a real browser: every message of the corpus is shown by the real content endpoints inside of a frame. Nothing
// runs and nothing is fetched: with the policy alone, with the sanitiser alone, and with both. Skipped, and says so,
// where Chromium is not installed.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { Egress } from '@mox/plugin-sdk/io'
import { type Browser, chromium, type Frame, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { ImageProxy } from '../../plugins/webmail/src/server/content/image-proxy.ts'
import { type ContentHost, openContent, systemClock } from '../../plugins/webmail/test/content-host.ts'
import { CORPUS } from '../../plugins/webmail/test/hostile/corpus.ts'
import { CHROMIUM } from './page.ts'

/** Messages on one page. */
const BATCH = 65

/** Whoever asks was made to by a message: all names lead here. */
class Canary {
  readonly #server: Server
  #asked: string[] = []

  constructor() {
    this.#server = createServer(socket => {
      socket.on('error', () => {})
      socket.on('data', bytes => {
        this.#asked.push(bytes.toString('latin1').split('\r\n', 1)[0] ?? '')
        socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')
      })
    })
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** First lines of requests since the last time; of TLS whatever comes first. */
  take(): string[] {
    const asked = this.#asked
    this.#asked = []
    return asked
  }

  close(): void {
    this.#server.close()
  }
}

interface Seen {
  /** What ran. */
  readonly ran: string[]
  /** Requests to anywhere but the frames themselves. */
  readonly requests: string[]
}

let browser: Browser
const canary = new Canary()

/** Opens all messages of the corpus in frames, presses what can be pressed, and says what happened. */
async function show(host: ContentHost, ids: readonly number[], path: string, press: boolean): Promise<Seen> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const seen: Seen = { ran: [], requests: [] }
  const frames = new RegExp(`^${host.url}(?:msg/\\d+/${path})?$`)
  context.on('page', opened => seen.ran.push(`a window was opened: ${opened.url()}`))
  page.on('console', message => {
    if (message.text().startsWith('RAN')) seen.ran.push(message.text())
  })
  page.on('dialog', dialog => {
    seen.ran.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  // What was refused inside of the browser has no response; what leaves it reaches the canary, or us.
  page.on('response', response => {
    if (!/^(?:https?|wss?|ftp|file):/.test(response.url()) || frames.test(response.url())) return
    seen.requests.push(`${response.url()} ${response.frame().url()}`)
  })
  // In every frame, before anything else: what runs says so, and from where.
  await page.addInitScript("window.alert = what => console.log('RAN', what, location.href)")
  await page.goto(host.url)
  for (let at = 0; at < ids.length; at += BATCH) {
    const batch = ids.slice(at, at + BATCH)
    await page.evaluate(`new Promise(done => {
      document.body.innerHTML = ''
      let left = ${batch.length}
      for (const id of ${JSON.stringify(batch)}) {
        const frame = document.createElement('iframe')
        frame.onload = () => { if (--left === 0) done() }
        frame.src = 'msg/' + id + '/${path}'
        document.body.append(frame)
      }
    })`)
    const own = page.frames().filter(frame => frame.parentFrame() === page.mainFrame())
    if (press) await Promise.all(own.map(pressAll))
    // Two frames later what was pressed has begun.
    await page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')
    await gone(page)
  }
  assert.equal(page.url(), host.url, 'the page itself was led away')
  await context.close()
  return seen
}

/** Everything that does something but for ordinary links, which a person may follow. */
async function pressAll(frame: Frame): Promise<void> {
  await frame.evaluate(`for (const element of document.querySelectorAll('*')) {
    if (element.localName === 'a' && /^https?:/.test(element.href)) continue
    if (element.href || element.tabIndex >= 0 || /button|input|form|label|summary|option/.test(element.localName)) {
      try { element.focus?.(); element.click?.(); element.requestSubmit?.() } catch {}
    }
  }`)
}

async function gone(page: Page): Promise<void> {
  await page.evaluate("document.body.innerHTML = ''")
}

/** A host with the corpus. */
async function open(
  options: Parameters<typeof openContent>[0],
  made: (bytes: Buffer) => Buffer = bytes => bytes,
): Promise<{ host: ContentHost; ids: number[] }> {
  const host = await openContent({
    ...options,
    page: () => '<!doctype html><html lang="en"><title>frames</title><body></body></html>',
  })
  return { host, ids: CORPUS.map(({ bytes }) => host.messages.add(made(bytes))) }
}

function named(host: ContentHost, seen: Seen): string[] {
  const name = (text: string): string =>
    text.replace(/\S+\/msg\/(\d+)\/\S*/g, (_, id: string) => `[${CORPUS[Number(id) - 1]?.name}]`)
  return [...seen.ran, ...seen.requests].map(text => name(text.replaceAll(host.url, '/webmail/msg/../../')))
}

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? 'hostile mail (skipped: Chromium is not installed)' : 'hostile mail',
  { timeout: 180_000 },
  () => {
    beforeAll(async () => {
      const port = await canary.listen()
      browser = await chromium.launch({
        executablePath: CHROMIUM ?? '',
        // The pages are ours; every name but our own address leads to the canary.
        args: [
          '--no-sandbox',
          '--disable-features=IsolateSandboxedIframes',
          `--host-resolver-rules=MAP *.c.test 127.0.0.1:${port}, MAP c.test 127.0.0.1:${port}`,
        ],
      })
    })
    afterAll(async () => {
      await browser?.close()
      canary.close()
    })

    async function harmless(
      options: Parameters<typeof openContent>[0],
      path: string,
      only = /./,
      made?: (bytes: Buffer) => Buffer,
    ): Promise<void> {
      const { host, ids: all } = await open(options, made)
      const ids = all.filter((_, i) => only.test(CORPUS[i]?.name ?? ''))
      try {
        const seen = await show(host, ids, path, true)
        assert.deepEqual(named(host, seen), [])
        assert.deepEqual(canary.take(), [])
      } finally {
        await host.close()
      }
    }

    test('is held by the policy alone', () => harmless({ sanitised: false }, 'html'))
    test('is held by the sanitiser alone', () => harmless({ policy: false }, 'html'))
    // The only pages with a script of ours beside the mail.
    test('is held by both on pages of their own', () => harmless({}, 'msghtml'))
    test('is held as text', () => harmless({}, 'text', /^(?:charset|encodings|names|types)/))

    // What is attached as a message is shown by the same policy and sanitiser; a part of the corpus says so.
    test('is held as a message within a message', () =>
      harmless({ sanitised: false }, 'message/0', /^(?:script|handlers|addresses|mutation|svg)/, bytes =>
        Buffer.concat([Buffer.from('Content-Type: message/rfc822\r\n\r\n'), bytes]),
      ))

    test('would do harm without the two, so that the test sees it', async () => {
      const { host, ids } = await open({ sanitised: false, policy: false })
      try {
        const seen = await show(host, ids.slice(0, 40), 'html', false)
        assert.ok(seen.ran.length > 10, `${seen.ran.length} ran`)
        assert.ok(canary.take().length > 0)
      } finally {
        await host.close()
      }
    })

    test('with external images loads these and nothing else', async () => {
      const { host } = await open({})
      try {
        const html =
          '<img src=http://t.c.test/p.gif><link rel=stylesheet href=http://t.c.test/l><p style="background:url(http://t.c.test/b)">x'
        const id = host.messages.add(`Content-Type: text/html\n\n${html}`)
        const seen = await show(host, [id], 'htmlexternal', true)
        assert.deepEqual(seen, { ran: [], requests: [`http://t.c.test/p.gif ${host.url}msg/${id}/htmlexternal`] })
        canary.take()
      } finally {
        await host.close()
      }
    })

    test('with images that the server fetches the browser asks nobody else, and sees them', async () => {
      const png = Buffer.from(
        'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
        'base64',
      )
      const asked: string[] = []
      const elsewhere = createHttpServer((request, response) => {
        asked.push(request.url ?? '')
        response.setHeader('Content-Type', 'image/png').end(png)
      }).listen(0, '127.0.0.1')
      await once(elsewhere, 'listening')
      const there = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
      const egress = new Egress(['127.0.0.0/8'])
      const images = new ImageProxy({ clock: systemClock, egress, key: Buffer.alloc(32, 1) })
      const { host } = await open({ images })
      const page = await (await browser.newContext()).newPage()
      try {
        const html = `<img src=${there}/a.png alt=a><img src=${there}/t.gif width=1 height=1><table><tr><td background=${there}/b>x</table><img src=http://t.c.test/p alt=c>`
        const id = host.messages.add(`Content-Type: text/html\n\n${html}`)
        const requests: string[] = []
        page.on('request', request => requests.push(request.url()))
        await page.goto(host.url)
        await page.evaluate(`new Promise(done => {
          const frame = document.createElement('iframe')
          frame.onload = done
          frame.sandbox = 'allow-popups'
          frame.src = 'msg/${id}/htmlexternal'
          document.body.append(frame)
        })`)
        const shown = await page.frames()[1]?.evaluate('[...document.images].map(image => image.naturalWidth)')
        assert.deepEqual(shown, [1, 0, 0])
        assert.deepEqual(asked.sort(), ['/a.png', '/b'])
        assert.deepEqual(
          requests.filter(url => !url.startsWith(host.url)),
          [],
        )
      } finally {
        await page.close()
        await host.close()
        elsewhere.close()
      }
    })
  },
)
