// Text of strangers, where it matters what it looks like: letters that imitate others are marked.
import type { JSX } from 'preact'
import { stretches } from './scripts.ts'

const TITLE = 'Letters of another script than the rest: this may not be what it looks like'

export function Marked({ text }: { readonly text: string }): JSX.Element {
  return (
    <>
      {stretches(text).map(({ text: part, odd }, i) =>
        odd ? (
          <span key={i} class="scriptswitch" title={TITLE}>
            {part}
          </span>
        ) : (
          part
        ),
      )}
    </>
  )
}
