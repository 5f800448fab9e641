// The part of the webmail that shows single messages: its calls and its pages.
import { Egress } from '@mox/plugin-sdk/io'
import type { Part } from '../part.ts'
import type { Services } from '../services.ts'
import { makeContentCalls } from './calls.ts'
import { makeContentRoutes } from './endpoints.ts'
import { Reader } from './reader.ts'
import { ViewModes } from './view-modes.ts'

export { viewModeTable } from './view-modes.ts'

type ContentServices = Pick<
  Services,
  'storage' | 'mailboxes' | 'directory' | 'submission' | 'clock' | 'random' | 'log' | 'webmailExtensions'
>

export function makeContent(services: ContentServices): Part {
  const reader = new Reader(services)
  const viewModes = new ViewModes(services)
  const extensions = services.webmailExtensions
  return {
    calls: makeContentCalls({ ...services, reader, viewModes, extensions, egress: new Egress([]) }),
    routes: makeContentRoutes({ ...services, reader }),
    stop: async () => await reader.close(),
  }
}
