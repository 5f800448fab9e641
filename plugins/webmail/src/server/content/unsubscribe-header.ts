// List fields: where a list is written to, and how one leaves it. RFC 2369, RFC 2919, RFC 8058.
import type { Head } from '@mox/plugin-sdk/mail'
import { parseAddress, pathToString } from '@mox/plugin-sdk/mail'
import { LIST_FIELD_LENGTH, URL_LENGTH } from './limits.ts'

export interface UnsubscribeWay {
  /** `oneclick`: a POST to `target` does it; `mailto`: a mail; `web`: a page for a person. */
  readonly kind: 'oneclick' | 'mailto' | 'web'
  readonly target: string
}

/** The addresses in angle brackets of a List field, in order. */
function targets(head: Head, name: string): string[] {
  const value = (head.get(name) ?? '').slice(0, LIST_FIELD_LENGTH)
  return [...value.matchAll(/<([^<>]+)>/g)]
    .slice(0, 20)
    .map(match => (match[1] ?? '').replace(/\s+/g, ''))
    .filter(url => url.length <= URL_LENGTH && URL.canParse(url))
}

/** The best way to leave; null for none. */
export function unsubscribeWay(head: Head): UnsubscribeWay | null {
  const urls = targets(head, 'list-unsubscribe')
  const oneclick = /^List-Unsubscribe\s*=\s*One-Click$/i.test(
    (head.get('list-unsubscribe-post') ?? '').slice(0, 1_000).trim(),
  )
  const secure = urls.find(url => /^https:/i.test(url))
  if (oneclick && secure !== undefined) return { kind: 'oneclick', target: secure }
  const mail = urls.find(url => /^mailto:[^?]*@/i.test(url))
  if (mail !== undefined) return { kind: 'mailto', target: mail }
  const page = secure ?? urls.find(url => /^http:/i.test(url))
  return page === undefined ? null : { kind: 'web', target: page }
}

/** The address to write to a list; '' when it is none. */
export function listAddress(head: Head): string {
  const post = targets(head, 'list-post').find(url => /^mailto:/i.test(url))
  if (post === undefined) return ''
  try {
    const parsed = parseAddress(decodeURIComponent(post.slice('mailto:'.length).replace(/\?.*$/, '')))
    return parsed.ok ? pathToString(parsed.path) : ''
  } catch {
    return ''
  }
}

/** Of List-Id, without its description; '' for none. */
export function listId(head: Head): string {
  const value = (head.get('list-id') ?? '').slice(0, 1_000)
  return (/<([^<>]+)>$/.exec(value.trimEnd())?.[1] ?? value).trim().toLowerCase()
}
