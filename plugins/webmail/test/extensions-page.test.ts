import { beforeEach, expect, it } from 'vitest'
import { type bind, extensionOf, MAX_ENTRIES } from '../web/extend/bound.ts'
import { loadExtension } from '../web/extend/load.ts'
import { badges, commands, panels } from '../web/extend/registry.ts'
import { toasts } from '../web/frame/overlay.ts'
import { settings } from '../web/state/store.ts'
import { openInbox, SETTINGS } from './page-state.ts'

const answers: string[] = []
const answer = async (_: unknown, text: string) => void answers.push(text)

beforeEach(() => {
  openInbox([])
  commands.value = []
  panels.value = []
  badges.value = []
})

const command = (id: string) => ({ id, title: 'Do it', context: 'global' as const, run: () => undefined })

it('adds what an extension names', async () => {
  settings.value = { ...SETTINGS, extensions: { party: { hats: 3 } } }
  let stored: unknown
  await loadExtension(
    'party',
    'Party',
    async () => ({
      default: (registry: ReturnType<typeof bind>['registry']) => {
        registry.command(command('party.go'))
        registry.badge({ id: 'party/hat', text: 'hat', title: 'With a hat' })
        registry.panel({ id: 'party.panel', title: 'Party', mount: () => undefined })
        stored = registry.stored()
        void registry.reply({ id: 1, mailboxId: 1, subject: '', from: [] }, 'I come')
      },
    }),
    answer,
  )
  expect(commands.value.map(c => c.id)).toEqual(['party.go'])
  expect([badges.value[0]?.id, panels.value[0]?.id]).toEqual(['party/hat', 'party.panel'])
  expect(stored).toEqual({ hats: 3 })
  expect(toasts.value).toEqual([])
  expect(answers).toEqual(['I come'])
  expect(['party.panel', 'party/hat', 'party'].map(extensionOf)).toEqual(['party', 'party', 'party'])
})

it.each([
  ['cannot be loaded', () => Promise.reject(new Error('404'))],
  ['exports nothing', async () => ({})],
  [
    'throws',
    async () => ({
      default: () => {
        throw new Error('oh')
      },
    }),
  ],
  [
    'takes the name of another',
    async () => ({
      default: (r: ReturnType<typeof bind>['registry']) => {
        r.command(command('party.a'))
        r.command(command('other.b'))
      },
    }),
  ],
  [
    'names something twice',
    async () => ({
      default: (r: ReturnType<typeof bind>['registry']) => {
        r.command(command('party.a'))
        r.command(command('party.a'))
      },
    }),
  ],
  [
    'leaves something out',
    async () => ({
      default: (r: ReturnType<typeof bind>['registry']) => r.command({ ...command('party.a'), title: '' }),
    }),
  ],
  [
    'knows a context that there is not',
    async () => ({
      default: (r: ReturnType<typeof bind>['registry']) =>
        r.command({ ...command('party.a'), context: 'moon' as 'list' }),
    }),
  ],
  [
    'adds without end',
    async () => ({
      default: (r: ReturnType<typeof bind>['registry']) => {
        for (let i = 0; i <= MAX_ENTRIES; i++) r.command(command(`party.${i}`))
      },
    }),
  ],
])('tells of a script that %s, and has nothing of it', async (_, from) => {
  await loadExtension('party', 'Party', from, answer)
  expect(commands.value).toEqual([])
  expect(toasts.value.map(t => [t.kind, t.text.includes('Party')])).toEqual([['error', true]])
})
