// Core's own commands without anything to work on: for help and spelling when there is no config.
import { coreCommands } from './commands/index.ts'
import type { CommandInfo } from './types.ts'

export function coreInfos(): readonly CommandInfo[] {
  const nothing = (): never => {
    throw new Error('there is nothing to run commands on')
  }
  return coreCommands({
    get storage() {
      return nothing()
    },
    get mailboxes() {
      return nothing()
    },
    get notes() {
      return nothing()
    },
    get queue() {
      return nothing()
    },
    now: nothing,
  }).map(({ run: _, ...info }) => info)
}
