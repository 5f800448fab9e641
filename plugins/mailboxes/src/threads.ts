// Which message a new one answers (RFC 5256 §3 in spirit, done one message at a time at delivery). The rules are a pure
// function over the stored messages that the database found; it cannot fail, at worst a message starts its own thread.

/** References looked up for a message: the closest ones. */
export const REFERENCES = 63
/** Stored messages considered; more with the same Message-IDs are ignored. */
export const CANDIDATES = 200
/** How much earlier and later than a reply without references its parent may have been received. */
export const SUBJECT_BEFORE_MS: number = 28 * 24 * 3_600_000
export const SUBJECT_AFTER_MS: number = 24 * 3_600_000

/** What threads need to know of a new message. */
export interface ThreadHead {
  /** Canonical; '' for none. */
  readonly messageId: string
  /** Canonical, closest last. */
  readonly references: readonly string[]
  readonly subjectBase: string
  readonly isReply: boolean
  readonly dsn: boolean
}

/** What threads need to know of a stored message. */
export interface Candidate {
  readonly id: number
  readonly mailbox_id: number
  readonly is_reject: number
  /** 0 while it is there; others are no parents. */
  readonly expunged_at: number
  readonly message_id_header: string
  readonly subject_base: string
  readonly thread_id: number
  readonly thread_muted: number
  readonly thread_collapsed: number
}

export interface Link {
  readonly parent?: Candidate
  readonly missingLink: boolean
}

/** References then In-Reply-To without repeats, closest last, at most REFERENCES. */
export function references(references: readonly string[], inReplyTo: readonly string[]): string[] {
  return [...references.filter(id => !inReplyTo.includes(id)), ...inReplyTo].slice(-REFERENCES)
}

/** The Message-IDs to look up. */
export function lookups(head: ThreadHead): string[] {
  const ids = head.references.filter(id => id !== head.messageId)
  return head.messageId === '' ? ids : [head.messageId, ...ids]
}

/** Whether the subject is what links the message, when no Message-ID does. */
export function linksBySubject(head: ThreadHead): boolean {
  return head.references.length === 0 && head.isReply && head.subjectBase !== ''
}

/** The parent by Message-ID, from the stored messages that have one of `lookups`. */
export function link(head: ThreadHead, candidates: readonly Candidate[]): Link {
  const same = lowest(
    candidates.filter(
      stored => head.messageId !== '' && stored.message_id_header === head.messageId && !isRefusedCopy(stored, head),
    ),
  )
  if (same !== undefined) return { parent: same, missingLink: true }
  for (let i = head.references.length - 1; i >= 0; i--) {
    const parent = lowest(
      candidates.filter(
        stored =>
          stored.message_id_header === head.references[i] && (head.dsn || stored.subject_base === head.subjectBase),
      ),
    )
    if (parent !== undefined) return { parent, missingLink: i < head.references.length - 1 }
  }
  return { missingLink: head.references.length > 0 }
}

/** A copy of the same message that was kept when it was refused: no parent, as the message now comes in its place. */
export function isRefusedCopy(stored: Candidate, head: ThreadHead): boolean {
  return stored.is_reject === 1 && isLive(stored) && stored.message_id_header === head.messageId
}

export function isLive(candidate: Candidate): boolean {
  return candidate.expunged_at === 0
}

function lowest(candidates: readonly Candidate[]): Candidate | undefined {
  return candidates
    .filter(isLive)
    .reduce<Candidate | undefined>((least, c) => (least === undefined || c.id < least.id ? c : least), undefined)
}
