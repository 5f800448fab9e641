// Exporting and importing mail. An export is streamed while it is made. An import is first a file in the data directory, which
// is removed when it ends or at the next start; then its progress is told, a line of JSON for each event, and what was added
// stays if it fails.
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  type Clock,
  type ExportOptions,
  type Log,
  MailboxError,
  type Mailboxes,
  type Random,
  type System,
  UsageError,
} from '@mox/plugin-sdk'
import type { Context } from 'koa'
import { z } from 'zod'
import { MAX_IDS } from '../api/calls.ts'
import { CallError, type Caller } from './call.ts'
import type { Part } from './part.ts'
import { ownMailbox, storeOf } from './stores.ts'

/** Imports at the same time, in all; an account has one. */
export const MAX_IMPORTS = 4
/** Exports at the same time of one account, and in all. */
export const MAX_EXPORTS_PER_ACCOUNT = 2
export const MAX_EXPORTS = 20
/** Bytes of progress that wait for a slow reader; more is left out, but for the end. */
const PROGRESS_BYTES: number = 1024 * 1024
/** Characters of a mailbox name in the name of a file. */
const NAME_LENGTH = 100

interface Deps {
  readonly mailboxes: Mailboxes
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly system: System
  readonly maxImportSize: number
}

const exportForm = z.strictObject({
  csrf: z.string(),
  /** An id; absent or '' for all. */
  mailbox: z
    .string()
    .regex(/^\d{0,15}$/, 'must be the id of a mailbox')
    .optional(),
  messageids: z
    .string()
    .regex(/^(?:\d{1,15}(?:,\d{1,15})*)?$/, 'must be ids with commas between')
    .optional(),
  format: z.enum(['maildir', 'mbox']),
  archive: z.enum(['none', 'tar', 'tgz', 'zip']),
  recursive: z.enum(['on', 'off']).optional(),
})

const TYPES: Readonly<Record<ExportOptions['archive'], string>> = {
  ...{ none: 'application/mbox', tar: 'application/x-tar', tgz: 'application/gzip', zip: 'application/zip' },
}

