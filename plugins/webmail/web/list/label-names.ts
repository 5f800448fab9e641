// Labels are keywords of IMAP: what may be one, and which are known.
import type { Item, Mailbox, Settings } from '../../src/api/model.ts'

const LENGTH = 100
/** Keywords that are flags with a meaning of their own. */
const FLAGS = ['$forwarded', '$junk', '$notjunk', '$phishing', '$mdnsent']

/** Why a text cannot be a label; '' when it can. RFC 9051 §9: atom. */
export function labelProblem(text: string): string {
  if (text === '') return 'Write a label.'
  if (text.length > LENGTH) return `A label has at most ${LENGTH} characters.`
  if (!/^[!-~]+$/.test(text)) return 'A label has letters of ASCII, digits and signs, no spaces.'
  if (/[(){%*"\\\]]/.test(text)) return 'A label cannot have any of ( ) { % * " \\ ]'
  if (FLAGS.includes(text.toLowerCase())) return `${text} is a flag and no label.`
  return ''
}

export interface KnownLabel {
  readonly keyword: string
  readonly name: string
  readonly color: string
}

/** Labels of the settings, of mailboxes and of messages, each once, by name. */
export function knownLabels(
  settings: Pick<Settings, 'labels'> | undefined,
  mailboxes: Iterable<Pick<Mailbox, 'keywords'>>,
  items: Iterable<Pick<Item, 'keywords'>> = [],
): readonly KnownLabel[] {
  const keywords = new Set(settings?.labels.map(l => l.keyword))
  for (const { keywords: some } of [...mailboxes, ...items]) for (const keyword of some) keywords.add(keyword)
  return [...keywords].map(keyword => labelOf(settings, keyword)).toSorted((a, b) => a.name.localeCompare(b.name))
}

/** How a keyword is shown. */
export function labelOf(settings: Pick<Settings, 'labels'> | undefined, keyword: string): KnownLabel {
  const chosen = settings?.labels.find(l => l.keyword === keyword)
  return { keyword, name: chosen?.name || keyword, color: chosen?.color ?? 'grey' }
}

/** Whether all, some or none of the messages have a label. */
export function labelState(items: Iterable<Pick<Item, 'keywords'>>, keyword: string): 'all' | 'some' | 'none' {
  const has = [...items].map(item => item.keywords.includes(keyword))
  if (has.length === 0 || !has.includes(true)) return 'none'
  return has.includes(false) ? 'some' : 'all'
}
