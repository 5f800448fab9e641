// Extended DNS Errors (RFC 8914): why a server says SERVFAIL. They come as options of the OPT record; what cannot be read
// is left out, since they only explain.
import type { DnsError } from '@mox/plugin-sdk'
import codec from 'dns-packet'

const EDE = 15
/** Characters of the text that are kept. */
export const EXTENDED_TEXT_LENGTH = 200

/** `packet` ends where the data of the OPT record end; they start at `start`. Of several, one about DNSSEC comes first. */
export function extendedError(packet: Buffer, start: number): DnsError['extended'] {
  let options: readonly { readonly code: number; readonly data: Buffer }[]
  try {
    options = codec.opt.decode(packet, start - 2)
  } catch {
    return undefined
  }
  const errors = options.filter(option => option.code === EDE && option.data.length >= 2).map(({ data }) => read(data))
  return errors.find(({ code }) => isValidationFailure(code)) ?? errors[0]
}

function read(data: Buffer): { readonly code: number; readonly text: string } {
  // Some servers end it with a NUL, which RFC 8914 §2 says to remove; no other control character has a meaning here either.
  const text = data
    .toString('utf8', 2)
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
  return { code: data.readUInt16BE(0), text: [...text].slice(0, EXTENDED_TEXT_LENGTH).join('') }
}

/** Codes that say that DNSSEC validation failed. */
function isValidationFailure(code: number): boolean {
  return code === 1 || code === 2 || (code >= 5 && code <= 12)
}
