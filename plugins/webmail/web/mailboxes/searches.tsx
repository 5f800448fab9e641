// The menu of a saved search.
import type { JSX } from 'preact'
import { askLine } from '../frame/ask.tsx'
import { toast } from '../frame/overlay.ts'
import { change } from '../state/preferences.ts'
import { settings } from '../state/store.ts'

export function SearchMenu({ name, close }: { readonly name: string; close(): void }): JSX.Element {
  return (
    <div class="menu">
      <button
        type="button"
        onClick={() => {
          close()
          askLine({ title: 'Rename search', label: 'Name', value: name, verb: 'Rename', select: true }, async next => {
            const searches = settings.value?.searches ?? []
            change({ searches: searches.map(s => (s.name === name ? { ...s, name: next.slice(0, 100) } : s)) })
          })
        }}
      >
        Rename…
      </button>
      <button
        type="button"
        onClick={() => {
          close()
          const before = settings.value?.searches ?? []
          change({ searches: before.filter(s => s.name !== name) })
          toast({ text: `Search ${name} removed`, undo: () => change({ searches: before }) })
        }}
      >
        Remove
      </button>
    </div>
  )
}
