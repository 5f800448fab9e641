// Core's own commands that work on what is stored.
import type { Command } from '@mox/plugin-sdk'
import type { CommandDeps } from './deps.ts'
import { messageCommands } from './message.ts'
import { outboxCommands } from './outbox.ts'
import { queueCommands } from './queue.ts'
import { queueChangeCommands } from './queue-change.ts'
import { verifyCommands } from './verify.ts'

export function coreCommands(deps: CommandDeps): readonly Command[] {
  return [
    ...queueCommands(deps),
    ...queueChangeCommands(deps),
    ...messageCommands(deps),
    ...outboxCommands(deps),
    ...verifyCommands(deps),
  ]
}
