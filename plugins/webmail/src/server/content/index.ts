// The part of the webmail that shows single messages: its calls and its pages.
import { Egress } from '@mox/plugin-sdk/io'
import type { Part } from '../part.ts'
import type { Services } from '../services.ts'
import { makeContentCalls } from './calls.ts'
import { makeContentRoutes } from './endpoints.ts'
import { ImageProxy } from './image-proxy.ts'
import { Reader } from './reader.ts'
import { ViewModes } from './view-modes.ts'

export { viewModeTable } from './view-modes.ts'

/** Of the key of links to images, which are good for an hour or two, and not beyond a restart. */
const KEY_BYTES = 32
const IMAGE = /^image\/([A-Za-z0-9_.-]{1,12000})$/

type ContentServices = Pick<
  Services,
  'storage' | 'mailboxes' | 'directory' | 'submission' | 'clock' | 'random' | 'log' | 'webmailExtensions'
>

/** `imageNetworks`: our server fetches images from elsewhere, also from these networks that are not public. */
export function makeContent(services: ContentServices, imageNetworks: readonly string[] | undefined): Part {
  const reader = new Reader(services)
  const viewModes = new ViewModes(services)
  const extensions = services.webmailExtensions
  const images =
    imageNetworks === undefined
      ? undefined
      : new ImageProxy({ ...services, key: services.random.bytes(KEY_BYTES), egress: new Egress(imageNetworks) })
  const egress = new Egress([])
  return {
    calls: makeContentCalls({ ...services, reader, viewModes, extensions, egress, proxied: images !== undefined }),
    routes: makeContentRoutes({ ...services, reader, ...(images && { images }) }),
    links: images === undefined ? [] : [{ path: IMAGE, handle: (ctx, [, link = '']) => images.serve(ctx, link) }],
    stop: async () => {
      images?.stop()
      reader.close()
    },
  }
}
