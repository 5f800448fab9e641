// Images that a message wants from elsewhere: which of them only tell its sender that it was read, and addresses at which our
// own server gives the others out.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { IMAGE_URL_LENGTH, STYLE_LENGTH } from './limits.ts'

export interface RemoteImage {
  readonly url: string
  /** By its shape: too small or too well hidden to be looked at. Never loaded. */
  readonly tracker: boolean
}

type Attributes = Readonly<Record<string, string | undefined>>

/** Characters of a width or height that are looked at. */
const SIDE_LENGTH = 50

/** A pixel, or nothing at all, is no picture. A line that is one pixel high is. */
export function isTracker(attributes: Attributes): boolean {
  const style = (attributes['style'] ?? '').slice(0, STYLE_LENGTH).toLowerCase()
  if (attributes['hidden'] !== undefined) return true
  if (/(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0*(?:\.0*)?\s*(?:[;!%]|$))/.test(style))
    return true
  const [width, height] = ['width', 'height'].map(side => {
    const [, styled] =
      new RegExp(`(?:^|[;\\s])(?:max-)?${side}\\s*:\\s*([\\d.]+)(?:px)?\\s*(?:[;!]|$)`).exec(style) ?? []
    const plain = (attributes[side] ?? '').slice(0, SIDE_LENGTH).trim()
    const given = styled ?? /^([\d.]+)\s*(?:px)?$/i.exec(plain)?.[1]
    return given === undefined ? undefined : Number(given)
  })
  const small = (n: number | undefined): boolean => n !== undefined && n <= 1
  if (width === 0 || height === 0) return true
  return small(width) ? height === undefined || small(height) : small(height) && width === undefined
}

/** What our server needs to make links to images that it fetches itself. */
export interface ImageGrant {
  readonly key: Uint8Array
  readonly account: string
  /** Milliseconds since the epoch. */
  readonly until: number
}

const MAC = 'sha256'

/** Below the webmail's path. Undefined for an address that is too long to be given back. */
export function imageLink({ key, account, until }: ImageGrant, url: string): string | undefined {
  if (url.length > IMAGE_URL_LENGTH) return undefined
  const claim = Buffer.from(JSON.stringify([until, account, url])).toString('base64url')
  return `image/${claim}.${macOf(key, claim)}`
}

/** What a link grants; undefined for one that we did not make, or not for this time. */
export function openLink(
  key: Uint8Array,
  link: string,
  now: number,
): { readonly account: string; readonly url: string } | undefined {
  const [claim = '', mac = ''] = link.split('.')
  const expected = Buffer.from(macOf(key, claim))
  const given = Buffer.from(mac)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  const [until, account, url] = JSON.parse(Buffer.from(claim, 'base64url').toString()) as [number, string, string]
  return until > now ? { account, url } : undefined
}

function macOf(key: Uint8Array, claim: string): string {
  return createHmac(MAC, key).update(claim).digest('base64url')
}

/** By its first bytes, as browsers find out; undefined for anything that is not one of the kinds without scripts. */
export function imageType(start: Buffer): string | undefined {
  const text = start.toString('latin1', 0, 16)
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (/^GIF8[79]a/.test(text)) return 'image/gif'
  if (/^RIFF....WEBP/s.test(text)) return 'image/webp'
  if (/^....ftypavi[fs]/s.test(text)) return 'image/avif'
  if (text.startsWith('BM')) return 'image/bmp'
  if (text.startsWith('\0\0\x01\0')) return 'image/x-icon'
  return undefined
}
/** Bytes that `imageType` looks at. */
export const IMAGE_START = 16
