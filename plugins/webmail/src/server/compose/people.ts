// The lines of address fields as people type them: "Ann <ann@example.org>", several with commas, "team: ann@…, bob@…;".
import { formatMailbox, type Mailbox } from '@mox/plugin-sdk/compose'
import { encodeWords, formatAddress, parseAddress, parseAddressList } from '@mox/plugin-sdk/mail'
import { CallError } from '../call.ts'
import { MAX_RECIPIENTS } from './services.ts'

/** What can be sent to; a line that is no address is an error that names it. */
export function people(lines: readonly string[], field: string): Mailbox[] {
  const found: Mailbox[] = []
  for (const line of lines) {
    if (line.trim() === '') continue
    const entries = parseAddressList(line)
    if (entries.length === 0) throw notAnAddress(line, field)
    for (const { name, address } of entries) {
      // Parsed again by the strict rules: the list parser is for display.
      const checked = address === null ? undefined : parseAddress(formatAddress(address))
      if (checked?.ok !== true) throw notAnAddress(line, field)
      found.push({ name, path: checked.path })
    }
    if (found.length > MAX_RECIPIENTS)
      throw new CallError('refused', `${field} has more than ${MAX_RECIPIENTS} addresses; use a mailing list`)
  }
  return found
}

export function isAscii({ path }: Mailbox): boolean {
  return /^[\x20-\x7e]*$/.test(path.localpart)
}

/** A field of a draft's copy, where lines may be half-typed. */
export function draftPeople(lines: readonly string[]): string {
  const shown = lines.flatMap(line => {
    if (line.trim() === '') return []
    try {
      return people([line], '').map(box => formatMailbox(box, !isAscii(box)))
    } catch {
      return [encodeWords(line.trim())]
    }
  })
  return shown.join(', ')
}

function notAnAddress(line: string, field: string): CallError {
  return new CallError('refused', `${field}: ${JSON.stringify(line.slice(0, 100))} is not a mail address`)
}
