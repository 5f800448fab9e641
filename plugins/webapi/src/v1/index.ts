// The table of v1.

import { batchEndpoint } from './batch.ts'
import type { Endpoint } from './endpoint.ts'
import { type EventParts, eventsEndpoint } from './events.ts'
import { type MessageParts, messageEndpoints } from './messages.ts'
import { type SendParts, sendEndpoint } from './send.ts'
import { statisticsEndpoint } from './statistics.ts'
import { suppressionEndpoints } from './suppressions.ts'

export interface V1Parts extends SendParts, MessageParts, EventParts {
  /** Told of what nobody expected, where a request goes on without it. */
  readonly failed: (error: unknown) => void
}

export function v1Endpoints(parts: V1Parts): readonly Endpoint[] {
  return [
    sendEndpoint(parts),
    batchEndpoint(parts, parts.failed),
    ...messageEndpoints(parts),
    eventsEndpoint(parts),
    statisticsEndpoint(parts),
    ...suppressionEndpoints(parts),
  ]
}
