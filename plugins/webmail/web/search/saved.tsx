// Searches kept in the account, by name.
import { askLine } from '../frame/ask.tsx'
import { toast } from '../frame/overlay.ts'
import { change } from '../state/preferences.ts'
import { settings } from '../state/store.ts'
import { format, parse } from './query.ts'

/** Searches that an account keeps; as the settings have it. */
const SAVED = 100
const NAME = 100

const saved = () => settings.value?.searches ?? []

/** The name under which a search is kept, however it is written; undefined when it is not. */
export function savedAs(text: string): string | undefined {
  const canonical = format(parse(text))
  return saved().find(s => format(parse(s.query)) === canonical)?.name
}

export function askToSave(text: string): void {
  const query = format(parse(text))
  askLine({ title: 'Save search', label: 'Name', value: query.slice(0, NAME), verb: 'Save', select: true }, name => {
    if (name === '') throw new Error('Give it a name.')
    if (name.length > NAME) throw new Error(`A name has at most ${NAME} characters.`)
    const others = saved().filter(s => s.name !== name)
    if (others.length >= SAVED) throw new Error(`${SAVED} searches are saved; remove one first.`)
    change({ searches: [...others, { name, query }] })
    toast({ text: `Search saved as “${name}”` })
    return Promise.resolve()
  })
}

export function removeSearch(name: string): void {
  const former = saved()
  change({ searches: former.filter(s => s.name !== name) })
  toast({ text: `Saved search “${name}” removed`, undo: () => change({ searches: [...former] }) })
}
