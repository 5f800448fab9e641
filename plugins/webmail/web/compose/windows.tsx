import type { JSX } from 'preact'

export function ComposeWindows(): JSX.Element | null {
  return null
}

export function openCompose(_what: { readonly kind: 'new'; readonly mailto?: string }): void {}
