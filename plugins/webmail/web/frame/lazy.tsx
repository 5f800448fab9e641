// Parts of the page that are loaded when they are first shown.
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { showError } from '../state/busy.ts'

type Part<P> = (props: P) => JSX.Element | null

/** `waiting` is shown meanwhile. */
export function lazy<P extends object>(
  load: () => Promise<Part<P>>,
  waiting: string,
  failed: (error: unknown) => void = showError,
): Part<P> {
  const part = signal<Part<P> | undefined>(undefined)
  return props => {
    useEffect(() => {
      if (part.value !== undefined) return
      load().then(loaded => {
        part.value = loaded
      }, failed)
    }, [])
    const Shown = part.value
    if (Shown !== undefined) return <Shown {...props} />
    return waiting === '' ? null : <p aria-busy="true">{waiting}</p>
  }
}
