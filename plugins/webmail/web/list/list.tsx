import type { JSX } from 'preact'

export function List(): JSX.Element {
  return <div class="list" />
}
