// Names of downloads. They come from the sender and go to the user's file system, by way of the browser: never to ours.
import { safeFilename } from '@mox/plugin-sdk/mail'

/** RFC 6266: with a plain ASCII name for what does not read RFC 8187. */
export function attachmentDisposition(filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(filename.toWellFormed()).replace(
    /['()*]/g,
    c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return plain === filename
    ? `attachment; filename="${plain}"`
    : `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

/** What file systems of users take no offence at. */
function portable(name: string): string {
  const clean = safeFilename(name)
    .replace(/[<>:"/\\|?*]/g, '_')
    .replace(/[. ]+$/, '')
  return clean === '' ? 'unnamed' : /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(clean) ? `_${clean}` : clean
}

/** Names for the files of one archive: no two alike, even where case does not matter. '' is unnamed. */
export function archiveNames(filenames: readonly string[]): string[] {
  const taken = new Set<string>()
  const next = new Map<string, number>()
  return filenames.map(given => {
    const name = portable(given === '' ? 'unnamed' : given)
    const dot = name.lastIndexOf('.')
    const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
    const base = name.toLowerCase()
    let unique = name
    for (let n = next.get(base) ?? 1; taken.has(unique.toLowerCase()); n++) {
      unique = `${stem}-${n}${ending}`
      next.set(base, n + 1)
    }
    taken.add(unique.toLowerCase())
    return unique
  })
}

/** "20261126-101500", UTC. */
function timestamp(ms: number): string {
  const text = new Date(ms).toISOString()
  return `${text.slice(0, 10).replaceAll('-', '')}-${text.slice(11, 19).replaceAll(':', '')}`
}

export function messageFilename(id: number, receivedAt: number): string {
  return `email-${id}-${timestamp(receivedAt)}.eml`
}

export function archiveFilename(id: number, receivedAt: number, subject: string): string {
  const words = portable(subject)
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 60)
    .toWellFormed()
    .replace(/^-+|-+$/g, '')
  return `email-${id}-attachments-${timestamp(receivedAt)}${words === '' ? '' : `-${words}`}.zip`
}
