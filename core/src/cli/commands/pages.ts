// Sorting and paging of the lists of the queue: the flags, and the cursor that leads from one page to the next.
import { type CommandFlag, type CommandInput, type Page, UsageError } from '@mox/plugin-sdk'
import { LIMIT_MAXIMUM } from '../args.ts'
import { COUNT, countOf } from './filters.ts'

export interface Sorting {
  /** What --sort calls the order that is not by id. */
  readonly field: string
  /** Which direction that order has when --asc is not given. */
  readonly ascending: boolean
}

export function pageFlags({ field, ascending }: Sorting): readonly CommandFlag[] {
  const first = ascending ? 'the soonest' : 'the newest'
  return [
    COUNT,
    { name: 'sort', type: 'string', help: `${field} (${first} first) or queued (the newest first); default ${field}` },
    { name: 'asc', type: 'boolean', help: 'earliest first; --asc=false for latest first' },
    { name: 'after', type: 'string', help: 'go on where an earlier list ended, as it says itself' },
  ]
}

/** The page to read: one row more than shown, to know whether there are more. */
export function pageOf(input: CommandInput, { field, ascending }: Sorting): { page: Page; shown: number } {
  const { flags } = input
  const sort = flags.get('sort') ?? field
  if (sort !== field && sort !== 'queued')
    throw new UsageError(`--sort ${JSON.stringify(sort)} is unknown; choose ${field} or queued`)
  const byId = sort === 'queued'
  const shown = Math.min(countOf(input) ?? input.limit, LIMIT_MAXIMUM - 1)
  const after = cursorOf(flags.get('after'))
  return {
    shown,
    page: {
      limit: shown + 1,
      ascending: (flags.get('asc') as boolean | undefined) ?? (byId ? false : ascending),
      ...(byId ? { byId } : {}),
      ...(after === undefined ? {} : { after }),
    },
  }
}

/** "1772352309120.34": what the row is sorted by, and its id. */
export const cursorText = (value: number, id: number): string => `${value}.${id}`

function cursorOf(text: unknown): Page['after'] {
  if (text === undefined) return undefined
  const match = /^(-?\d{1,15})\.([1-9]\d{0,14})$/.exec(String(text))
  if (match === null)
    throw new UsageError(
      `--after ${JSON.stringify(text)} is no place in a list; copy it from the end of the list before`,
    )
  return { value: Number(match[1]), id: Number(match[2]) }
}
