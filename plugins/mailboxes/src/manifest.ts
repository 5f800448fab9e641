// What our own export says beside the messages: the manifest of the account, and lines of metadata before the messages they
// are about. Files of an archive are not trusted: what is not as it should be is refused by name.
import type { DeliveryRule, SpecialUse } from '@mox/plugin-sdk'
import { z } from 'zod'

/** Bytes of a manifest, a keyword file, or a file of metadata. */
export const MANIFEST_BYTES: number = 16 * 1024 * 1024
/** Messages that one file of metadata is about. */
export const METADATA_LINES = 500

const role = z.enum(['archive', 'drafts', 'junk', 'sent', 'trash'])
const name = z.string().max(1_000)
const text = z.string().max(1_000)

/** Checked as any other when it is added. */
const rule = z.strictObject({
  recipient: text,
  mailFrom: text.optional(),
  msgFrom: text.optional(),
  verifiedDomain: text.optional(),
  headers: z
    .array(z.strictObject({ name: text, value: text }))
    .max(100)
    .optional(),
  forward: z.boolean().optional(),
  listAllowDomain: text.optional(),
  acceptRejects: name.optional(),
  mailbox: name,
  comment: text,
})

export const manifest: z.ZodType<Manifest> = z.object({
  version: z.literal(1),
  mailboxes: z
    .array(
      z.object({
        name,
        folder: z.string().max(4_000).optional(),
        specialUse: z.array(role).max(5),
        introbox: z.boolean().optional(),
      }),
    )
    .max(10_000),
  subscriptions: z.array(name).max(10_000),
  rules: z.array(rule).max(1_000).optional(),
})

export interface Manifest {
  readonly version: 1
  readonly mailboxes: readonly {
    readonly name: string
    /** In the archive, where it is not the name. */
    readonly folder?: string | undefined
    readonly specialUse: readonly SpecialUse[]
    /** It takes mail of first-time senders. */
    readonly introbox?: boolean | undefined
  }[]
  /** Names, also of mailboxes that are not there. */
  readonly subscriptions: readonly string[]
  /** In the order in which they are tried. */
  readonly rules?: readonly DeliveryRule[] | undefined
}

export const annotation: z.ZodType<ExportedAnnotation> = z.object({
  mailbox: name,
  key: text,
  value: z.string(),
  binary: z.boolean(),
})

/** A line of a file of annotations. */
export interface ExportedAnnotation {
  /** '' for the account. */
  readonly mailbox: string
  readonly key: string
  /** In base64 when it is `binary`. */
  readonly value: string
  readonly binary: boolean
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
  mailFrom: text.optional(),
  rcptTo: text.optional(),
  verified: z.boolean().optional(),
  forward: z.boolean().optional(),
  reject: z.boolean().optional(),
  destined: name.optional(),
})

export interface Metadata {
  readonly file: string
  readonly receivedAt: number
  /** Flags and keywords as IMAP writes them. */
  readonly words: readonly string[]
  readonly muted: boolean
  readonly collapsed: boolean
  /** Envelope, '' when there was none. */
  readonly mailFrom?: string | undefined
  readonly rcptTo?: string | undefined
  /** SPF or DKIM vouched for the domain in From. */
  readonly verified?: boolean | undefined
  /** It came through somebody who forwards mail of others. */
  readonly forward?: boolean | undefined
  /** It is a copy of what was refused. */
  readonly reject?: boolean | undefined
  /** The mailbox it was meant for, while it is put aside. */
  readonly destined?: string | undefined
}
