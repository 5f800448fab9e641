// The popover that narrows a search: senders, mailboxes and times of what it finds, with how many messages each.
import type { JSX } from 'preact'
import type { Result } from '../../src/api/calls.ts'
import { Loaded } from '../frame/loaded.tsx'
import { openPopover } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { countOf } from '../state/actions.ts'
import { openSearch, target } from '../state/navigate.ts'
import { mailboxes, view } from '../state/store.ts'
import { type Narrowing, narrowed, periods } from './narrow.ts'

export function openFacets(anchor: HTMLElement): void {
  const query = view.value?.query
  if (query === undefined) return
  const { scope, filter } = query
  const load = (): Promise<Result<'searchFacets'>> =>
    call('searchFacets', { query: { scope, ...(filter && { filter }) }, zone: new Date().getTimezoneOffset() })
  openPopover({
    anchor,
    label: 'Narrow the search',
    render: close => (
      <Loaded waiting="Counting…" load={load} show={facets => <Facets facets={facets} close={close} />} />
    ),
  })
}

function Facets(props: { readonly facets: Result<'searchFacets'>; close(): void }): JSX.Element {
  const { facets, close } = props
  const narrow = (by: Narrowing): void => {
    const { value: now } = target
    close()
    if (now.kind === 'search') openSearch(narrowed(now.query, by))
  }
  const groups: readonly (readonly [title: string, entries: readonly Entry[]])[] = [
    ['From', facets.from.map(({ name, address, count }) => [name || address, address, count, { from: address }])],
    [
      'Mailbox',
      facets.mailboxes.flatMap(({ mailboxId, count }) => {
        const name = mailboxes.value.get(mailboxId)?.name
        return name === undefined ? [] : [[name, name, count, { mailbox: name }] as const]
      }),
    ],
    ['Received', periods(facets.months).map(({ label, start, end, count }) => [label, label, count, { start, end }])],
  ]
  // What all have in common narrows nothing.
  const useful = groups.filter(([, entries]) => entries.length > 1)
  return (
    <div class="labels-popover facets">
      {useful.length === 0 ? <p>There is nothing to narrow it by.</p> : null}
      {useful.map(([title, entries]) => (
        <section key={title} aria-label={title}>
          <p class="title" aria-hidden="true">
            {title}
          </p>
          {entries.map(([label, full, count, by]) => (
            <button type="button" key={full} class="choice" title={full} onClick={() => narrow(by)}>
              <span class="name">{label}</span> <span class="count">{count.toLocaleString()}</span>
            </button>
          ))}
        </section>
      ))}
      {facets.more ? <p class="hint-text">Of the newest {countOf(facets.messages)}.</p> : null}
    </div>
  )
}

type Entry = readonly [label: string, full: string, count: number, by: Narrowing]
