// Which command a key means. Pure, so that it can be tested without a page.
import type { Command, CommandContext } from '@mox/plugin-sdk/webmail'
import { hasModifier, isCharacter, keyNames } from './keys.ts'

/** Where the focus is, as far as keys are concerned. */
export type Place = 'page' | 'field' | 'control'

export interface KeyState {
  readonly place: Place
  /** Contexts that are there, the first asked first. */
  readonly contexts: readonly CommandContext[]
  readonly singleKeys: boolean
  /** Keys that the user chose, by command id; '' for none. */
  readonly chosen: Readonly<Record<string, string>>
}

/** What editing a field needs for itself. */
const EDITING = /^(ctrl|alt|meta) (shift )?([acvxzyACVXZY]|Arrow\w+|Home|End|Backspace|Delete)$/
/** What a button, a link or a box does with keys itself. */
const OF_CONTROLS = ['Enter', 'Space']

/** Names of a command's keys: what the user chose, or the command's own. */
export function keysOf(command: Command, chosen: Readonly<Record<string, string>>): string[] {
  return keyNames((Object.hasOwn(chosen, command.id) ? chosen[command.id] : command.key) ?? '')
}

export function commandOf(name: string, commands: readonly Command[], state: KeyState): Command | undefined {
  if (name === '') return undefined
  if (!state.singleKeys && isCharacter(name)) return undefined
  if (state.place === 'control' && OF_CONTROLS.includes(name)) return undefined
  for (const context of state.contexts) {
    if (state.place === 'field' && !allowedInField(name, context)) continue
    const found = commands.find(c => c.context === context && keysOf(c, state.chosen).includes(name))
    if (found !== undefined) return found
  }
  return undefined
}

function allowedInField(name: string, context: CommandContext): boolean {
  // Commands of writing are made for fields; the others must not take away what editing needs.
  return hasModifier(name) && (context === 'compose' || !EDITING.test(name))
}

/** Commands that have a key in common with another that could be asked at the same time, by command id. */
export function conflicts(
  commands: readonly Command[],
  chosen: Readonly<Record<string, string>>,
): ReadonlyMap<string, readonly Command[]> {
  const byKey = new Map<string, Command[]>()
  for (const command of commands)
    for (const name of keysOf(command, chosen)) {
      // Writing has the keyboard for itself, but for commands that are there everywhere.
      const groups =
        command.context === 'global' ? ['writing', 'reading'] : [command.context === 'compose' ? 'writing' : 'reading']
      for (const group of groups) byKey.set(`${group} ${name}`, [...(byKey.get(`${group} ${name}`) ?? []), command])
    }
  const found = new Map<string, Command[]>()
  for (const same of byKey.values())
    for (const command of same) {
      const others = same.filter(c => c !== command && found.get(command.id)?.includes(c) !== true)
      if (others.length > 0) found.set(command.id, [...(found.get(command.id) ?? []), ...others])
    }
  return found
}
