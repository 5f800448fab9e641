import type { JSX } from 'preact'

export function MessagePane(): JSX.Element {
  return <div class="message" />
}
