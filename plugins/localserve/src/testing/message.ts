// A message from a few words, for tests that only need one to be sent; and what tests take out of messages.
import { encodeWords, formatField } from '@mox/plugin-sdk/mail'
import type { MessageDetail } from '../api-types.ts'

export interface Draft {
  /** Default "mox@localhost". */
  readonly from?: string
  readonly to: string | readonly string[]
  readonly subject?: string
  readonly text?: string
  readonly html?: string
  /** Further header fields; a value is one line. */
  readonly headers?: Readonly<Record<string, string>>
  /** A whole message, instead of all but `from` and `to`. */
  readonly raw?: Buffer | string
}

/** Throws TypeError for what is no name of a header field. Line breaks in values are encoded like all that is not printable. */
export function compose({ from = 'mox@localhost', to, subject = '', text, html, headers = {}, raw }: Draft): Buffer {
  if (raw !== undefined) return Buffer.from(raw)
  const boundary = '=_localserve'
  const head =
    formatField('From', from) +
    formatField('To', (typeof to === 'string' ? [to] : to).join(', ')) +
    formatField('Subject', encodeWords(subject)) +
    Object.entries(headers)
      .map(([name, value]) => formatField(name, encodeWords(value)))
      .join('') +
    formatField('MIME-Version', '1.0')
  const part = (type: string, body: string): string =>
    `Content-Type: text/${type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(body)}`
  if (html === undefined) return Buffer.from(head + part('plain', text ?? ''))
  if (text === undefined) return Buffer.from(head + part('html', html))
  return Buffer.from(
    `${head}Content-Type: multipart/alternative; boundary="${boundary}"\r\n\r\n` +
      `--${boundary}\r\n${part('plain', text)}--${boundary}\r\n${part('html', html)}--${boundary}--\r\n`,
  )
}

/** Lines of 76 characters (RFC 2045 §6.8). */
function base64(text: string): string {
  return `${
    Buffer.from(text)
      .toString('base64')
      .match(/.{1,76}/g)
      ?.join('\r\n') ?? ''
  }\r\n`
}

/** The web addresses in a message, each once: those of links in the HTML first, then those in the text. */
export function linksOf({ html = '', text = '' }: Pick<MessageDetail, 'html' | 'text'>): string[] {
  const found = new Set<string>()
  for (const [, double, single] of html.matchAll(/<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')/gi))
    found.add((double ?? single ?? '').replaceAll('&amp;', '&'))
  for (const [link] of text.matchAll(/https?:\/\/[^\s<>"']+/g)) found.add(link.replace(/[.,;:!?)\]]+$/, ''))
  return [...found].filter(link => /^https?:/i.test(link))
}
