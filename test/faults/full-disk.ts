// A full disk: the server refuses mail with 452 and keeps running, and takes mail again when there is room. With a small
// file system of its own where the machine allows one (Linux user namespaces), else with a page limit of the database.

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mox, run } from '../kit/cli.ts'
import { configText } from '../kit/config.ts'
import { type Server, startServer } from '../kit/server.ts'
import type { SmtpReply, SmtpSession } from '../kit/smtp.ts'
import { eventually, removeDir, tempDir } from '../kit/temp.ts'

export interface FullDisk {
  readonly summary: string
  readonly problems: readonly string[]
}

/** Megabytes of the small file system, and of what is put there to be removed again. */
const SIZE = 24
const BALLAST = 8
/** Messages after which the disk must have been full. */
const ENOUGH = 2000

/** Runs both ways that are possible here. */
export async function fullDisk(): Promise<FullDisk> {
  const problems: string[] = []
  const summary: string[] = []
  const ways: (() => Promise<string>)[] = [pageLimit]
  if (await canMount()) ways.push(smallFileSystem)
  else summary.push('small file system: not possible here, user namespaces are off')
  for (const way of ways) {
    try {
      summary.push(await way())
    } catch (error) {
      problems.push(`full disk, ${way.name}: ${error instanceof Error ? error.message : error}`)
    }
  }
  return { summary: summary.join('; '), problems }
}

/** The database may not grow: what SQLite reports is what it reports on a full disk. */
export async function pageLimit(): Promise<string> {
  await using server = await startServer({ config: { paused: true } })
  await server.post('/probe/spare/200')
  const taken = await fill(server, 20_000)
  await server.post('/probe/spare/-1')
  await takesAgain(server)
  await server.stop()
  return `page limit: 452 after ${taken} messages, recovered`
}

/** A file system of its own that runs full, with messages that are stored in the database and in files. */
export async function smallFileSystem(): Promise<string> {
  const dir = await tempDir('mox-disk')
  const data = join(dir, 'data')
  await mkdir(data)
  await writeFile(
    join(dir, 'mount.sh'),
    `mount -t tmpfs -o size=${SIZE}m mox "$1" && shift && head -c ${BALLAST}m /dev/zero > data/ballast && exec "$@"\n`,
  )
  try {
    await using server = await startServer({
      dir,
      config: configText({ paused: true }),
      wrapper: ['unshare', '--user', '--map-root-user', '--mount', 'sh', join(dir, 'mount.sh'), data],
    })
    const large = await fill(server, 600_000)
    const small = await fill(server, 20_000)
    // The server's own view of the directory; from outside it is empty.
    await rm(`/proc/${server.pid}/root${data}/ballast`)
    await takesAgain(server)
    await server.stop()
    return `small file system: 452 after ${large} large and ${small} small messages, recovered`
  } finally {
    await removeDir(dir)
  }
}

/** Submits until 452; gives back how many were taken. */
async function fill(server: Server, size: number): Promise<number> {
  const session = await server.login()
  try {
    for (let n = 0; n < ENOUGH; n++) {
      const reply = await submit(session, n, size)
      if (reply.code === 452) return n
      if (reply.code !== 250) throw new Error(`expected 250 or 452: ${reply.code} ${reply.lines.join(' / ')}`)
    }
    throw new Error(`took ${ENOUGH} messages of ${size} bytes, more than there was room for`)
  } finally {
    session.close()
  }
}

async function takesAgain(server: Server): Promise<void> {
  await eventually(async () => {
    const session = await server.login()
    try {
      for (const size of [20_000, 600_000]) {
        const reply = await submit(session, size, size)
        if (reply.code !== 250) throw new Error(`after there was room: ${reply.code} ${reply.lines.join(' / ')}`)
      }
    } finally {
      session.close()
    }
  })
  const verified = await mox(['verify', '--config', server.configFile])
  if (verified.code !== 0) throw new Error(`mox verify: ${verified.stdout}${verified.stderr}`)
}

async function submit(session: SmtpSession, n: number, size: number): Promise<SmtpReply> {
  const line = `message ${n} ${'x'.repeat(60)}\r\n`
  const content = Buffer.from(
    `From: alice@example.org\r\nSubject: full ${n} ${size}\r\n\r\n${line.repeat(size / line.length)}`,
  )
  return await session.send({ from: 'alice@example.org', to: ['bob@example.org'], content })
}

async function canMount(): Promise<boolean> {
  return await run(['unshare', '--user', '--map-root-user', '--mount', 'true']).then(
    result => result.code === 0,
    () => false,
  )
}
