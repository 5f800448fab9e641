// What the tests of localserve as a test bench share: requests as the admin, and the story of a recipient.
import assert from 'node:assert/strict'
import type { Localserve } from './localserve.ts'

const ADMIN = `Basic ${Buffer.from('admin:moxadmin').toString('base64')}`

export interface Tried {
  readonly number: number
  readonly outcome: string
  readonly code: number
  readonly enhanced: string
  readonly text: string
  readonly stage?: string
  readonly startedAt: number
  readonly reportId?: number
  readonly trace?: readonly { readonly hook: string; readonly verdict: string; readonly reason?: string }[]
}

export interface Recipient {
  readonly address: string
  readonly state: string
  readonly attempts: readonly Tried[]
}

export interface Message {
  readonly id: number
  readonly kind: string
  readonly from: string
  readonly subject: string
  readonly recipients: readonly string[]
  readonly receivedAt: number
  readonly text?: string
  readonly recipientDetails: readonly Recipient[]
  readonly parts: readonly { readonly contentType: string }[]
}

/** A change, as the admin; the answer's body, or undefined without one. */
export async function change<T = undefined>(
  server: Localserve,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  const response = await fetch(server.url(path), {
    method,
    headers: { 'X-Mox-Request': '1', Authorization: ADMIN, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

/** Moves the clock on over HTTP. */
export async function advance(server: Localserve, by: string): Promise<{ now: number; timers: number }> {
  return await change(server, 'POST', '/admin/clock/advance', { by })
}

/** Submits over SMTP; the reply must be 250. */
export async function submit(server: Localserve, to: readonly string[], subject: string): Promise<void> {
  const session = await server.login('local')
  const content = Buffer.from(`From: mox@localhost\r\nTo: ${to.join(', ')}\r\nSubject: ${subject}\r\n\r\ntext\r\n`)
  const reply = await session.send({ from: 'mox@localhost', to, content })
  assert.equal(reply.code, 250, reply.lines.join(' '))
  await session.quit()
}

/** The newest message with exactly this subject. */
export async function messageOf(server: Localserve, subject: string): Promise<Message> {
  const query = `/api/messages?subject=${encodeURIComponent(subject)}`
  const { messages } = await server.get<{ messages: { id: number; subject: string }[] }>(query)
  const found = messages.find(one => one.subject === subject)
  assert.ok(found !== undefined, `a message ${subject}`)
  return await server.get<Message>(`/api/messages/${found.id}`)
}

export async function recipientOf(server: Localserve, subject: string): Promise<Recipient> {
  const [recipient, ...others] = (await messageOf(server, subject)).recipientDetails
  assert.ok(recipient !== undefined && others.length === 0, `${subject} has one recipient`)
  return recipient
}
