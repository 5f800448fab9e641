// The bytes of a draft: as it is sent, or as the copy in the mailbox for drafts, where addresses may be half-typed. Staged in
// the content store, since files may be large.
import { createHash } from 'node:crypto'
import type { ContentStore, Random, StagedContent } from '@mox/plugin-sdk'
import {
  type AttachedFile,
  type ComposeDraft,
  ComposeError,
  composeMessage,
  composeWithFiles,
  headerSection,
} from '@mox/plugin-sdk/compose'
import { encodeWords, formatDate, formatField } from '@mox/plugin-sdk/mail'
import type { Draft } from '../../api/model.ts'
import { CallError } from '../call.ts'
import { draftPeople } from './people.ts'
import type { FileRow } from './schema.ts'

export const USER_AGENT = 'mox webmail'

export interface BuildServices {
  readonly content: ContentStore
  readonly random: Random
}

export type Written = Pick<
  ComposeDraft,
  'from' | 'to' | 'cc' | 'replyTo' | 'messageId' | 'references' | 'date' | 'headers' | 'smtputf8'
>

/** The header section and the whole message of what is sent. Throws a CallError for what cannot be sent. */
export async function* messageOf(
  services: BuildServices,
  draft: Draft,
  written: Written,
  files: readonly FileRow[],
): AsyncIterable<Buffer> {
  const compose: ComposeDraft = { ...written, ...bodies(draft), subject: draft.subject }
  try {
    const head = headerSection(compose, USER_AGENT)
    const body = await composeMessage('', compose, services.random)
    yield* composeWithFiles(head, body, attached(services.content, files), services.random)
  } catch (error) {
    throw error instanceof ComposeError ? new CallError('refused', error.message) : error
  }
}

/** The copy in the mailbox for drafts. */
export async function* draftCopy(
  services: BuildServices,
  draft: Draft,
  meta: { readonly messageId: string; readonly references: readonly string[]; readonly date: number },
  files: readonly FileRow[],
): AsyncIterable<Buffer> {
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ...([['From', [draft.from]] as const] as const),
    ...([['Reply-To', draft.replyTo] as const] as const),
    ...([['To', draft.to] as const] as const),
    ...([['Cc', draft.cc] as const] as const),
    ...([['Bcc', draft.bcc] as const] as const),
  ]
  const fields: (readonly [string, string])[] = lists
    .map(([name, lines]) => [name, draftPeople(lines)] as const)
    .filter(([, value]) => value !== '')
  fields.push(['Subject', encodeWords(draft.subject)], ['Date', formatDate(meta.date)], ['Message-Id', meta.messageId])
  const last = meta.references.at(-1)
  if (last !== undefined) fields.push(['References', meta.references.join(' ')], ['In-Reply-To', last])
  fields.push(['MIME-Version', '1.0'], ['User-Agent', USER_AGENT])
  const head = fields.map(([name, value]) => foldable(name, value)).join('')
  const nobody = { name: '', path: { localpart: '', domain: '' } }
  const body = await composeMessage(
    '',
    {
      ...{ from: nobody, to: [], cc: [], replyTo: [], references: [], headers: [], smtputf8: false },
      ...{ messageId: '', date: 0, subject: '' },
      ...bodies(draft),
    },
    services.random,
  )
  yield* composeWithFiles(head, body, attached(services.content, files), services.random)
}

/** Writes a message to the content store; nothing refers to it until it is kept. `limit` in bytes: beyond it a CallError. */
export async function stage(
  content: ContentStore,
  message: AsyncIterable<Buffer>,
  limit: number,
): Promise<{ readonly staged: StagedContent; abort(): Promise<void> }> {
  const writer = content.writer()
  const hash = createHash('sha256')
  let size = 0
  try {
    for await (const chunk of message) {
      size += chunk.length
      if (size > limit)
        throw new CallError(
          'tooLarge',
          `the message has more than ${limit} bytes; remove files, or send them another way`,
        )
      hash.update(chunk)
      await writer.write(chunk)
    }
    return { staged: await writer.finish(hash.digest()), abort: () => writer.abort() }
  } catch (error) {
    await writer.abort()
    throw error
  }
}

function bodies(
  draft: Draft,
): Pick<ComposeDraft, 'text' | 'html' | 'alternativeFiles' | 'inlineFiles' | 'attachedFiles'> {
  const html = draft.html === null ? '' : crlf(draft.html)
  // Without any text, the message is an empty line.
  const text = draft.text === '' && html === '' ? '\r\n' : crlf(draft.text)
  return { text, html, alternativeFiles: [], inlineFiles: [], attachedFiles: [] }
}

/** CRLF line ends, one at the end; NUL has no place in mail. */
function crlf(text: string): string {
  if (text === '') return ''
  const lines = text.toWellFormed().replaceAll('\0', '').replace(/\r\n?/g, '\n')
  return (lines.endsWith('\n') ? lines : `${lines}\n`).replaceAll('\n', '\r\n')
}

function attached(content: ContentStore, files: readonly FileRow[]): AttachedFile[] {
  return files.map(file => ({
    name: file.name,
    contentType: file.content_type,
    encoding: file.encoding,
    open: () => content.open(file.content_id),
  }))
}

/** A draft is kept whatever is typed: a word that no line has room for is left out of its copy. */
function foldable(name: string, value: string): string {
  try {
    return formatField(name, value)
  } catch {
    return ''
  }
}
