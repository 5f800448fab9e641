// Icons: strokes on a grid of 20, in the colour of the text. They say nothing by themselves; what has only an icon has a label.
import type { JSX } from 'preact'

const PATHS = {
  inbox: 'M3 11l2.5-6.5h9L17 11v4.5H3zM3 11h4l1 2h4l1-2h4',
  drafts: 'M12.5 4.5l3 3L8 15l-4 1 1-4zM10.5 6.5l3 3',
  sent: 'M17 3L9 11M17 3l-5 14-3-6-6-3z',
  archive: 'M3 4.5h14V8H3zM4.5 8v7.5h11V8M8 11h4',
  trash: 'M4 6h12M8 6V4h4v2M5.5 6l.7 10h7.6l.7-10M8.5 9v4.5M11.5 9v4.5',
  junk: 'M7 3h6l4 4v6l-4 4H7l-4-4V7zM10 6.5v4.5M10 13.2v.3',
  folder: 'M3 5.5h5l1.5 2H17v8H3z',
  search: 'M9 4a5 5 0 1 0 0 10A5 5 0 1 0 9 4zM12.7 12.7L17 17',
  outgoing: 'M4 10V4h12v6M2.5 10h15v6h-15zM10 13.5V6.5M7.5 9L10 6.5 12.5 9',
  settings: 'M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4',
  help: 'M10 3a7 7 0 1 0 0 14 7 7 0 1 0 0-14zM7.8 8a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M10 13.9v.2',
  account: 'M10 3.5a3 3 0 1 0 0 6 3 3 0 1 0 0-6zM4 16.5c.6-3 2.8-4.5 6-4.5s5.400 1.500 6 4.500',
  write: 'M4 16h12M12.500 3.500l3 3L8.500 13.500l-3.500.5.5-3.500z',
  menu: 'M3 5.500h14M3 10h14M3 14.500h14',
  back: 'M12 4l-6 6 6 6',
  more: 'M5 10h.01M10 10h.01M15 10h.01',
  close: 'M5 5l10 10M15 5L5 15',
  plus: 'M10 4v12M4 10h12',
  right: 'M8 5l5 5-5 5',
  down: 'M5 8l5 5 5-5',
  up: 'M5 12l5-5 5 5',
  grow: 'M11.5 4H16v4.5M16 4l-5 5M8.500 16H4v-4.500M4 16l5-5',
  shrink: 'M16 8.500h-4.500V4M11.500 8.500L16.500 3.500M4 11.500h4.500V16M8.500 11.500L3.500 16.500',
  check: 'M4 10.500l4 4 8-9',
  columns: 'M3 4h14v12H3zM9 4v12',
  rows: 'M3 4h14v12H3zM3 9h14',
  tooltip: 'M3 4h14v9h-6l-3 3v-3H3zM7 8.500h6',
  download: 'M10 3.500v9M6.500 9.500L10 13l3.500-3.500M4 16.500h12',
  upload: 'M10 13V4M6.500 7L10 3.500 13.500 7M4 16.500h12',
  warning: 'M10 3.500l7.500 13h-15zM10 8v4M10 14.200v.2',
} as const
export type IconName = keyof typeof PATHS

export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg
      class="svg-icon"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width={name === 'more' ? 2.6 : 1.5}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
