// Annotations of mailboxes and of the account (RFC 5464). Part of an operation; refusals are thrown as MailboxError before
// anything is changed. A removed mailbox takes its annotations along.
import type { Annotation } from '@mox/plugin-sdk'
import { refuse } from './errors.ts'
import type { Operation } from './operation.ts'
import { ANNOTATION, type AnnotationRow } from './schema.ts'

/** Annotations of an account, its mailboxes included; octets of a value and of a key. */
export const ANNOTATIONS = 1_000
export const ANNOTATION_OCTETS: number = 64 * 1024
export const KEY_LENGTH = 200

export interface AnnotationEntry {
  readonly key: string
  readonly value: string | Buffer | null
}

/** `mailbox`: as a user gives it; '' for the account. */
export async function annotate(op: Operation, mailbox: string, entries: readonly AnnotationEntry[]): Promise<void> {
  const { db } = op.context.storage
  const checked = entries.map(({ key, value }) => ({ key: annotationKey(key), value: checkValue(value) }))
  const row = mailbox === '' ? undefined : await op.existing(mailbox)
  const mailboxId = row?.id ?? 0
  let changed = false
  for (const { key, value } of checked) {
    const where = { account_id: op.account.id, mailbox_id: mailboxId, key }
    const known: AnnotationRow | undefined = await db<AnnotationRow>(ANNOTATION).where(where).first()
    if (value === null) {
      if (known === undefined) continue
      await db(ANNOTATION).where({ id: known.id }).delete()
    } else {
      const bytes = Buffer.from(value)
      const text = typeof value === 'string' ? 1 : 0
      if (known?.is_string === text && known.value.equals(bytes)) continue
      const columns = { value: bytes, is_string: text, modseq: op.modseq }
      if (known !== undefined) await db(ANNOTATION).where({ id: known.id }).update(columns)
      else await db(ANNOTATION).insert({ ...where, ...columns, create_seq: op.modseq })
    }
    op.record({ kind: 'annotation', mailboxId, key })
    changed = true
  }
  if (changed && row !== undefined) op.touch(row)
  await checkNumber(op)
}

export function shownAnnotation({ key, value, is_string, modseq }: AnnotationRow): Annotation {
  return { key, value: is_string === 1 ? value.toString() : value, modseq }
}

export async function removeAnnotations(op: Operation, mailboxId: number): Promise<void> {
  await op.context.storage.db(ANNOTATION).where({ account_id: op.account.id, mailbox_id: mailboxId }).delete()
}

/** Counted at the end: what is thrown undoes the operation. */
async function checkNumber(op: Operation): Promise<void> {
  const { db } = op.context.storage
  const [row] = (await db(ANNOTATION).where({ account_id: op.account.id }).count({ n: '*' })) as [{ n: number }]
  if (Number(row.n) > ANNOTATIONS) throw refuse('limit', 'too many annotations')
}

/** RFC 5464 §3.2: printable ASCII without wildcards, no empty part; keys are the same in any case. */
function annotationKey(key: string): string {
  const lower = key.toLowerCase()
  const good =
    lower.length <= KEY_LENGTH && /^\/(?:private|shared)(?:\/[\x21-\x24\x26-\x29\x2b-\x2e\x30-\x7e]+)+$/.test(lower)
  if (!good) throw refuse('name', 'not a key of an annotation: it begins with /private/ or /shared/')
  return lower
}

function checkValue(value: string | Buffer | null): string | Buffer | null {
  if (value !== null && Buffer.byteLength(value) > ANNOTATION_OCTETS) throw refuse('limit', 'annotation is too large')
  return value
}
