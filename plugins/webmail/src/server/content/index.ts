// The part of the webmail that shows single messages: its calls and its pages.
import type Router from '@koa/router'
import type { Clock, Directory, Log, Mailboxes, Random, Storage, Submission, WebmailExtension } from '@mox/plugin-sdk'
import { Egress } from '@mox/plugin-sdk/io'
import { type ContentCalls, makeContentCalls } from './calls.ts'
import { type ContentRouteDeps, makeContentRoutes } from './endpoints.ts'
import { Reader } from './reader.ts'
import { ViewModes } from './view-modes.ts'

export { viewModeTable } from './view-modes.ts'

export interface ContentDeps extends Pick<ContentRouteDeps, 'guard' | 'prefix'> {
  readonly storage: Storage
  readonly mailboxes: Mailboxes
  readonly directory: Directory
  readonly submission: Submission
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly extensions: readonly WebmailExtension[]
}

export interface ContentPart {
  readonly calls: ContentCalls
  readonly routes: Router
  /** Ends the thread that reads messages. */
  stop(): Promise<void>
}

export function makeContent(deps: ContentDeps): ContentPart {
  const reader = new Reader(deps)
  const viewModes = new ViewModes(deps)
  return {
    calls: makeContentCalls({ ...deps, reader, viewModes, egress: new Egress([]) }),
    routes: makeContentRoutes({ ...deps, reader }),
    stop: async () => await reader.close(),
  }
}
