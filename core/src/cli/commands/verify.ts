// mox verify: is what is stored consistent?
import type { Command } from '@mox/plugin-sdk'
import type { CommandDeps } from './deps.ts'

export function verifyCommands(deps: CommandDeps): readonly Command[] {
  return [
    {
      path: ['verify'],
      summary: 'check that what is stored is complete and consistent; exit code 1 when it is not',
      offline: true,
      run: async () => {
        const problems = [...(await deps.storage.verify()), ...((await deps.mailboxes?.verify()) ?? [])]
        if (problems.length === 0) return { kind: 'text', text: 'no problems found' }
        const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} found`
        return { kind: 'text', text: [...problems, count].join('\n'), failed: true }
      },
    },
  ]
}
