// What our own export says beside the messages: the manifest of the account, and lines of metadata before the messages they
// are about. Files of an archive are not trusted: what is not as it should be is refused by name.
import type { SpecialUse } from '@mox/plugin-sdk'
import { z } from 'zod'

/** Bytes of a manifest, a keyword file, or a file of metadata. */
export const MANIFEST_BYTES: number = 16 * 1024 * 1024
/** Messages that one file of metadata is about. */
export const METADATA_LINES = 500

const role = z.enum(['archive', 'drafts', 'junk', 'sent', 'trash'])
const name = z.string().max(1_000)

export const manifest: z.ZodType<Manifest> = z.object({
  version: z.literal(1),
  mailboxes: z.array(z.object({ name, specialUse: z.array(role).max(5) })).max(10_000),
  subscriptions: z.array(name).max(10_000),
})

export interface Manifest {
  readonly version: 1
  readonly mailboxes: readonly { readonly name: string; readonly specialUse: readonly SpecialUse[] }[]
  /** Names, also of mailboxes that are not there. */
  readonly subscriptions: readonly string[]
}

export const metadata: z.ZodType<Metadata> = z.object({
  file: z.string().max(300),
  receivedAt: z
    .number()
    .int()
    .min(-(2 ** 53))
    .max(2 ** 53),
  words: z.array(z.string().max(200)).max(200),
  muted: z.boolean(),
  collapsed: z.boolean(),
})

export interface Metadata {
  readonly file: string
  readonly receivedAt: number
  /** Flags and keywords as IMAP writes them. */
  readonly words: readonly string[]
  readonly muted: boolean
  readonly collapsed: boolean
}
