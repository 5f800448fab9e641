import type { Mailbox } from '../../src/api/model.ts'

/** Mailboxes whose name has all of the words; those where the last part begins so first, then by name. */
export function matchingMailboxes(
  all: Iterable<Mailbox>,
  text: string,
  except: number | undefined,
): readonly Mailbox[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter(w => w !== '')
  const rank = ({ name }: Mailbox): number => {
    const last = name.slice(name.lastIndexOf('/') + 1).toLowerCase()
    return words.length > 0 && last.startsWith(words[0]!) ? 0 : 1
  }
  return [...all]
    .filter(m => m.id !== except && words.every(w => m.name.toLowerCase().includes(w)))
    .toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
}
