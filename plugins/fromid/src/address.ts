// Sender addresses with an id: "alice+bnyqjlyw2a4r6zcb7ctz3s5xme@example.org". The first separator of the domain stands between
// base and id, so that mail to it comes to alice.
import type { Directory } from '@mox/plugin-sdk'
import { LOCALPART_OCTETS, type Path } from '@mox/plugin-sdk/mail'

export interface Split {
  readonly base: string
  /** '' after a separator at the end; undefined without a separator. */
  readonly rest: string | undefined
}

/** At the first separator that is not the first character. */
export function split(localpart: string, separator: string): Split {
  const at = localpart.indexOf(separator, 1)
  if (at < 0) return { base: localpart, rest: undefined }
  return { base: localpart.slice(0, at), rest: localpart.slice(at + separator.length) }
}

/** Undefined when there is no room for the id: RFC 5321 §4.5.3.1.1. */
export function withId(path: Path, separator: string, id: string): Path | undefined {
  const localpart = `${split(path.localpart, separator).base}${separator}${id}`
  return Buffer.byteLength(localpart) <= LOCALPART_OCTETS ? { localpart, domain: path.domain } : undefined
}

/** What stands between base and id at this domain; undefined when it is not ours or has none. */
export async function separatorOf(directory: Directory, domain: string): Promise<string | undefined> {
  return (await directory.domain(domain))?.separators[0]
}

/** Ids are compared without case: some servers send bounces to the lower-case form. */
export function canonicalId(id: string): string {
  return id.toLowerCase()
}
