// What is looked at before a message is sent: the page's own check of forgotten files, and those of extensions.
import type { ComposeCheck, ComposedMessage } from '@mox/plugin-sdk/webmail'

/** Words for a file that is attached, in some languages. */
const ATTACHED =
  /\b(?:attach(?:ed|ment|ments|ing)?|enclosed|bijlage[n]?|bijgevoegd|anhang|anhänge|angehängt|beigefügt|anbei|anlage|pi[eè]ce[s]? jointe[s]?|ci-joint(?:e|s|es)?|adjunt[oa]s?|adjunto|allegat[oi]|em anexo|anexo)\b|添付|附件|вложени[еия]|załącz/iu

/** A line that is not quoted speaks of a file, and there is none. */
export const forgottenFile: ComposeCheck = {
  id: 'compose.attachment',
  check: ({ text, attachments }: ComposedMessage) => {
    if (attachments.length > 0) return undefined
    // What follows the separator is quoted, too; and a signature speaks of no file.
    const own = text.split(/^(?:---- Forwarded Message ----|-- )$/m)[0] ?? ''
    const line = own.split('\n').find(l => !l.startsWith('>') && ATTACHED.test(l))
    return line === undefined ? undefined : { text: 'The text speaks of an attachment, and there is none.', ask: true }
  },
}

export const emptySubject: ComposeCheck = {
  id: 'compose.subject',
  check: ({ subject }) => (subject.trim() === '' ? { text: 'There is no subject.', ask: true } : undefined),
}

export function warningsOf(
  checks: readonly ComposeCheck[],
  message: ComposedMessage,
): { readonly id: string; readonly text: string; readonly ask: boolean }[] {
  return checks.flatMap(({ id, check }) => {
    try {
      const found = check(message)
      return found === undefined ? [] : [{ id, text: found.text, ask: found.ask === true }]
    } catch {
      // A check of an extension that fails says nothing.
      return []
    }
  })
}
