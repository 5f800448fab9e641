// `mox account password`, `hash`, `disable`, `enable` and `logins`: who may log in, and who did.
import { type Command, type Random, UsageError } from '@mox/plugin-sdk'
import { makeVerifier } from '../credential.ts'
import { loginDisabledProblem } from '../fields.ts'
import { newPasswordProblem, preparePassword } from '../precis.ts'
import { ACCOUNT, type AccountRow } from '../schema.ts'
import { type CommandContext, findAccount, mustBeStored, refuseIf } from './context.ts'

/** Characters of a generated password, of 56 that look different: 93 bits. */
export const GENERATED_LENGTH = 16
const ALPHABET = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

const ACCOUNT_ARGUMENT = { name: 'account', help: 'name of the account' }
const PASSWORD = { name: 'password', help: 'read from standard input; do not write it on the command line' }

export function passwordCommands(context: CommandContext): readonly Command[] {
  const { registry, argon2, random, clock } = context
  const setDisabled = async (name: string, loginDisabled: string | null): Promise<void> => {
    mustBeStored(findAccount(context, name), `account ${name}`, 'set `loginDisabled`')
    await registry.change(async db => {
      await db<AccountRow>(ACCOUNT).where({ name }).update({ login_disabled: loginDisabled })
    })
  }

  return [
    {
      path: ['account', 'password'],
      summary: 'set the password of an account',
      arguments: [ACCOUNT_ARGUMENT, PASSWORD],
      flags: [
        {
          name: 'generate',
          type: 'boolean',
          help: `make a random password of ${GENERATED_LENGTH} characters and show it`,
        },
      ],
      secret: ['password'],
      secretUnless: 'generate',
      offline: true,
      run: async ({ arguments: [name = '', given], flags }) => {
        findAccount(context, name)
        if (context.configPassword(name) !== undefined)
          throw new UsageError(
            `the password of ${name} is in the config file; change it there, or remove it there first`,
          )
        const password = flags.get('generate') === true ? generatePassword(random) : prepared(given)
        await registry.setVerifier(name, await makeVerifier(password, argon2, random), clock.now())
        return { kind: 'text', text: flags.get('generate') === true ? password : `the password of ${name} is set` }
      },
    },
    {
      path: ['account', 'hash'],
      summary: 'what to write as `passwordHash` in the config file for a password',
      arguments: [PASSWORD],
      secret: ['password'],
      offline: true,
      run: async ({ arguments: [given] }) => ({
        kind: 'text',
        text: await makeVerifier(prepared(given), argon2, random),
      }),
    },
    {
      path: ['account', 'disable'],
      summary: 'refuse logins of an account',
      arguments: [ACCOUNT_ARGUMENT, { name: 'text', help: 'what the user is told' }],
      offline: true,
      run: async ({ arguments: [name = '', text = ''] }) => {
        refuseIf(loginDisabledProblem(text))
        await setDisabled(name, text)
        return { kind: 'text', text: `logins of ${name} are refused` }
      },
    },
    {
      path: ['account', 'enable'],
      summary: 'end disable',
      arguments: [ACCOUNT_ARGUMENT],
      offline: true,
      run: async ({ arguments: [name = ''] }) => {
        await setDisabled(name, null)
        return { kind: 'text', text: `${name} may log in` }
      },
    },
    {
      path: ['account', 'logins'],
      summary: 'logins and failed attempts of the last 30 days, newest first',
      arguments: [{ name: 'account', help: 'name of the account; "-" for names that nobody has', required: false }],
      flags: [{ name: 'failed', type: 'boolean', help: 'only those that failed' }],
      offline: true,
      run: async ({ arguments: [account], flags, limit }) => {
        const failed = flags.get('failed') === true
        const found = await context.attempts.list({ account, failed, limit: limit + 1 })
        const rows = found.slice(0, limit).map(row => ({
          last: new Date(Number(row.last_at)).toISOString(),
          count: Number(row.attempts),
          account: row.account,
          login: row.login_address,
          from: row.remote_ip,
          protocol: row.protocol,
          mechanism: row.mechanism,
          result: row.result,
          tls: row.tls,
          first: new Date(Number(row.first_at)).toISOString(),
          agent: row.user_agent,
        }))
        const columns = ['last', 'count', 'account', 'login', 'from', 'protocol', 'mechanism', 'result', 'tls']
        return { kind: 'rows', columns, rows, more: found.length > limit }
      },
    },
  ]
}

function prepared(password: string | undefined): string {
  if (password === undefined) throw new UsageError('the password is missing: write it to standard input')
  const problem = newPasswordProblem(password)
  if (problem !== undefined) throw new UsageError(`the password ${problem}`)
  return preparePassword(password) ?? ''
}

/** Every character equally likely. */
export function generatePassword(random: Random): string {
  const usable = 256 - (256 % ALPHABET.length)
  let password = ''
  while (password.length < GENERATED_LENGTH)
    for (const byte of random.bytes(GENERATED_LENGTH))
      if (byte < usable && password.length < GENERATED_LENGTH) password += ALPHABET[byte % ALPHABET.length]
  return password
}
