// The client's messages of SCRAM: RFC 5802 §7 grammar, read strictly in linear time. A message that does not match is a
// ProtocolError.
import { ProtocolError } from './exchange.ts'

/** Characters of a client's nonce. */
export const NONCE_LENGTH = 256

export interface ClientFirst {
  /** With its comma, as it is bound again in the last message. */
  readonly gs2Header: string
  /** `n`: the client has no channel binding; `y`: it thinks that we have none; `p`: it uses `bindingType`. */
  readonly flag: 'n' | 'y' | 'p'
  readonly bindingType?: string
  readonly bare: string
  readonly name: string
  readonly nonce: string
}

export interface ClientFinal {
  readonly binding: Buffer
  readonly nonce: string
  readonly proof: Buffer
  readonly withoutProof: string
}

export function parseClientFirst(text: string): ClientFirst {
  const header = /^(?:([ny])|p=([A-Za-z0-9.-]{1,64})),(?:a=([^,]*))?,/.exec(text)
  if (header === null) throw new ProtocolError('bad gs2-header')
  const bare = text.slice(header[0].length)
  // A mandatory extension (m=) may stand first; we know none and must fail.
  const [user = '', nonce = '', ...extensions] = bare.split(',')
  if (!user.startsWith('n=') || !isNonce(nonce)) throw new ProtocolError('bad client-first-message')
  checkExtensions(extensions)
  const name = decodeName(user.slice(2))
  if (header[3] !== undefined && decodeName(header[3]) !== name) throw new ProtocolError('authzid of somebody else')
  const bindingType = header[2]
  return {
    gs2Header: header[0],
    flag: bindingType === undefined ? (header[1] as 'n' | 'y') : 'p',
    ...(bindingType === undefined ? {} : { bindingType }),
    bare,
    name,
    nonce: nonce.slice(2),
  }
}

export function parseClientFinal(text: string): ClientFinal {
  const [binding = '', nonce = '', ...rest] = text.split(',')
  const proof = rest.pop() ?? ''
  if (!binding.startsWith('c=') || !isNonce(nonce) || !proof.startsWith('p='))
    throw new ProtocolError('bad client-final-message')
  checkExtensions(rest)
  return {
    binding: decodeBase64(binding.slice(2)),
    nonce: nonce.slice(2),
    proof: decodeBase64(proof.slice(2)),
    withoutProof: text.slice(0, text.length - proof.length - 1),
  }
}

/** printable: %x21-2B / %x2D-7E. The last message has our part of the nonce as well. */
function isNonce(attribute: string): boolean {
  return /^r=[\x21-\x2b\x2d-\x7e]+$/.test(attribute) && attribute.length <= 2 * NONCE_LENGTH
}

function checkExtensions(attributes: readonly string[]): void {
  if (!attributes.every(a => /^[A-Za-z]=[^\0=]?/.test(a) && a.length > 2 && a[0] !== 'm'))
    throw new ProtocolError('bad extension')
}

/** saslname: "=2C" is a comma and "=3D" an equals sign; no other "=". */
function decodeName(text: string): string {
  if (text === '' || /=(?!2C|3D)/.test(text)) throw new ProtocolError('bad saslname')
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (text === '' || bytes.toString('base64') !== text) throw new ProtocolError('bad base64')
  return bytes
}
