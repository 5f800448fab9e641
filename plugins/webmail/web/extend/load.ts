// Loads the scripts of extensions when the server has said which there are. One that fails is told and does no harm.

import type { ExtensionScript } from '@mox/plugin-sdk/webmail'
import { effect } from '@preact/signals'
import { toast } from '../frame/overlay.ts'
import { hello } from '../state/store.ts'
import { bind } from './bound.ts'

type Load = (name: string) => Promise<unknown>

/** Beside the page; the name is one that the server allows, "invitations". */
const load: Load = name => import(/* @vite-ignore */ new URL(`ext/${name}.js`, document.baseURI).href)

export function startExtensions(): void {
  const begun = new Set<string>()
  effect(() => {
    for (const { name, title } of hello.value?.extensions ?? []) {
      if (begun.has(name)) continue
      begun.add(name)
      void loadExtension(name, title, load)
    }
  })
}

export async function loadExtension(name: string, title: string, from: Load): Promise<void> {
  try {
    const script = ((await from(name)) as { readonly default?: unknown }).default
    if (typeof script !== 'function') throw new Error('its script exports no function')
    const { registry, commit } = bind(name)
    const run = script as ExtensionScript
    run(registry)
    commit()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    toast({ text: `The extension “${title}” is not there: ${why}`, kind: 'error' })
  }
}
