// webmail-extensions@1: what other plugins add to the webmail.
import { defineService, type ServiceToken } from '../define/service.ts'
import type { MessageView } from '../mail/view.ts'
import type { ListedMessage } from './mailbox-lists.ts'

/** A part of a message as text. */
export interface TextPart {
  /** As the webmail's addresses have it: "0.1". */
  readonly path: string
  /** Transfer encoding and charset undone, line ends "\n". */
  readonly text: string
}

/** A message that was opened. */
export interface OpenedMail {
  readonly id: number
  readonly account: string
  readonly view: MessageView
  /** The parts of a content type such as "text/calendar": the first 10, and at most 256 KiB of each. */
  parts(contentType: string): readonly TextPart[]
}

/** The server side of an extension of the webmail. */
export interface WebmailExtension {
  /** Lower-case letters, digits and "-": names its script, badges and settings. */
  readonly name: string
  readonly title: string
  /** The ES module that the page loads; see `@mox/plugin-sdk/webmail`. At most 256 KiB. */
  readonly script: string
  /**
   * Badges of listed messages, by message id: names that the script registered without the extension's name. Asked for every
   * page of the list, so it must look only at what is given.
   */
  badges?(messages: readonly ListedMessage[]): ReadonlyMap<number, readonly string[]>
  /** What the panel of an opened message shows, as JSON; undefined for none. A throw leaves the panel out. */
  panel?(message: OpenedMail): unknown
}

export const webmailExtensions: ServiceToken<WebmailExtension, 'many'> = defineService<WebmailExtension, 'many'>(
  'webmail-extensions@1',
  'many',
)
