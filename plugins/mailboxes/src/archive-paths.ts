// What a file in an archive is, by its path: a message of a Maildir, a mailbox in an mbox file, or one of the files beside
// them. Paths never reach a file system. Nothing throws: what cannot be used says why.
import { mailboxName } from './names.ts'

export type ArchivePath =
  | { readonly kind: 'message'; readonly mailbox: string; readonly file: string; readonly isNew: boolean }
  | { readonly kind: 'mbox'; readonly mailbox: string }
  /** A Maildir, which may be empty. */
  | { readonly kind: 'mailbox'; readonly mailbox: string }
  /** Names of keywords, one letter each. */
  | { readonly kind: 'keywords'; readonly mailbox: string }
  /** What our own export says of the messages that follow. */
  | { readonly kind: 'metadata'; readonly mailbox: string }
  | { readonly kind: 'manifest' }
  /** Annotations of our own export. */
  | { readonly kind: 'annotations' }
  /** Indexes and the like of other programs. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'unusable'; readonly reason: string }

export const MANIFEST = 'mox-export.json'
export const KEYWORDS = 'dovecot-keywords'
export const ERRORS = 'errors.txt'
const ANNOTATIONS = /^mox-annotations\.\d+\.jsonl$/
const METADATA = /^mox-metadata\.\d+\.jsonl$/
const IGNORED = /^(?:dovecot[-.]|maildirsize$|maildirfolder$|subscriptions$|courierimap|\.DS_Store$)/

/** Names of mailboxes by their folders in an archive, where these differ. */
export type FolderNames = ReadonlyMap<string, string>

/**
 * The folder of a mailbox in our own export: its name, but for what means something else in a path. Names are read back from
 * the manifest.
 */
export function folderOf(mailbox: string): string {
  return mailbox
    .split('/')
    .map(element => element.replace(/[%\\]|^\.|^(?:c(?=ur$)|n(?=ew$)|t(?=mp$))/g, encoded))
    .join('/')
}

function encoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

/** `prefix`: leading folders that are left out. `below`: the mailbox that the others are below; '' for none. */
export function archivePath(
  path: string,
  folder: boolean,
  prefix: string,
  below: string = '',
  names: FolderNames = new Map(),
): ArchivePath {
  const what = ownPath(path, folder, prefix, names)
  if (below === '' || !('mailbox' in what)) return what
  const checked = mailboxName(`${below}/${what.mailbox}`)
  return checked.ok ? { ...what, mailbox: checked.name } : unusable(checked.error)
}

function ownPath(path: string, folder: boolean, prefix: string, names: FolderNames): ArchivePath {
  const whole = path.replace(/^(?:\.\/)+/, '').normalize('NFC')
  if (/[\x00-\x1f\x7f\\]/.test(whole) || whole.startsWith('/')) return unusable('path is not allowed')
  const start = prefix.replace(/^\/+|\/+$/g, '')
  const text =
    start !== '' && (whole === start || whole.startsWith(`${start}/`)) ? whole.slice(start.length + 1) : whole
  const elements = text.split('/').filter(element => element !== '')
  if (elements.some(element => element === '.' || element === '..')) return unusable('path is not allowed')
  const named = (folders: readonly string[], make: (mailbox: string) => ArchivePath): ArchivePath => {
    const checked = mailboxName(names.get(folders.join('/')) ?? nameOf(folders))
    return checked.ok ? make(checked.name) : unusable(checked.error)
  }
  const last = elements.at(-1) ?? ''
  const parent = elements.at(-2) ?? ''
  if (folder)
    return /^(?:cur|new)$/.test(last)
      ? named(elements.slice(0, -1), mailbox => ({ kind: 'mailbox', mailbox }))
      : { kind: 'ignored' }
  if (/^(?:cur|new|tmp)$/.test(parent)) {
    if (last.startsWith('.')) return { kind: 'ignored' }
    return named(elements.slice(0, -2), mailbox => ({ kind: 'message', mailbox, file: last, isNew: parent === 'new' }))
  }
  if (last === MANIFEST && elements.length === 1) return { kind: 'manifest' }
  if (ANNOTATIONS.test(last) && elements.length === 1) return { kind: 'annotations' }
  if (last === ERRORS && elements.length === 1) return { kind: 'ignored' }
  if (last === KEYWORDS) return named(elements.slice(0, -1), mailbox => ({ kind: 'keywords', mailbox }))
  if (METADATA.test(last)) return named(elements.slice(0, -1), mailbox => ({ kind: 'metadata', mailbox }))
  if (/\.mbox$/i.test(last)) {
    const name = last.slice(0, -5)
    return named([...elements.slice(0, -1), ...(name === '' ? [] : [name])], mailbox => ({ kind: 'mbox', mailbox }))
  }
  return IGNORED.test(last) ? { kind: 'ignored' } : unusable('no mail in this file')
}

function nameOf(folders: readonly string[]): string {
  // Maildir++: ".Archive.2025" is below its parent folders.
  const elements = folders.flatMap(folder => (/^\.[^.]/.test(folder) ? folder.slice(1).split('.') : [folder]))
  return elements.length === 0 ? 'Inbox' : elements.join('/')
}

function unusable(reason: string): ArchivePath {
  return { kind: 'unusable', reason }
}
