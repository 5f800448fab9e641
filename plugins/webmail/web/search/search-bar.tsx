import type { JSX } from 'preact'

export function SearchBar(): JSX.Element {
  return <input type="search" aria-label="Search" placeholder="Search" />
}
