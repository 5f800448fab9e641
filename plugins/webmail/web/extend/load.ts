// Loads the script of an extension. One that fails is told and does no harm.

import type { ExtensionScript, WebmailRegistry } from '@mox/plugin-sdk/webmail'
import { toast } from '../frame/overlay.ts'
import { reasonOf } from '../lib/reason.ts'
import { bind } from './bound.ts'

export type Load = (name: string) => Promise<unknown>

export async function loadExtension(
  name: string,
  title: string,
  from: Load,
  answer: WebmailRegistry['reply'],
): Promise<void> {
  try {
    const script = ((await from(name)) as { readonly default?: unknown }).default
    if (typeof script !== 'function') throw new Error('its script exports no function')
    const { registry, commit } = bind(name, answer)
    const run = script as ExtensionScript
    run(registry)
    commit()
  } catch (error) {
    const why = reasonOf(error)
    toast({ text: `The extension “${title}” is not there: ${why}`, kind: 'error' })
  }
}
