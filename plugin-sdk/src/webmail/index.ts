// What a plugin may add to the webmail page: the contract of its script. Types only. The script is an ES module whose default
// export is an `ExtensionScript`; the webmail loads it after login (see webmail-extensions@1) and calls it once.

/** An element of the page, where the page's types are known. */
export type HostElement = typeof globalThis extends { HTMLElement: { prototype: infer E } } ? E : unknown

/** Where a command is there for: everywhere, or with messages selected, or with one open, or while writing. */
export type CommandContext = 'global' | 'list' | 'message' | 'compose'

export interface ExtensionMessage {
  readonly id: number
  readonly mailboxId: number
  readonly subject: string
  readonly from: readonly { readonly name: string; readonly address: string }[]
}

/** Something the user can do: by key, from a menu, or by name in the command palette. */
export interface Command {
  /** "invitations.accept": the extension's name, a dot, what it does. */
  readonly id: string
  readonly title: string
  readonly context: CommandContext
  /** Such as "a", "ctrl Enter", "shift ArrowDown", or several: "j, ArrowDown"; the user may choose others. */
  readonly key?: string
  /** The messages that it is about: selected ones, the open one, or none. */
  run(messages: readonly ExtensionMessage[]): void | Promise<void>
}

/** A panel above the text of an opened message. */
export interface MessagePanel {
  readonly id: string
  readonly title: string
  /** `data`: what the extension's server side said about the message; the panel is left out where it said nothing. */
  mount(element: HostElement, message: ExtensionMessage, data: unknown): (() => void) | undefined
}

export interface ComposedMessage {
  readonly from: string
  readonly to: readonly string[]
  readonly cc: readonly string[]
  readonly bcc: readonly string[]
  readonly subject: string
  readonly text: string
  readonly attachments: readonly { readonly filename: string; readonly size: number }[]
}

/** Looks at a message before it is sent. */
export interface ComposeCheck {
  readonly id: string
  /** A warning is shown while writing; with `ask` the user must confirm before it is sent. */
  check(message: ComposedMessage): { readonly text: string; readonly ask?: boolean } | undefined
}

/** How a badge that the server side gave to messages is shown in the list. */
export interface ListBadge {
  /** "invitations/invite". */
  readonly id: string
  readonly text: string
  readonly title: string
}

/** A page of the settings dialog. `save` keeps what the extension wants to be kept for the account, as JSON. */
export interface SettingsPage {
  readonly id: string
  readonly title: string
  mount(element: HostElement, stored: unknown, save: (value: unknown) => Promise<void>): (() => void) | undefined
}

export interface WebmailRegistry {
  command(command: Command): void
  panel(panel: MessagePanel): void
  composeCheck(check: ComposeCheck): void
  badge(badge: ListBadge): void
  settingsPage(page: SettingsPage): void
  /** What the user chose on the extension's settings page. */
  stored(): unknown
  /** Opens an answer to a message with this text in it, for the user to look at and send. */
  reply(message: ExtensionMessage, text: string): Promise<void>
}

export type ExtensionScript = (registry: WebmailRegistry) => void
