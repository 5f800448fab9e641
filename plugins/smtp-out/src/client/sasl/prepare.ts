// SASLprep (RFC 4013) from the Unicode data of the JavaScript engine: names and passwords as they are compared. What RFC 3454
// forbids and nobody has in a password (unassigned characters, mixed directions) is left to the server.
import { SaslError } from './mechanism.ts'

// RFC 3454 tables B.1 and C.1.2.
const NOTHING = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200b|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g
const SPACE = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g

export function saslPrep(text: string): string {
  const prepared = text.replace(SPACE, ' ').replace(NOTHING, '').normalize('NFKC')
  if (prepared === '' || /[\p{Cc}\p{Cs}\ufffd]/u.test(prepared))
    throw new SaslError('the user name or password of the relay has a character that no login may have, or is empty')
  return prepared
}
