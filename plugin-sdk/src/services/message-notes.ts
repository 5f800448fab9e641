// message-notes@1: what a plugin did about a message, for the story that `mox message explain` tells.
import { defineService, type ServiceToken } from '../define/service.ts'

/** One thing that was done. */
export interface MessageNote {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** 0 for a recipient that never was in the queue. */
  readonly queueId: number
  /** "local@domain" */
  readonly recipient: string
  /** One line. */
  readonly text: string
}

export interface MessageNotes {
  /** Stands above the notes: "what the sender was told". */
  readonly title: string
  /** Notes about a message, or about one of its recipients, oldest first; at most `limit`. */
  list(about: { readonly messageId: number; readonly queueId?: number }, limit: number): Promise<MessageNote[]>
}

/** Plugins that have something to say in the story of a message. */
export const messageNotes: ServiceToken<MessageNotes, 'many'> = defineService<MessageNotes, 'many'>(
  'message-notes@1',
  'many',
)
