// `mox account second-factor …` and `mox account app-password …`: what operators do when somebody lost a phone, or a laptop.
import { type Command, UsageError } from '@mox/plugin-sdk'
import { type CommandContext, findAccount } from './context.ts'

const ACCOUNT = { name: 'account', help: 'name of the account' }

export function secondFactorCommands(context: CommandContext): readonly Command[] {
  const { secondFactors } = context
  return [
    {
      path: ['account', 'second-factor', 'show'],
      summary: 'whether an account has a second factor, and how many recovery codes are left',
      arguments: [ACCOUNT],
      offline: true,
      run: async ({ arguments: [name = ''] }) => {
        findAccount(context, name)
        const { secondFactorSince: since, recoveryCodes, appPasswords } = await secondFactors.state(name)
        return {
          kind: 'value',
          value: {
            account: name,
            since: since === undefined ? null : new Date(since).toISOString(),
            'recovery-codes': recoveryCodes,
            'app-passwords': appPasswords.length,
          },
        }
      },
    },
    {
      path: ['account', 'second-factor', 'disable'],
      summary: 'turn the second factor of an account off, for somebody who lost it; be sure who asks',
      arguments: [ACCOUNT],
      offline: true,
      run: async ({ arguments: [name = ''] }) => {
        findAccount(context, name)
        if (!(await secondFactors.disable(name))) throw new UsageError(`${name} has no second factor`)
        return { kind: 'text', text: `${name} logs in with its password alone` }
      },
    },
    {
      path: ['account', 'app-password', 'list'],
      summary: 'passwords that an account made for programs',
      arguments: [ACCOUNT],
      offline: true,
      run: async ({ arguments: [name = ''], limit }) => {
        findAccount(context, name)
        const { appPasswords } = await secondFactors.state(name)
        const rows = appPasswords.slice(0, limit).map(({ id, name: program, createdAt, usedAt }) => ({
          ...{ id, name: program, created: new Date(createdAt).toISOString() },
          used: usedAt === undefined ? '' : new Date(usedAt).toISOString(),
        }))
        return { kind: 'rows', columns: ['id', 'name', 'created', 'used'], rows, more: appPasswords.length > limit }
      },
    },
    {
      path: ['account', 'app-password', 'revoke'],
      summary: 'end an app password',
      arguments: [ACCOUNT, { name: 'id', help: 'of mox account app-password list' }],
      offline: true,
      run: async ({ arguments: [name = '', id = ''] }) => {
        findAccount(context, name)
        if (!(await secondFactors.removeAppPassword(name, id)))
          throw new UsageError(`${name} has no app password ${id}; see mox account app-password list ${name}`)
        return { kind: 'text', text: 'it is not good any more' }
      },
    },
  ]
}
