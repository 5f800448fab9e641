// The registry as one extension sees it: what it adds must bear its name, and have the shape that the page relies on.
import type { WebmailRegistry } from '@mox/plugin-sdk/webmail'
import { settings } from '../state/store.ts'
import { badges, commands, composeChecks, panels, register, settingsPages } from './registry.ts'

/** Things that one extension may add. */
export const MAX_ENTRIES = 100
const TEXT_LENGTH = 200
/** Characters of an answer that an extension begins. */
const REPLY_LENGTH = 100_000

/** "invitations.panel" and "invitations/invite" are of the extension "invitations". */
export function extensionOf(id: string): string {
  return /^[^./]*/.exec(id)?.[0] ?? id
}

export interface Bound {
  readonly registry: WebmailRegistry
  /** Adds what the extension named, all of it; until then the page has none of it. */
  commit(): void
}

/** `answer`: opens an answer to a message with a text in it. */
export function bind(name: string, answer: WebmailRegistry['reply']): Bound {
  const waiting: (() => void)[] = []
  const ids = new Set<string>()
  const add = <T extends { readonly id: string }>(
    list: Parameters<typeof register<T>>[0],
    texts: readonly (keyof T)[],
    functions: readonly (keyof T)[],
    separator: '.' | '/' = '.',
  ) => {
    return (entry: T): void => {
      if (waiting.length === MAX_ENTRIES) throw new Error(`more than ${MAX_ENTRIES} entries`)
      for (const key of ['id', ...texts] as (keyof T)[]) {
        const value = entry[key]
        if (typeof value !== 'string' || value === '' || value.length > TEXT_LENGTH)
          throw new Error(`${String(key)} must be a text of at most ${TEXT_LENGTH} characters`)
      }
      for (const key of functions)
        if (typeof entry[key] !== 'function') throw new Error(`${entry.id} has no function ${String(key)}`)
      if (!entry.id.startsWith(`${name}${separator}`))
        throw new Error(`${entry.id} must begin with ${name}${separator}`)
      if (list.value.some(e => e.id === entry.id) || ids.has(entry.id)) throw new Error(`${entry.id} is there twice`)
      ids.add(entry.id)
      waiting.push(() => register(list, entry))
    }
  }
  const command = add(commands, ['title', 'context'], ['run'])
  return {
    registry: {
      command: entry => {
        if (!['global', 'list', 'message', 'compose'].includes(entry.context))
          throw new Error(`${entry.id} has no context that the page knows`)
        command(entry)
      },
      panel: add(panels, ['title'], ['mount']),
      composeCheck: add(composeChecks, [], ['check']),
      badge: add(badges, ['text', 'title'], [], '/'),
      settingsPage: add(settingsPages, ['title'], ['mount']),
      stored: () => settings.value?.extensions[name],
      reply: async (message, text) => {
        if (typeof text !== 'string' || text.length > REPLY_LENGTH)
          throw new Error(`the text of an answer has at most ${REPLY_LENGTH} characters`)
        await answer(message, text)
      },
    },
    commit: () => {
      for (const one of waiting) one()
    },
  }
}
