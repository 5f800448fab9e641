// What the server tells the page of an invitation. Part of the page's script as well: it uses nothing of Node.

export type When =
  /** A day, wherever one is: "2026-12-01". */
  | { readonly kind: 'day'; readonly day: string }
  /** Milliseconds since the epoch. */
  | { readonly kind: 'time'; readonly at: number }
  /** A time of the clock in a place that is not known: "2026-12-01T14:00". */
  | { readonly kind: 'clock'; readonly clock: string; readonly zone: string }

export interface Person {
  readonly name: string
  readonly address: string
  /** PARTSTAT in lower case: "accepted", "declined", "tentative", "needs-action". */
  readonly answer: string
}

export interface Invitation {
  /** Of the part that it is, for downloading. */
  readonly path: string
  /** METHOD in lower case, such as "request", "cancel", "reply"; '' for none, which is only for information. */
  readonly method: string
  readonly summary: string
  readonly location: string
  readonly description: string
  readonly start: When
  /** null: none is said. The day after the last one, for days. */
  readonly end: When | null
  /** In words; '' when it happens once. */
  readonly repeats: string
  readonly cancelled: boolean
  readonly organizer: Person | null
  /** The first ones. */
  readonly attendees: readonly Person[]
  readonly attendeeCount: number
}
