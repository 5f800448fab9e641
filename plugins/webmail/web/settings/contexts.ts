// Where commands are there, for people.
import type { CommandContext } from '@mox/plugin-sdk/webmail'

export const CONTEXTS: readonly (readonly [CommandContext, string])[] = [
  ['global', 'Everywhere'],
  ['list', 'List of messages'],
  ['message', 'Message'],
  ['compose', 'Writing'],
]
