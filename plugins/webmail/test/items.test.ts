import type { ListedMessage, WebmailExtension } from '@mox/plugin-sdk'
import { collectingLog } from '@mox/plugin-sdk/testkit'
import { expect, it } from 'vitest'
import { makeBadges } from '../src/server/items.ts'

it('asks extensions that were set up later, and does without one that fails', () => {
  const extensions: WebmailExtension[] = []
  const badges = makeBadges(extensions, collectingLog())
  const make = (name: string, badges: WebmailExtension['badges']): WebmailExtension => ({
    ...{ name, title: name, script: '' },
    ...(badges === undefined ? {} : { badges }),
  })
  extensions.push(
    make('none', undefined),
    make('one', messages => new Map(messages.map(m => [m.id, ['a']]))),
    make('broken', () => {
      throw new Error('no')
    }),
    make('many', () => new Map([[1, Array.from({ length: 20 }, (_, i) => `b${i}`)]])),
  )
  const found = badges([{ id: 1 }, { id: 2 }] as ListedMessage[])
  expect(found.get(1)).toHaveLength(10)
  expect(found.get(1)?.slice(0, 2)).toEqual(['one/a', 'many/b0'])
  expect(found.get(2)).toEqual(['one/a'])
})
