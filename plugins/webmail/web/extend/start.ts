// Loads the extensions when the server has said which there are.
import { effect } from '@preact/signals'
import { openCompose } from '../compose/windows.tsx'
import { call } from '../lib/api.ts'
import { hello } from '../state/store.ts'
import { type Load, loadExtension } from './load.ts'

/** Beside the page; the name is one that the server allows, "invitations". */
const load: Load = name => import(/* @vite-ignore */ new URL(`ext/${name}.js`, document.baseURI).href)

export function startExtensions(): void {
  const begun = new Set<string>()
  effect(() => {
    for (const { name, title } of hello.value?.extensions ?? []) {
      if (begun.has(name)) continue
      begun.add(name)
      void loadExtension(name, title, load, async ({ id }, text) =>
        openCompose({ kind: 'reply', message: await call('message', { id }), text }),
      )
    }
  })
}
