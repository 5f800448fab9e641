// The flags that choose recipients, for all commands on the queue.
import { type CommandFlag, type CommandInput, type QueueFilter, UsageError } from '@mox/plugin-sdk'
import { parseId } from './deps.ts'

/** Ids in one --ids flag. */
export const IDS_LIMIT = 1000

export const FILTERS: readonly CommandFlag[] = [
  { name: 'ids', type: 'string', help: 'only these queue ids, separated by commas' },
  { name: 'account', type: 'string', help: 'only what this account submitted' },
  { name: 'from', type: 'string', help: 'only reverse-paths with this text' },
  { name: 'to', type: 'string', help: 'only recipients with this text' },
  { name: 'message', type: 'number', help: 'only recipients of this message id' },
]

export function filterOf({ flags }: CommandInput): QueueFilter {
  const text = (name: 'account' | 'from' | 'to'): object => {
    const value = flags.get(name)
    return typeof value === 'string' ? { [name]: value } : {}
  }
  const ids = flags.get('ids')
  const message = flags.get('message')
  return {
    ...(typeof ids === 'string' ? { ids: parseIds(ids) } : {}),
    ...text('account'),
    ...text('from'),
    ...text('to'),
    ...(typeof message === 'number' ? { messageId: message } : {}),
  }
}

function parseIds(text: string): number[] {
  const ids = text.split(',').map(id => parseId(id.trim(), 'queue id'))
  if (ids.length > IDS_LIMIT) throw new UsageError(`--ids has ${ids.length} ids; give at most ${IDS_LIMIT} at a time`)
  return ids
}
