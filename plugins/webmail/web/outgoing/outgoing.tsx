import type { JSX } from 'preact'

export function Outgoing(): JSX.Element {
  return <div class="outgoing" />
}
