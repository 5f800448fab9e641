// The end of a faults run: every acknowledged message is in the mailbox of each of its recipients, once and unchanged; one in
// doubt is there for all of its recipients or for none, at most once; a refused one is not there.
import { createHash } from 'node:crypto'
import { mox } from '../kit/cli.ts'
import type { ProbeMessage } from '../kit/probe.ts'
import type { Server } from '../kit/server.ts'
import { eventually } from '../kit/temp.ts'
import type { Sent } from './clients.ts'

export interface Judgement {
  readonly stored: number
  readonly compared: number
  readonly problems: readonly string[]
}

/** Waits until the queue is empty, then compares. `every`: the bytes of each n-th message are compared as well. */
export async function judge(server: Server, sent: readonly Sent[], every: number): Promise<Judgement> {
  await eventually(
    async () => {
      const { queued } = await server.get<{ queued: number }>('/probe/queued')
      if (queued > 0) throw new Error(`${queued} messages are still queued`)
    },
    { within: 120_000 },
  )
  const stored = await allMail(server)
  const copies = new Map<string, ProbeMessage[]>()
  for (const message of stored) {
    const key = `${message.subject} ${message.account}`
    copies.set(key, [...(copies.get(key) ?? []), message])
  }
  const problems: string[] = []
  const known = new Set<string>()
  for (const message of sent) {
    const counts = message.recipients.map(recipient => {
      const key = `${message.id} ${recipient.split('@')[0]}`
      known.add(key)
      return copies.get(key)?.length ?? 0
    })
    const text = `${message.id} (${message.fate}, ${message.size} bytes) for ${message.recipients.join(', ')}`
    if (counts.some(n => n > 1)) problems.push(`more than once: ${text}: ${counts.join(', ')}`)
    else if (message.fate === 'acknowledged' && counts.includes(0)) problems.push(`lost: ${text}: ${counts.join(', ')}`)
    else if (message.fate === 'doubt' && new Set(counts).size > 1)
      problems.push(`for some recipients only: ${text}: ${counts.join(', ')}`)
    else if (message.fate === 'refused' && counts.some(n => n > 0)) problems.push(`refused and stored: ${text}`)
  }
  for (const [key, [message]] of copies)
    if (!known.has(key)) problems.push(`never sent: ${key}: from ${message?.mailFrom}, ${message?.size} bytes`)
  const compared = await compareBytes(server, sent, copies, every, problems)
  const verified = await mox(['verify', '--config', server.configFile], { timeout: 120_000 })
  if (verified.code !== 0) problems.push(`mox verify: ${verified.stdout}${verified.stderr}`)
  return { stored: stored.length, compared, problems }
}

async function allMail(server: Server): Promise<ProbeMessage[]> {
  const all: ProbeMessage[] = []
  for (;;) {
    const before = all.at(-1)?.id
    const page = await server.get<ProbeMessage[]>(`/probe/mail${before === undefined ? '' : `?before=${before}`}`)
    if (page.length === 0) return all
    all.push(...page)
  }
}

async function compareBytes(
  server: Server,
  sent: readonly Sent[],
  copies: ReadonlyMap<string, readonly ProbeMessage[]>,
  every: number,
  problems: string[],
): Promise<number> {
  let compared = 0
  for (const [i, message] of sent.entries()) {
    if (i % every !== 0 && message.size < 256 * 1024) continue
    for (const recipient of message.recipients)
      for (const copy of copies.get(`${message.id} ${recipient.split('@')[0]}`) ?? []) {
        const response = await fetch(server.url(`/probe/mail/${copy.id}`))
        const bytes = Buffer.from(await response.arrayBuffer())
        const hash = createHash('sha256').update(bytes.subarray(-message.size)).digest('hex')
        if (hash !== message.hash || bytes.length !== copy.size)
          problems.push(`changed: ${message.id} for ${recipient}`)
        compared++
      }
  }
  return compared
}