/** POST export, POST import?mailbox=ID. */
export function makeArchives(deps: Deps): Part {
  const { mailboxes, clock } = deps
  const folder = join(deps.system.dataDir, 'webmail-import')
  const exports = new Map<string, number>()
  const imports = new Set<string>()
  const importing = new Set<Promise<void>>()
  const stopping = new AbortController()

  const serveExport = async (ctx: Context, caller: Caller): Promise<void> => {
    const form = exportForm.safeParse(Object.fromEntries(ctx.state['form'] as URLSearchParams))
    if (!form.success)
      throw new CallError('badRequest', form.error.issues.map(i => `${i.path.join('.')}: ${i.message}`).join('; '))
    const store = await storeOf(mailboxes, caller)
    const { mailbox: mailboxId = '', messageids = '', format, archive, recursive } = form.data
    const ids = messageids === '' ? undefined : messageids.split(',').map(Number)
    if (ids !== undefined && ids.length > MAX_IDS) throw new CallError('badRequest', `more than ${MAX_IDS} messages`)
    const mailbox = mailboxId === '' ? undefined : await ownMailbox(store, Number(mailboxId))
    const below = recursive === 'on'
    if (archive === 'none' && (format !== 'mbox' || below || (ids === undefined && mailbox === undefined)))
      throw new CallError('badRequest', 'without an archive, one mailbox is exported as mbox, without those below it')
    if (format === 'mbox' && archive !== 'none' && archive !== 'zip')
      throw new CallError('badRequest', 'mbox files are put into a zip archive')
    const running = exports.get(caller.account) ?? 0
    const all = [...exports.values()].reduce((sum, n) => sum + n, 0)
    if (running >= MAX_EXPORTS_PER_ACCOUNT || all >= MAX_EXPORTS)
      throw new CallError('tooMany', 'other exports are being made; wait until they are done')
    const name = ids !== undefined ? 'messages' : (mailbox?.name ?? 'all')
    ctx.attachment(exportName(name, clock.now(), format, archive))
    ctx.type = TYPES[archive]
    ctx.set('Cache-Control', 'no-store')
    exports.set(caller.account, running + 1)
    const done = (): void => {
      const left = (exports.get(caller.account) ?? 1) - 1
      if (left === 0) exports.delete(caller.account)
      else exports.set(caller.account, left)
    }
    const options: ExportOptions = {
      ...{ format, archive },
      ...(ids !== undefined ? { ids } : mailbox === undefined ? {} : { mailbox: mailbox.name, below }),
    }
    const stream = Readable.from(store.export(options), { objectMode: false })
    stream.once('close', done)
    stream.once('error', err => deps.log.error({ err, account: caller.account }, 'an export failed'))
    ctx.body = stream
  }

  const serveImport = async (ctx: Context, caller: Caller): Promise<void> => {
    const store = await storeOf(mailboxes, caller)
    const id = ctx.query['mailbox']
    if (typeof id !== 'string' || !/^\d{1,15}$/.test(id))
      throw new CallError('badRequest', 'mailbox: name one by its id')
    const target = await ownMailbox(store, Number(id))
    if (imports.has(caller.account)) throw new CallError('tooMany', 'another import of the account goes on')
    if (imports.size >= MAX_IMPORTS)
      throw new CallError('tooMany', 'too many imports at the same time; try again later')
    imports.add(caller.account)
    const path = join(folder, deps.random.id())
    const end = async (): Promise<void> => {
      imports.delete(caller.account)
      await rm(path, { force: true })
    }
    try {
      await upload(ctx, path)
    } catch (error) {
      await end()
      throw error
    }
    const lines = new PassThrough()
    const gone = new AbortController()
    lines.once('close', () => gone.abort(new Error('the browser went away')))
    const tell = (event: object): void => void lines.write(`${JSON.stringify(event)}\n`)
    ctx.type = 'application/x-ndjson; charset=utf-8'
    ctx.set('Cache-Control', 'no-store')
    ctx.body = lines
    const running = store
      .import(path, {
        ...{ mailbox: target.name, below: target.name, signal: AbortSignal.any([gone.signal, stopping.signal]) },
        progress: event => {
          if (lines.writableLength < PROGRESS_BYTES) tell(event)
        },
      })
      .then(
        result => tell({ kind: 'done', ...result }),
        (error: unknown) => tell({ kind: 'failed', text: failure(deps, error, path, caller) }),
      )
      .finally(end)
      .catch((err: unknown) => deps.log.error({ err }, 'the file of an import could not be removed'))
      .finally(() => {
        lines.end()
        importing.delete(running)
      })
    importing.add(running)
  }

  return {
    routes: [
      { method: 'POST', path: /^export$/, auth: 'form', handle: serveExport },
      { method: 'POST', path: /^import$/, auth: 'header', maxBody: deps.maxImportSize, handle: serveImport },
    ],
    start: async () => {
      // What a crash left.
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true, mode: 0o700 })
    },
    drain: () => stopping.abort(new Error('the server stops')),
    stop: async () => void (await Promise.all(importing)),
  }
}

async function upload(ctx: Context, path: string): Promise<void> {
  try {
    await pipeline(ctx.req, createWriteStream(path, { mode: 0o600, flags: 'wx' }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new CallError('tooLarge', 'there is no room for the file on the server')
    if (!ctx.req.complete) throw new CallError('badRequest', 'the connection ended before the file did')
    throw error
  }
}

/** What the user is told of an import that ended. */
function failure({ log, random }: Deps, error: unknown, path: string, { account }: Caller): string {
  // Ours is no path that the user knows.
  if (error instanceof UsageError) return error.message.replaceAll(path, 'the file')
  if (error instanceof MailboxError) return error.reply.text
  const id = random.id()
  log.error({ err: error, id, account }, 'an import ended')
  return `the import ended; what was added stays (id ${id})`
}

/** "mailexport-Lists-node-20300101-120000.maildir.tgz"; exported for tests. */
export function exportName(mailbox: string, now: number, format: string, archive: string): string {
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  const name = mailbox
    .replace(/[^\p{L}\p{N}_-]+/gu, '-')
    .slice(0, NAME_LENGTH)
    .toWellFormed()
  return `mailexport-${name}-${time}.${format}${archive === 'none' ? '' : `.${archive}`}`
}
