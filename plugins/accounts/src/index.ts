// @mox/plugin-accounts: who is here and who may log in. Provides directory@1 from the config file and the database together,
// and the commands to change the latter. What does not go together stops the start with every problem named.
import {
  clock,
  commands,
  definePlugin,
  directory,
  hooks,
  log,
  loginSecurity,
  metrics,
  type PluginFactory,
  random,
  secrets,
  storage,
  system,
} from '@mox/plugin-sdk'
import { Argon2 } from './argon2.ts'
import { Attempts } from './attempts.ts'
import { Authenticator } from './authenticator.ts'
import { accountCommands } from './commands/account.ts'
import { addressCommands } from './commands/address.ts'
import { aliasCommands } from './commands/alias.ts'
import type { CommandContext } from './commands/context.ts'
import { domainCommands } from './commands/domain.ts'
import { limitsCommand } from './commands/limits.ts'
import { passwordCommands } from './commands/password.ts'
import { secondFactorCommands } from './commands/second-factor.ts'
import { configEntries } from './config.ts'
import { configPasswords } from './config-passwords.ts'
import { type Credential, makeVerifier } from './credential.ts'
import { LoginLimits } from './limits.ts'
import { options } from './options.ts'
import { Passwords } from './passwords.ts'
import { Registry } from './registry.ts'
import { migrations } from './schema.ts'
import { SecondFactors } from './second-factors.ts'
import { directoryService } from './service.ts'

export type { Options as AccountsOptions, OptionsInput as AccountsInput } from './options.ts'

/** Bytes of the secret behind the salts of names that nobody has. */
const SALT_KEY_BYTES = 32

export const accounts: PluginFactory<typeof options> = definePlugin({
  name: 'accounts',
  options,
  needs: { storage, hooks, clock, random, secrets, log, metrics, system },
  provides: { directory, loginSecurity, commands },
  setup: ({ options, services }) => {
    const { storage, clock, random, secrets, log } = services
    const { postmaster, fallbackAccount } = options
    const argon2 = new Argon2()
    const passwords = new Passwords(argon2, clock, random)
    const limits = new LoginLimits(options.loginLimits, clock)
    const attempts = new Attempts({ storage, clock, log })
    const registry = new Registry({
      config: configEntries(options).entries,
      storage,
      log,
      roles: { postmaster, fallbackAccount },
      hostname: services.system.hostname,
      onChange: () => passwords.clear(),
    })
    let saltKey = Buffer.alloc(0)
    let fromConfig: ReadonlyMap<string, Credential> = new Map()

    const renewals = new Set<Promise<void>>()
    const renew = async (account: string, old: Credential, password: string): Promise<void> => {
      try {
        await registry.replaceVerifier(account, old, await makeVerifier(password, argon2, random))
      } catch (err) {
        log.warn({ err, account }, 'the stored password could not be renewed')
      }
    }
    const authenticator = new Authenticator({
      ...services,
      limits,
      passwords,
      attempts,
      lookup: () => registry.lookup,
      credentialOf: account => fromConfig.get(account) ?? registry.credential(account),
      secondFactorSince: account => registry.secondFactorSince(account),
      isAppPassword: (account, password) => registry.isAppPassword(account, password, clock.now()),
      renew: (account, old, password) => {
        const renewal = renew(account, old, password).finally(() => renewals.delete(renewal))
        renewals.add(renewal)
      },
      saltKey: () => saltKey,
    })
    const secondFactors = new SecondFactors({ storage, clock, random, registry, limits, authenticator })
    const context: CommandContext = {
      ...{ registry, attempts, storage, clock, random, argon2, secondFactors, hooks: services.hooks },
      configPassword: account => fromConfig.get(account),
    }
    return {
      services: {
        directory: directoryService(registry, authenticator, limits),
        loginSecurity: secondFactors,
        commands: [
          ...domainCommands(context),
          ...accountCommands(context),
          limitsCommand(context),
          ...passwordCommands(context),
          ...secondFactorCommands(context),
          ...addressCommands(context),
          ...aliasCommands(context),
        ],
      },
      migrations,
      start: async () => {
        saltKey = Buffer.from(await secrets.generate('accounts-salt', SALT_KEY_BYTES))
        fromConfig = await configPasswords(options.accounts, secrets, (hash, account) =>
          authenticator.salt(hash, `account ${account}`),
        )
        await registry.start()
        if (postmaster === undefined && registry.lookup.domains.length > 0)
          log.warn({}, 'nobody takes mail for postmaster; name an account in the option `postmaster`')
        attempts.start()
      },
      stop: async () => {
        await Promise.all(renewals)
        await attempts.stop()
        await registry.stop()
      },
    }
  },
})
