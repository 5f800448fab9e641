// What an import does after its messages: keywords of Maildirs whose names came last, and mailboxes, roles and subscriptions
// as the manifest has them, or roles by the names that other programs use. Roles that somebody has stay there.
import { MailboxError, type SpecialUse } from '@mox/plugin-sdk'
import { annotate } from './annotations.ts'
import type { Context } from './context.ts'
import { refuse } from './errors.ts'
import { chunks } from './expunge.ts'
import { importedWord } from './import-message.ts'
import { add, setIntrobox, setRoles, subscribe } from './mailboxes.ts'
import type { ExportedAnnotation, Manifest } from './manifest.ts'
import { setFlags } from './messages.ts'
import { mailboxName } from './names.ts'
import { type Operation, operate } from './operation.ts'
import { ROLES } from './rows.ts'
import { addRule, changeRules, sameRule } from './rules.ts'
import { ANNOTATION, MAILBOX, type MailboxRow } from './schema.ts'

export interface Restored {
  readonly manifest: Manifest | undefined
  readonly lettered: readonly { readonly id: number; readonly mailbox: string; readonly letters: string }[]
  readonly keywords: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly problem: (text: string) => void
}

/** The keywords of letters, and the letters that have none. */
export function wordsOfLetters(
  letters: string,
  names: ReadonlyMap<string, string> | undefined,
): { readonly words: string[]; readonly left: string } {
  const words: string[] = []
  let left = ''
  for (const letter of letters) {
    const name = names?.get(letter)
    if (name === undefined) left += letter
    else words.push(name)
  }
  return { words, left }
}

export async function restoreMailboxes(context: Context, account: string, restored: Restored): Promise<void> {
  for (const part of chunks(restored.lettered))
    await operate(context, account, async op => {
      for (const { id, mailbox, letters } of part) {
        const { words } = wordsOfLetters(letters, restored.keywords.get(mailbox))
        for (const word of words)
          await tried(restored.problem, `keyword ${word}`, () =>
            setFlags(op, [id], { addKeywords: [importedWord(word)] }),
          )
      }
    })
  await operate(context, account, async op => {
    if (restored.manifest === undefined) await rolesByName(op)
    else await byManifest(op, restored, restored.manifest)
  })
  for (const rule of restored.manifest?.rules ?? [])
    await tried(restored.problem, `rule for ${rule.mailbox}`, () =>
      changeRules(context, account, rules =>
        rules.some(other => sameRule(other, rule)) ? rules : addRule(rules, rule),
      ),
    )
}

/** An annotation that is there already stays. */
export async function restoreAnnotation(
  op: Operation,
  { mailbox, key, value, binary }: ExportedAnnotation,
): Promise<void> {
  const checked = mailboxName(mailbox)
  if (mailbox !== '' && !checked.ok) throw refuse('name', checked.error)
  const row = checked.ok ? ((await op.find(checked.name)) ?? (await add(op, checked.name, []))) : undefined
  const known = await op.context.storage
    .db(ANNOTATION)
    .where({ account_id: op.account.id, mailbox_id: row?.id ?? 0, key: key.toLowerCase() })
    .first('id')
  if (known !== undefined) return
  await annotate(op, mailbox, [{ key, value: binary ? Buffer.from(value, 'base64') : value }])
}

async function byManifest(op: Operation, restored: Restored, { mailboxes, subscriptions }: Manifest): Promise<void> {
  for (const { name, specialUse, introbox } of mailboxes)
    await tried(restored.problem, `mailbox ${name}`, async () => {
      const checked = mailboxName(name)
      if (!checked.ok) return restored.problem(`mailbox ${name}: ${checked.error}`)
      const row = (await op.find(checked.name)) ?? (await add(op, checked.name, []))
      await giveFree(op, row, specialUse)
      if (introbox === true && op.account.introbox_id === 0) await setIntrobox(op, checked.name)
      await subscribe(op, checked.name, subscriptions.includes(name))
    })
  for (const name of subscriptions)
    await tried(restored.problem, `subscription ${name}`, () => subscribe(op, name, true))
}

/** Names of other programs, in lower case, by the last part of a path. */
const NAMES: ReadonlyMap<string, SpecialUse> = new Map<string, SpecialUse>([
  ...['sent', 'sent mail', 'sent items', 'sent messages'].map(n => [n, 'sent'] as const),
  ...['trash', 'bin', 'deleted items', 'deleted messages'].map(n => [n, 'trash'] as const),
  ...['drafts', 'draft'].map(n => [n, 'drafts'] as const),
  ...['junk', 'spam', 'junk e-mail', 'junk email', 'bulk mail'].map(n => [n, 'junk'] as const),
  ...['archive', 'all mail', 'archives'].map(n => [n, 'archive'] as const),
])

async function rolesByName(op: Operation): Promise<void> {
  const rows: MailboxRow[] = await op.context.storage
    .db<MailboxRow>(MAILBOX)
    .where({ account_id: op.account.id, removed_seq: 0 })
    .orderBy('name')
  for (const row of rows) {
    const role = NAMES.get(row.name.slice(row.name.lastIndexOf('/') + 1).toLowerCase())
    if (role !== undefined) await giveFree(op, op.keep(row), [role])
  }
}

/** Gives those roles that nobody has. */
async function giveFree(op: Operation, mailbox: MailboxRow, roles: readonly SpecialUse[]): Promise<void> {
  const own = ROLES.filter(role => mailbox[role] === 1)
  const free: SpecialUse[] = []
  for (const role of roles) {
    const holder = await op.context.storage
      .db<MailboxRow>(MAILBOX)
      .where({ account_id: op.account.id, removed_seq: 0, [role]: 1 })
      .first('id')
    if (holder === undefined) free.push(role)
  }
  if (free.length > 0) await setRoles(op, mailbox, [...own, ...free])
}

/** A refusal is told; the rest goes on. */
export async function tried(
  problem: (text: string) => void,
  what: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work()
  } catch (err) {
    if (!(err instanceof MailboxError)) throw err
    problem(`${what}: ${err.reply.text}`)
  }
}
