// Options of the mailboxes plugin.
import type { SpecialUse } from '@mox/plugin-sdk'
import { z } from 'zod'
import { isExpression, type JunkFlagOptions } from './junk-flags.ts'
import { DEFAULT_MAILBOXES } from './mailboxes.ts'
import { mailboxName } from './names.ts'

const role = z.enum(['archive', 'drafts', 'junk', 'sent', 'trash'])
const name = z.string().refine(text => {
  const checked = mailboxName(text)
  return checked.ok && checked.name === text && text !== 'Inbox'
}, 'must be an allowed mailbox name other than Inbox')

const expression = z.string().max(500).refine(isExpression, 'must be a regular expression of RE2')

export interface MailboxesOptions {
  readonly initialMailboxes: readonly {
    readonly name: string
    readonly specialUse?: SpecialUse | undefined
  }[]
  readonly historyDays: number
  readonly rejectsMailbox: string
  readonly rejectsDays: number
  readonly junkFlags?: JunkFlagOptions | undefined
}

/** As written in the config. */
export interface MailboxesInput {
  /** Mailboxes of a new account beside Inbox. Default Sent, Archive, Trash, Drafts and Junk with their roles. */
  readonly initialMailboxes?: MailboxesOptions['initialMailboxes'] | undefined
  /** Days that changes and records of expunged messages are kept for clients that were away. Default 30. */
  readonly historyDays?: number | undefined
  /** Mailbox for what was refused: lists and searches leave it out like Trash and Junk. Default "Rejects". */
  readonly rejectsMailbox?: string | undefined
  /** Days that copies of what was refused stay in the mailbox for them; 0 keeps them. Default 14. What a user puts there stays. */
  readonly rejectsDays?: number | undefined
  /** Junk flags by mailbox: regular expressions (RE2) on lower-case mailbox names. Default none: flags stay as they are. */
  readonly junkFlags?: JunkFlagOptions | undefined
}

export const options: z.ZodType<MailboxesOptions, MailboxesInput | undefined> = z
  .strictObject({
    initialMailboxes: z
      .array(z.strictObject({ name, specialUse: role.optional() }))
      .max(100)
      .refine(list => new Set(list.map(entry => entry.name)).size === list.length, 'names must differ')
      .default([...DEFAULT_MAILBOXES]),
    historyDays: z.number().min(1).max(3650).default(30),
    rejectsMailbox: name.default('Rejects'),
    rejectsDays: z.number().min(0).max(3650).default(14),
    junkFlags: z
      .strictObject({
        junk: expression.optional(),
        neutral: expression.optional(),
        notJunk: expression.optional(),
      })
      .optional(),
  })
  .prefault({})
